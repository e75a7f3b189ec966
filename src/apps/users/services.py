"""What can be done with accounts. Each writes in one transaction."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.media.services import request_erasure
from apps.users.exceptions import FollowingOneselfError, WrongPasswordError
from apps.users.models import Follow, User


def follow_user(*, user: User, person: User) -> Follow:
    """Have `user` follow `person`; doing it twice is doing it once."""
    if user.pk == person.pk:
        raise FollowingOneselfError(user.pk)
    return Follow.objects.get_or_create(follower=user, followed=person)[0]


def unfollow_user(*, user: User, person: User) -> None:
    """Have `user` follow `person` no longer; that they do not is no error."""
    Follow.objects.filter(follower=user, followed=person).delete()


@transaction.atomic
def update_profile(*, user: User, **fields: Any) -> User:
    """Change what a profile says: `display_name`, `about`."""
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))
    return user


def delete_account(*, user: User, password: str) -> None:
    """Close the account of `user` now and have it removed with all that is theirs, for good.

    A worker removes it: that may take long. Raises `WrongPasswordError`; `ForbiddenError` where
    only roles may delete.
    """
    if not user.check_password(password):
        raise WrongPasswordError(user.pk)
    request_erasure(user=user, by=user)
