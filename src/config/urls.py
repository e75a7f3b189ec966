"""Every address of the project."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from apps.core import health
from apps.core.docs import ApiDocsView

urlpatterns = [
    path("", include("apps.media.urls")),
    path("", include("apps.users.urls")),
    path("", include("apps.events.urls")),
    path("", include("apps.posts.urls")),
    path("", include("apps.notifications.urls")),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", ApiDocsView.as_view(url_name="api-schema"), name="api-docs"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
handler404 = "apps.core.error_pages.page_not_found"
handler403 = "apps.core.error_pages.permission_denied"
handler400 = "apps.core.error_pages.bad_request"
handler500 = "apps.core.error_pages.server_error"
