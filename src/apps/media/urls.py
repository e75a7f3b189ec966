"""Addresses of media: API, bytes, pages."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.media.views import api, captions, delivery, filepages, pages, streams

app_name = "media"

router = SimpleRouter(use_regex_path=False)
router.register("media", api.MediaViewSet, basename="media")
router.register("tags", api.TagViewSet, basename="tag")

urlpatterns = [
    path("api/v1/", include(router.urls)),
    path("api/v1/me/usage/", api.UsageView.as_view(), name="usage"),
    path(
        "api/v1/media/<uuid:media_id>/captions/", captions.CaptionsView.as_view(), name="captions"
    ),
    path(
        "api/v1/media/<uuid:media_id>/captions/<uuid:caption_id>/",
        captions.CaptionView.as_view(),
        name="caption",
    ),
    path("media/<uuid:media_id>/original", delivery.original, name="original"),
    path("media/<uuid:media_id>/r/<str:name>", delivery.rendition, name="rendition"),
    path("media/<uuid:media_id>/hls/master.m3u8", streams.master, name="hls-master"),
    path(
        "media/<uuid:media_id>/hls/captions-<str:name>.m3u8",
        streams.caption_playlist,
        name="hls-caption-playlist",
    ),
    path(
        "media/<uuid:media_id>/hls/captions-<str:name>.vtt",
        streams.caption_text,
        name="hls-caption",
    ),
    path("media/<uuid:media_id>/hls/<str:track>.m3u8", streams.track_playlist, name="hls-playlist"),
    path("media/<uuid:media_id>/hls/<str:track>.mp4", streams.track_bytes, name="hls-track"),
    path("", pages.HomeView.as_view(), name="home"),
    path("library/", pages.LibraryView.as_view(), name="library"),
    path("library/cards/", pages.CardsView.as_view(), name="media-cards"),
    path("library/upload/", pages.UploadView.as_view(), name="upload"),
    path("library/trash/", pages.TrashView.as_view(), name="trash"),
    path("library/<uuid:media_id>/", filepages.DetailView.as_view(), name="detail"),
    path("library/<uuid:media_id>/edit/", filepages.EditView.as_view(), name="edit"),
    path("library/<uuid:media_id>/delete/", pages.DeleteView.as_view(), name="delete"),
    path("library/<uuid:media_id>/restore/", pages.RestoreView.as_view(), name="restore"),
    path("library/<uuid:media_id>/purge/", pages.PurgeView.as_view(), name="purge"),
    path("library/<uuid:media_id>/reprocess/", filepages.ReprocessView.as_view(), name="reprocess"),
    path(
        "library/<uuid:media_id>/captions/", filepages.AddCaptionView.as_view(), name="add-caption"
    ),
    path(
        "library/<uuid:media_id>/captions/<uuid:caption_id>/delete/",
        filepages.RemoveCaptionView.as_view(),
        name="remove-caption",
    ),
    path("library/<uuid:media_id>/status/", filepages.StatusView.as_view(), name="status"),
]
