"""Addresses of media: API, bytes, pages."""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import URLPattern, include, path
from rest_framework.routers import SimpleRouter

from apps.media import selectors
from apps.media.views import (
    activity,
    api,
    archives,
    captions,
    choosing,
    collectionpages,
    collections,
    delivery,
    direct,
    edits,
    embedding,
    filepages,
    finding,
    imports,
    librarypages,
    lookalikes,
    pages,
    selectionpages,
    selections,
    sharepages,
    sharing,
    sharingpages,
    signing,
    streams,
    tus,
    uses,
    versionpages,
    versions,
    webhookpages,
    webhooks,
)
from apps.media.views.limits import limited, limited_archive

app_name = "media"

router = SimpleRouter(use_regex_path=False)
router.register("media", api.MediaViewSet, basename="media")
router.register("tags", api.TagViewSet, basename="tag")
router.register("uploads/imports", imports.ImportViewSet, basename="import")


# The bytes of a file and of all that is made of it, below each address that leads there.
TREE: list[tuple[str, Callable[..., HttpResponseBase], str]] = [
    ("original", limited(delivery.original), "original"),
    ("r/<str:name>", limited(delivery.rendition), "rendition"),
    ("hls/master.m3u8", streams.master, "hls-master"),
    ("hls/captions-<str:name>.m3u8", streams.caption_playlist, "hls-caption-playlist"),
    ("hls/captions-<str:name>.vtt", streams.caption_text, "hls-caption"),
    ("hls/<str:track>.m3u8", streams.track_playlist, "hls-playlist"),
    ("hls/<str:track>.mp4", limited(streams.track_bytes), "hls-track"),
]


def _tree(place: str, *, kind: str = "", within: Any = None) -> list[URLPattern]:
    """The addresses of the tree below `place`, each view inside of `within`."""
    return [
        path(f"{place}{end}", within(view) if within else view, name=f"{kind}{name}")
        for end, view, name in TREE
    ]


def _sharing(
    addresses: list[tuple[str, Any, str]], place: str, *, kind: str = "", **target: Any
) -> list[URLPattern]:
    """The addresses of sharing below `place`; `target` says what is shared there, if no file."""
    return [
        path(f"{place}{end}", view.as_view(**target), name=f"{kind}{name}")
        for end, view, name in addresses
    ]


urlpatterns = [
    path("api/v1/", include(router.urls)),
    path("api/v1/media/bulk/", selections.BulkView.as_view(), name="bulk"),
    path("api/v1/collections/", collections.CollectionsView.as_view(), name="collection-list"),
    path(
        "api/v1/collections/<uuid:collection_id>/",
        collections.CollectionView.as_view(),
        name="collection-detail",
    ),
    path(
        "api/v1/collections/<uuid:collection_id>/items/",
        collections.CollectionItemsView.as_view(),
        name="collection-items",
    ),
    path("api/v1/me/usage/", api.UsageView.as_view(), name="usage"),
    path("api/v1/uploads/direct/", direct.DirectUploadsView.as_view(), name="direct"),
    path(
        "api/v1/uploads/direct/<str:token>/",
        direct.DirectUploadView.as_view(),
        name="direct-upload",
    ),
    path(
        "api/v1/uploads/direct/<str:token>/parts/",
        direct.DirectPartsView.as_view(),
        name="direct-parts",
    ),
    path(
        "api/v1/uploads/direct/<str:token>/complete/",
        direct.DirectCompleteView.as_view(),
        name="direct-complete",
    ),
    path(
        "api/v1/media/<uuid:media_id>/signed-urls/",
        signing.SignedUrlsView.as_view(),
        name="signed-urls",
    ),
    path("api/v1/uploads/tus/", tus.TusUploadsView.as_view(), name="tus"),
    # Also what no token looks like is answered in the words of the protocol.
    path("api/v1/uploads/tus/<path:token>", tus.TusUploadView.as_view(), name="tus-upload"),
    path(
        "api/v1/media/<uuid:media_id>/captions/", captions.CaptionsView.as_view(), name="captions"
    ),
    path(
        "api/v1/media/<uuid:media_id>/captions/<uuid:caption_id>/",
        captions.CaptionView.as_view(),
        name="caption",
    ),
    path(
        "api/v1/media/<uuid:media_id>/activity/",
        activity.ActivityView.as_view(),
        name="media-activity",
    ),
    path("api/v1/media/<uuid:media_id>/edits/", edits.EditsView.as_view(), name="edits"),
    path("api/v1/media/<uuid:media_id>/poster/", edits.PosterView.as_view(), name="poster"),
    path("api/v1/media/<uuid:media_id>/usage/", uses.UsesView.as_view(), name="media-usage"),
    path(
        "api/v1/media/<uuid:media_id>/versions/", versions.VersionsView.as_view(), name="versions"
    ),
    path(
        "api/v1/media/<uuid:media_id>/versions/<int:number>/",
        versions.VersionView.as_view(),
        name="version",
    ),
    path(
        "api/v1/media/<uuid:media_id>/versions/<int:number>/restore/",
        versions.RestoreVersionView.as_view(),
        name="version-restore",
    ),
    *_sharing(sharing.ADDRESSES, "api/v1/media/<uuid:media_id>/"),
    *_sharing(
        sharing.ADDRESSES,
        "api/v1/collections/<uuid:collection_id>/",
        kind="collection-",
        find=selectors.get_shareable_collection,
    ),
    *(
        path(f"api/v1/webhooks/{end}", view.as_view(), name=name)
        for end, view, name in webhooks.ADDRESSES
    ),
    path("oembed/", embedding.OEmbedView.as_view(), name="oembed"),
    path("media/zip", limited_archive(archives.selection_archive), name="selection-archive"),
    path(
        "collections/<uuid:collection_id>/zip",
        limited_archive(archives.collection_archive),
        name="collection-archive",
    ),
    *_tree("media/<uuid:media_id>/"),
    *_tree("media/s/<str:token>/<uuid:media_id>/", kind="signed-"),
    path("share/<str:link>/", sharepages.as_shared(sharepages.ShareView.as_view()), name="share"),
    path(
        "share/<str:link>/<uuid:media_id>/",
        sharepages.as_shared(sharepages.media_page),
        name="share-media",
    ),
    path(
        "share/<str:link>/collections/<uuid:collection_id>/",
        sharepages.as_shared(sharepages.collection_page),
        name="share-collection",
    ),
    *_tree("share/<str:link>/<uuid:media_id>/", kind="share-", within=sharepages.as_shared),
    path("", pages.HomeView.as_view(), name="home"),
    path("library/", librarypages.LibraryView.as_view(), name="library"),
    path("library/cards/", librarypages.CardsView.as_view(), name="media-cards"),
    path("library/outline/", librarypages.OutlineView.as_view(), name="media-outline"),
    path("library/ids/", librarypages.IdsView.as_view(), name="media-ids"),
    path("library/suggestions/", finding.SuggestionsView.as_view(), name="media-suggestions"),
    path("library/suggestions/tags/", finding.TagSuggestionsView.as_view(), name="tag-suggestions"),
    path("library/choose/", choosing.ChooserView.as_view(), name="choose"),
    path("library/upload/", pages.UploadView.as_view(), name="upload"),
    path("library/storage/", pages.StorageView.as_view(), name="storage"),
    path("library/storage/unused/", pages.UnusedView.as_view(), name="unused"),
    path("library/copies/", pages.CopiesView.as_view(), name="copies"),
    path("library/copies/alike/", lookalikes.LookalikesPage.as_view(), name="lookalikes"),
    path("library/trash/", pages.TrashView.as_view(), name="trash"),
    path("library/trash/empty/", pages.EmptyTrashView.as_view(), name="empty-trash"),
    path("library/<uuid:media_id>/", filepages.DetailView.as_view(), name="detail"),
    path("library/<uuid:media_id>/edit/", filepages.EditView.as_view(), name="edit"),
    path("library/<uuid:media_id>/delete/", pages.DeleteView.as_view(), name="delete"),
    path("library/<uuid:media_id>/restore/", pages.RestoreView.as_view(), name="restore"),
    path("library/<uuid:media_id>/purge/", pages.PurgeView.as_view(), name="purge"),
    path("library/<uuid:media_id>/keep/", filepages.KeepView.as_view(), name="keep"),
    path("library/<uuid:media_id>/reprocess/", filepages.ReprocessView.as_view(), name="reprocess"),
    path(
        "library/<uuid:media_id>/captions/", filepages.AddCaptionView.as_view(), name="add-caption"
    ),
    path(
        "library/<uuid:media_id>/captions/<uuid:caption_id>/delete/",
        filepages.RemoveCaptionView.as_view(),
        name="remove-caption",
    ),
    *_sharing(sharingpages.ADDRESSES, "library/<uuid:media_id>/"),
    *_sharing(
        sharingpages.ADDRESSES,
        "collections/<uuid:collection_id>/",
        kind="collection-",
        find=selectors.get_shareable_collection,
        show=collectionpages.show_collection,
    ),
    path("library/<uuid:media_id>/activity/", activity.ActivityPage.as_view(), name="activity"),
    path("library/<uuid:media_id>/poster/", edits.PosterPage.as_view(), name="choose-poster"),
    path("library/<uuid:media_id>/turn/", edits.EditPage.as_view(), name="turn"),
    path("library/<uuid:media_id>/replace/", versionpages.ReplaceView.as_view(), name="replace"),
    path(
        "library/<uuid:media_id>/versions/<int:number>/restore/",
        versionpages.RestoreVersionView.as_view(),
        name="restore-version",
    ),
    path(
        "library/<uuid:media_id>/versions/<int:number>/delete/",
        versionpages.DeleteVersionView.as_view(),
        name="delete-version",
    ),
    path("library/selection/", selectionpages.SelectionPage.as_view(), name="selection"),
    path(
        "library/trash/undo/<int:moment>/",
        selectionpages.UndoTrashPage.as_view(),
        name="undo-trash",
    ),
    path("webhooks/", webhookpages.WebhooksPage.as_view(), name="webhooks-page"),
    path("webhooks/<uuid:webhook_id>/", webhookpages.WebhookPage.as_view(), name="webhook-page"),
    path(
        "webhooks/<uuid:webhook_id>/<uuid:delivery_id>/",
        webhookpages.ReplayPage.as_view(),
        name="replay-page",
    ),
    path("collections/", collectionpages.CollectionsPage.as_view(), name="collections"),
    path(
        "collections/new/",
        collectionpages.CreateCollectionPage.as_view(),
        name="collection-new",
    ),
    path(
        "collections/<uuid:collection_id>/",
        collectionpages.CollectionPage.as_view(),
        name="collection",
    ),
    path(
        "collections/<uuid:collection_id>/edit/",
        collectionpages.EditCollectionPage.as_view(),
        name="collection-edit",
    ),
    path(
        "collections/<uuid:collection_id>/move/",
        collectionpages.MoveCollectionPage.as_view(),
        name="collection-move",
    ),
    path(
        "collections/<uuid:collection_id>/delete/",
        collectionpages.DeleteCollectionPage.as_view(),
        name="collection-delete",
    ),
    path(
        "collections/<uuid:collection_id>/order/",
        collectionpages.CollectionItemsPage.as_view(),
        name="collection-order",
    ),
    path("library/<uuid:media_id>/status/", filepages.StatusView.as_view(), name="status"),
]
