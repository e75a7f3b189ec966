"""Addresses of media: API, bytes, pages."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.media.views import api, delivery, pages

app_name = "media"

router = SimpleRouter(use_regex_path=False)
router.register("media", api.MediaViewSet, basename="media")
router.register("tags", api.TagViewSet, basename="tag")

urlpatterns = [
    path("api/v1/", include(router.urls)),
    path("api/v1/me/usage/", api.UsageView.as_view(), name="usage"),
    path("media/<uuid:media_id>/original", delivery.original, name="original"),
    path("media/<uuid:media_id>/r/<str:name>", delivery.rendition, name="rendition"),
    path("", pages.HomeView.as_view(), name="home"),
    path("library/", pages.LibraryView.as_view(), name="library"),
    path("library/cards/", pages.CardsView.as_view(), name="media-cards"),
    path("library/upload/", pages.UploadView.as_view(), name="upload"),
    path("library/trash/", pages.TrashView.as_view(), name="trash"),
    path("library/<uuid:media_id>/", pages.DetailView.as_view(), name="detail"),
    path("library/<uuid:media_id>/edit/", pages.EditView.as_view(), name="edit"),
    path("library/<uuid:media_id>/delete/", pages.DeleteView.as_view(), name="delete"),
    path("library/<uuid:media_id>/restore/", pages.RestoreView.as_view(), name="restore"),
    path("library/<uuid:media_id>/purge/", pages.PurgeView.as_view(), name="purge"),
    path("library/<uuid:media_id>/status/", pages.StatusView.as_view(), name="status"),
]
