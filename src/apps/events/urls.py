"""Addresses of events: pages for people, an API for programs."""

from django.urls import include, path

from apps.events.views import adding, api, gallery, pages
from apps.media.views.limits import limited_archive

app_name = "events"

_event_pages = [
    path("", pages.EventPage.as_view(), name="event"),
    path("edit/", pages.EditEventPage.as_view(), name="edit"),
    path("delete/", pages.DeleteEventPage.as_view(), name="delete"),
    path("invite/", pages.InvitePage.as_view(), name="invite"),
    path("withdraw/<int:invitation_id>/", pages.WithdrawPage.as_view(), name="withdraw"),
    path("answer/", pages.AnswerPage.as_view(), name="answer"),
    path("photos/", gallery.CardsPage.as_view(), name="cards"),
    path("photos/add/", adding.AddPhotosPage.as_view(), name="add-photos"),
    path("photos/words/", adding.WordsPage.as_view(), name="words"),
    path("photos/order/", gallery.ArrangePage.as_view(), name="arrange"),
    path("photos/<uuid:media_id>/", gallery.CardPage.as_view(), name="card"),
]
_event_api = [
    path("", api.EventView.as_view(), name="event-detail"),
    path("photos/", api.PhotosView.as_view(), name="event-photos"),
    path("photos/archive/", limited_archive(api.ArchiveView.as_view()), name="event-archive"),
    path("invitations/", api.InvitationsView.as_view(), name="event-invitations"),
    path("invitations/<int:invitation_id>/", api.InvitationView.as_view(), name="event-invitation"),
    path("answer/", api.AnswerView.as_view(), name="event-answer"),
]

urlpatterns = [
    path("events/", pages.EventsPage.as_view(), name="events"),
    path("events/new/", pages.NewEventPage.as_view(), name="new"),
    path("events/<uuid:event_id>/", include(_event_pages)),
    path("api/v1/events/", api.EventsView.as_view(), name="event-list"),
    path("api/v1/events/<uuid:event_id>/", include(_event_api)),
]
