"""What can be known of people. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from axes.models import AccessLog
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from knox.models import AuthToken

from apps.media import selectors as media
from apps.media.links import THUMBNAIL
from apps.media.models import MediaFile
from apps.media.policies import Visitor
from apps.media.processing.crops import cropped_name
from apps.users.exceptions import NoSuchLinkError, PersonNotVisibleError
from apps.users.models import EMAIL_LINK_LIFETIME, EmailChange, Follow, User

SIGN_INS = 20
AVATAR: str = User._meta.get_field("avatar").recipe


def get_person(*, username: str) -> User:
    """The person of that name, with what their page shows.

    Raises `PersonNotVisibleError` where there is none, or their account is switched off.
    """
    if "\0" in username:  # some databases refuse to compare with it
        raise PersonNotVisibleError(username)
    person = User.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise PersonNotVisibleError(username)
    return person


def get_profile(*, user: User | AnonymousUser, username: str) -> User:
    """The person of that name with what their page shows to `user`: their `face` and `shown_cover`.

    Raises `PersonNotVisibleError`.
    """
    person = get_person(username=username)
    show_faces(user, [person])
    person.shown_cover = _find_cover(user, person)
    return person


def show_faces(user: Visitor, people: Iterable[User]) -> None:
    """Give each of `people` the `face` that `user` gets of them, if they have one: the part of
    their picture that they chose, as long as that is not made its thumbnail. One query at most,
    however many people."""
    shown = [one for one in people if one.is_active and one.avatar_id is not None]
    ids = {one.avatar_id for one in shown}
    found = media.find_pictures(user=user, ids=ids, names={THUMBNAIL, *map(_square_of, shown)})
    for one in shown:
        tried = (found.get((one.avatar_id, name)) for name in (_square_of(one), THUMBNAIL))
        # What is not their own is not opened to others by being in their page.
        one.face = next((face for face in tried if face and face.media.owner_id == one.pk), None)


def _square_of(person: User) -> str:
    return cropped_name(AVATAR, person.avatar_crop)


def _find_cover(user: User | AnonymousUser, person: User) -> MediaFile | None:
    """The file across the top of the page of `person`, with details, as `user` gets it."""
    if person.cover_id is None:
        return None
    rows = MediaFile.objects.filter(pk=person.cover_id, owner=person.pk, deleted_at=None)
    if person.pk != user.pk:
        rows = rows.filter(usable=True)
    return next(iter(media.shown_to(user, list(media.with_details(rows)))), None)


def is_following(*, user: User | AnonymousUser, person: User) -> bool:
    """Whether `user` follows `person`."""
    return user.is_authenticated and Follow.objects.filter(follower=user, followed=person).exists()


def followed_by(*, user: User | AnonymousUser) -> QuerySet[Follow]:
    """Ids of those whom `user` follows, as one column: for the queries of other apps."""
    return Follow.objects.filter(follower=user.pk).values("followed")


def count_followers(*, person: User) -> int:
    """How many people whose accounts are on follow `person`."""
    return Follow.objects.filter(followed=person, follower__is_active=True).count()


def count_followed(*, person: User) -> int:
    """How many people whose accounts are on `person` follows."""
    return Follow.objects.filter(follower=person, followed__is_active=True).count()


def find_email_change(*, user: User) -> EmailChange | None:
    """The address that `user` has still to say is theirs, if they may still do so."""
    since = timezone.now() - EMAIL_LINK_LIFETIME
    return EmailChange.objects.filter(user=user, asked_at__gt=since).first()


def get_email_change(*, user: User, token: str) -> EmailChange:
    """That to which the link with `token` leads. Raises `NoSuchLinkError`."""
    change = find_email_change(user=user)
    if change is None or not constant_time_compare(change.token, token):
        raise NoSuchLinkError(user.pk)
    return change


def list_tokens(*, user: User) -> QuerySet[AuthToken]:
    """The tokens of programs of `user`, the newest first."""
    return AuthToken.objects.filter(user=user).order_by("-created")


def list_sign_ins(*, user: User) -> QuerySet[AccessLog]:
    """The last times that somebody signed in as `user`: when, from where, with what."""
    own = AccessLog.objects.filter(username=user.get_username())
    return own.order_by("-attempt_time")[:SIGN_INS]
