"""Every address of the project."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from apps.core import health, metrics
from apps.core.docs import ApiDocsView, ApiSchemaView
from apps.users.views.languages import choose_language

urlpatterns = [
    path("", include("apps.media.urls")),
    path("", include("apps.media.installable")),
    path("", include("apps.users.urls")),
    path("", include("apps.events.urls")),
    path("", include("apps.posts.urls")),
    path("", include("apps.notifications.urls")),
    path("i18n/setlang/", choose_language, name="set_language"),  # under Django's own name
    path("admin/", admin.site.urls),
    path("api/schema/", ApiSchemaView.as_view(), name="api-schema"),
    path("api/docs/", ApiDocsView.as_view(url_name="api-schema"), name="api-docs"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
admin.site.site_header = admin.site.site_title = settings.SITE_NAME
handler404 = "apps.core.error_pages.page_not_found"
handler403 = "apps.core.error_pages.permission_denied"
handler400 = "apps.core.error_pages.bad_request"
handler500 = "apps.core.error_pages.server_error"
