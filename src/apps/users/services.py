"""What can be done with accounts. Each writes in one transaction."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.forms import PasswordResetForm
from django.db import transaction
from django.utils import timezone
from knox.models import AuthToken

from apps.core.ids import new_token
from apps.core.languages import is_offered
from apps.media.services import AttachmentItem, attach_media, detach_media, request_erasure
from apps.users import mailing, selectors
from apps.users.exceptions import FollowingOneselfError, NotYoursError, WrongPasswordError
from apps.users.models import EmailChange, Follow, User
from apps.users.policies import PICTURES


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
    """Change what a profile says: `display_name`, `about`; and shows: `avatar`, `cover`, each an
    `AttachmentItem` with a file of their own and its crop, or None for nothing.

    Raises `NotYoursError` and what media says of the files; then nothing has changed.
    """
    person = User.objects.select_for_update().get(pk=user.pk)
    pictures = {name: fields.pop(name) for name in PICTURES if name in fields}
    for name, value in fields.items():
        setattr(person, name, value)
    person.save(update_fields=list(fields))
    for name, item in pictures.items():
        _hang(person, name, item)
    return person


def _hang(person: User, field: str, item: AttachmentItem | None) -> None:
    """Media judges first, which answers for hidden files as for missing ones."""
    if item is None:
        detach_media(user=person, to=person, field=field)
        return
    attach_media(user=person, media=item.media, to=person, field=field, crop=item.crop)
    if item.media.owner_id != person.pk:
        raise NotYoursError(person.pk)


def remember_language(*, user: User, language: str) -> None:
    """What `user` reads in from now on, also in mails; one that the site has not is forgotten."""
    if is_offered(language) and user.language != language:
        User.objects.filter(pk=user.pk).update(language=language)
        user.language = language


def propose_email(*, user: User, address: str, password: str) -> EmailChange:
    """Send a link to `address`, which makes it that of `user` once they open it.

    Raises `WrongPasswordError`.
    """
    if not user.check_password(password):
        raise WrongPasswordError(user.pk)
    asked = {"address": address, "token": new_token(), "asked_at": timezone.now()}
    with transaction.atomic():  # after the password, which takes its time
        change, _ = EmailChange.objects.update_or_create(
            user=user, defaults={**asked, "attempts": 0, "sent_at": None}
        )
        transaction.on_commit(lambda: mailing.hint(change), robust=True)
    return change


@transaction.atomic
def confirm_email(*, user: User, token: str) -> None:
    """Make the address to which the link with `token` was sent that of `user`.

    Raises `NoSuchLinkError`.
    """
    list(EmailChange.objects.select_for_update().filter(user=user))  # which nobody replaces now
    change = selectors.get_email_change(user=user, token=token)
    User.objects.filter(pk=user.pk).update(email=change.address)
    change.delete()


@transaction.atomic
def forget_email(*, user: User) -> None:
    """Send `user` no more mails, and end what they may have asked for."""
    EmailChange.objects.filter(user=user).delete()
    User.objects.filter(pk=user.pk).update(email="")


def send_password_links(*, address: str) -> None:
    """Send each account with this address a link to the page for another password."""
    for user in PasswordResetForm().get_users(address):
        mailing.hint_password(user)


def create_token(*, user: User) -> str:
    """A new token for a program of `user`, shown now and never again."""
    secret: str = AuthToken.objects.create(user)[1]
    return secret


def revoke_token(*, user: User, token_key: str) -> None:
    """End the token of `user` that begins so; that there is none is no error."""
    AuthToken.objects.filter(user=user, token_key=token_key).delete()


def forget_failures(*, username: str) -> None:
    """Let somebody sign in again who has tried too often, now that they have another password."""
    AccessAttempt.objects.filter(username=username).delete()


def forget_sign_ins(*, username: str) -> None:
    """Remove what is noted of sign-ins under a name."""
    for noted in (AccessLog, AccessAttempt):
        noted.objects.filter(username=username).delete()


def delete_account(*, user: User, password: str) -> None:
    """Close the account of `user` now and have it removed with all that is theirs, for good.

    A worker removes it: that may take long. Raises `WrongPasswordError`; `ForbiddenError` where
    only roles may delete.
    """
    if not user.check_password(password):
        raise WrongPasswordError(user.pk)
    request_erasure(user=user, by=user)
