"""The HTTP API of events. Hidden and missing are the same answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated, IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from apps.core.pagination import KeysetPagination
from apps.core.schema import problem
from apps.events import selectors, services
from apps.events.models import Event, EventPhoto, Invitation
from apps.events.serializers import (
    AddedPhotosSerializer,
    AnswerSerializer,
    EventCreateSerializer,
    EventPhotoSerializer,
    EventSerializer,
    EventUpdateSerializer,
    InvitationSerializer,
    InviteSerializer,
    PhotoPlacesSerializer,
)
from apps.events.services import MOST_AT_ONCE
from apps.media import archives
from apps.media.fields import Crop
from apps.media.rates import SharingRate

WHEN = ("upcoming", "past")
_ATTACHING = problem(422, "`wrong_kind`, `too_many_files`, and whatever else is refused of a file")


class EventsView(generics.GenericAPIView[Event]):
    """Events: those of the user, those they are invited to, and public ones."""

    queryset = Event.objects.none()
    serializer_class = EventSerializer
    permission_classes = [IsAuthenticatedOrReadOnly]
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = {"starts_at": "starts_at", "-starts_at": "-starts_at"}

    def get_queryset(self) -> QuerySet[Event]:
        """All rows, of which the list shows those of `either`."""
        when = self.request.query_params.get("when", "")
        if when and when not in WHEN:
            raise ValidationError(
                {"when": [_("Choose one of: %(known)s.") % {"known": ", ".join(WHEN)}]}
            )
        if when == "past":
            return selectors.list_past_events()
        return selectors.list_upcoming_events() if when else selectors.list_events()

    @property
    def either(self) -> list[Q]:
        return selectors.ways_to_visible_events(user=self.request.user)

    @extend_schema(
        operation_id="events_list",
        parameters=[
            OpenApiParameter(
                "when", OpenApiTypes.STR, enum=WHEN, description="Only these; without it, all"
            )
        ],
        responses=EventSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        shown = selectors.events_shown_to(request.user, page)
        return self.get_paginated_response(self.get_serializer(shown, many=True).data)

    @extend_schema(
        operation_id="events_create",
        request=EventCreateSerializer,
        responses={201: EventSerializer, **_ATTACHING},
    )
    def post(self, request: Request) -> Response:
        form = EventCreateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = services.create_event(user=request.user, **_fields_of(form))
        body = _shown(request, made.pk)
        headers = {"Location": body["urls"]["self"]}
        return Response(body, status=status.HTTP_201_CREATED, headers=headers)


class EventView(APIView):
    """One event."""

    permission_classes = [IsAuthenticatedOrReadOnly]

    @extend_schema(operation_id="events_retrieve", responses=EventSerializer)
    def get(self, request: Request, event_id: UUID) -> Response:
        return Response(_shown(request, event_id))

    @extend_schema(request=EventUpdateSerializer, responses={200: EventSerializer, **_ATTACHING})
    def patch(self, request: Request, event_id: UUID) -> Response:
        event = _visible(request, event_id)
        form = EventUpdateSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        services.update_event(user=request.user, event=event, **_fields_of(form))
        return Response(_shown(request, event_id))

    @extend_schema(
        responses={204: OpenApiResponse(description="Gone, with files that only it used")}
    )
    def delete(self, request: Request, event_id: UUID) -> Response:
        services.delete_event(user=request.user, event=_visible(request, event_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class PhotosView(generics.GenericAPIView[EventPhoto]):
    """The gallery of an event, in its order."""

    queryset = EventPhoto.objects.none()
    serializer_class = EventPhotoSerializer
    permission_classes = [IsAuthenticatedOrReadOnly]
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = {"position": "position", "-position": "-position"}

    @extend_schema(operation_id="events_photos_list", responses=EventPhotoSerializer(many=True))
    def get(self, request: Request, event_id: UUID) -> Response:
        event = _visible(request, event_id)
        rows = selectors.list_photos(user=request.user, event=event)
        page = selectors.photos_shown(request.user, event, self.paginate_queryset(rows) or [])
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="events_photos_add",
        request=PhotoPlacesSerializer,
        responses={200: AddedPhotosSerializer, **_ATTACHING},
    )
    def post(self, request: Request, event_id: UUID) -> Response:
        """Add files of your own. What is in it already stays where it is."""
        event = _visible(request, event_id)
        added = services.add_photos(user=request.user, event=event, **_read_places(request))
        return Response({"added": added})

    @extend_schema(
        operation_id="events_photos_move",
        request=PhotoPlacesSerializer,
        responses={204: OpenApiResponse(description="They are in this order there now")},
    )
    def patch(self, request: Request, event_id: UUID) -> Response:
        event = _visible(request, event_id)
        services.move_photos(user=request.user, event=event, **_read_places(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="events_photos_remove",
        parameters=[
            OpenApiParameter(
                "media",
                OpenApiTypes.UUID,
                many=True,
                required=True,
                description=f"These photos, at most {MOST_AT_ONCE}",
            )
        ],
        responses={204: OpenApiResponse(description="None of them is in it any more")},
    )
    def delete(self, request: Request, event_id: UUID) -> Response:
        event = _visible(request, event_id)
        ids = [_uuid(text) for text in request.query_params.getlist("media")]
        if not ids:
            raise ValidationError({"media": [_("Name at least one.")]})
        services.remove_photos(user=request.user, event=event, media_ids=ids)
        return Response(status=status.HTTP_204_NO_CONTENT)


class ArchiveView(APIView):
    """The gallery as one ZIP."""

    permission_classes = [IsAuthenticatedOrReadOnly]

    @extend_schema(
        operation_id="events_photos_archive",
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, event_id: UUID) -> HttpResponseBase:
        """Written while it is sent, of what you may have. A range goes on where one ended."""
        event = _visible(request, event_id)
        batches = selectors.batches_of_photos(user=request.user, event=event)
        return archives.deliver_archive(
            request._request, user=request.user, title=event.title, batches=batches
        )


class InvitationsView(generics.GenericAPIView[Invitation]):
    """Who is asked to come, for the host."""

    queryset = Invitation.objects.none()
    serializer_class = InvitationSerializer
    permission_classes = [IsAuthenticated]
    filter_backends: list[Any] = []
    pagination_class = KeysetPagination
    orderings = {"created_at": "pk", "-created_at": "-pk"}

    def get_throttles(self) -> list[BaseThrottle]:
        return [SharingRate()] if self.request.method == "POST" else []

    @extend_schema(
        operation_id="events_invitations_list", responses=InvitationSerializer(many=True)
    )
    def get(self, request: Request, event_id: UUID) -> Response:
        event = _visible(request, event_id)
        rows = selectors.list_invitations(user=request.user, event=event)
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="events_invitations_create",
        request=InviteSerializer,
        responses={201: InvitationSerializer, **problem(422, "`unknown_guest`")},
    )
    def post(self, request: Request, event_id: UUID) -> Response:
        """Invite somebody by their user name; again changes nothing."""
        event = _visible(request, event_id)
        form = InviteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = services.invite_guest(
            user=request.user, event=event, name=form.validated_data["username"]
        )
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)


class InvitationView(APIView):
    """One invitation, for the host."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses={204: OpenApiResponse(description="They are not invited any more")})
    def delete(self, request: Request, event_id: UUID, invitation_id: int) -> Response:
        event = _visible(request, event_id)
        services.withdraw_invitation(user=request.user, event=event, invitation_id=invitation_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class AnswerView(APIView):
    """What a guest says."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="events_answer", request=AnswerSerializer, responses=EventSerializer
    )
    def post(self, request: Request, event_id: UUID) -> Response:
        event = _visible(request, event_id)
        form = AnswerSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.answer_invitation(user=request.user, event=event, **form.validated_data)
        return Response(_shown(request, event_id))


def _visible(request: Request, event_id: UUID) -> Event:
    return selectors.get_visible_event(user=request.user, event_id=event_id)


def _shown(request: Request, event_id: UUID) -> Any:
    event = selectors.get_shown_event(user=request.user, event_id=event_id)
    return EventSerializer(event, context={"request": request}).data


def _fields_of(form: EventCreateSerializer) -> dict[str, Any]:
    fields = dict(form.validated_data)
    if crop := fields.get("banner_crop"):
        fields["banner_crop"] = _crop(crop)
    return fields


def _crop(said: dict[str, float]) -> Crop:
    try:
        return Crop(**said)
    except ValueError as error:
        raise ValidationError({"banner_crop": [str(error)]}) from error


def _read_places(request: Request) -> dict[str, Any]:
    form = PhotoPlacesSerializer(data=request.data)
    form.is_valid(raise_exception=True)
    return {
        "media_ids": form.validated_data["media"],
        "before": form.validated_data.get("before"),
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValidationError({"media": [_("This is no id.")]}) from None
