"""Addresses of the site as a program on a telephone's home screen.

Apart from `urls`, for a project to leave out: without them no page names a manifest or a service
worker. A worker sees the pages below its own address, so include these where those of the site are.
"""

from django.urls import path

from apps.media.views import installing

app_name = "installable"

urlpatterns = [
    path("manifest.webmanifest", installing.ManifestView.as_view(), name="manifest"),
    path("service-worker.js", installing.WorkerView.as_view(), name="worker"),
    path("offline/", installing.OfflineView.as_view(), name="offline"),
    path("library/upload/shared/", installing.SharedView.as_view(), name="shared"),
]
