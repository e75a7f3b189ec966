"""Addresses of notifications: pages, API, and what mails lead to."""

from django.urls import path

from apps.notifications.views import api, pages

app_name = "notifications"

urlpatterns = [
    path("notifications/", pages.ListView.as_view(), name="list"),
    path("notifications/bell/", pages.BellView.as_view(), name="bell"),
    path("notifications/stream/", pages.StreamView.as_view(), name="stream"),
    path("notifications/read/", pages.ReadView.as_view(), name="read-all"),
    path("notifications/preferences/", pages.PreferencesView.as_view(), name="preferences"),
    path("notifications/<uuid:notification_id>/", pages.OpenView.as_view(), name="open"),
    path("notifications/<uuid:notification_id>/read/", pages.ReadView.as_view(), name="read"),
    path("notifications/picture/<str:token>", pages.preview, name="preview"),
    path(
        "notifications/unsubscribe/<str:token>/",
        pages.UnsubscribeView.as_view(),
        name="unsubscribe",
    ),
    path("api/v1/notifications/", api.NotificationsView.as_view(), name="api-list"),
    path("api/v1/notifications/unread/", api.UnreadView.as_view(), name="api-unread"),
    path("api/v1/notifications/read/", api.ReadView.as_view(), name="api-read"),
    path(
        "api/v1/notifications/preferences/",
        api.PreferencesView.as_view(),
        name="api-preferences",
    ),
    path(
        "api/v1/notifications/<uuid:notification_id>/",
        api.NotificationView.as_view(),
        name="api-detail",
    ),
]
