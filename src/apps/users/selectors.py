"""What can be known of people. Writes nothing."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from apps.users.exceptions import PersonNotVisibleError
from apps.users.models import Follow, User


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
