"""What an operator says at the console: quotas, roles, keys."""

from __future__ import annotations

import io
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.core.cipher import UnreadableSecretError, reveal
from apps.media import selectors
from apps.media.management.people import size_in_bytes
from apps.media.models import AuditEvent, MediaFile, Quota, Webhook
from apps.media.policies import Action, holds
from apps.media.services.webhooks import SECRETS
from apps.media.tests.hooks import SECRET, hook_of

pytestmark = pytest.mark.django_db
GIB = 1024**3
LONG_AGO = timezone.now() - timedelta(days=2)


@pytest.fixture
def media(upload: Callable[..., MediaFile]) -> MediaFile:
    return upload(b"A few plain words.\n", "notes.txt")


def said_by(command: str, *arguments: str) -> str:
    output = io.StringIO()
    call_command(command, *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize(
    ("text", "size"),
    [("500", 500), ("1K", 1024), ("1.5G", GIB * 3 // 2), ("2 TiB", 2 * 1024 * GIB), ("0", 0)],
)
def test_sizes(text: str, size: int) -> None:
    assert size_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "-1", "G", "1X", "1e9", "nan", "9" * 12 + "T", "\u0661G"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        size_in_bytes(text)


class TestQuota:
    def test_is_set_shown_and_written_down(self, owner: Any) -> None:
        shown = said_by("media_quota", "olga", "--space", "2G", "--files", "7")
        assert "olga" in shown
        assert "2.0" in shown
        quota = Quota.objects.get(owner=owner)
        assert (quota.bytes_limit, quota.files_limit) == (2 * GIB, 7)
        event = AuditEvent.objects.get(act="quota")
        assert event.actor is None
        assert event.details["after"] == {"bytes": 2 * GIB, "files": 7}

    def test_one_limit_leaves_the_other(self, owner: Any) -> None:
        said_by("media_quota", "olga", "--space", "2G", "--files", "7")
        said_by("media_quota", "olga", "--space", "default")
        quota = Quota.objects.get(owner=owner)
        assert (quota.bytes_limit, quota.files_limit) == (None, 7)

    def test_looking_changes_nothing(self, owner: Any) -> None:
        assert "olga" in said_by("media_quota", "olga")
        assert not AuditEvent.objects.exists()
        assert not Quota.objects.filter(owner=owner).exists()

    def test_without_a_name_whoever_stores_most_is_first(
        self, media: MediaFile, stranger: Any
    ) -> None:
        Quota.objects.create(owner=stranger, bytes_used=GIB)
        lines = said_by("media_quota").splitlines()
        names = [name for line in lines for name in ("olga", stranger.username) if name in line]
        assert names == [stranger.username, "olga"]

    @pytest.mark.parametrize(
        "arguments",
        [("olga", "--space", "x"), ("olga", "--files", "-1"), ("nobody",), ("--space", "2G")],
    )
    def test_what_cannot_be_is_refused(self, owner: Any, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError):
            said_by("media_quota", *arguments)
        assert not Quota.objects.exists()


class TestRole:
    def test_is_given_and_taken_and_written_down(self, stranger: Any) -> None:
        name = stranger.username
        assert "has the role" in said_by("media_role", name, "--give", "Media managers")
        assert "already" in said_by("media_role", name, "--give", "Media managers")
        again = type(stranger).objects.get(pk=stranger.pk)
        assert holds(again, Action.EDIT)
        assert "any more" in said_by("media_role", name, "--take", "Media managers")
        assert not holds(type(stranger).objects.get(pk=stranger.pk), Action.EDIT)
        acts = AuditEvent.objects.filter(act="role").order_by("pk")
        assert [event.details["given"] for event in acts] == [True, False]

    def test_the_list_says_who_may_what(self, stranger: Any) -> None:
        stranger.groups.add(Group.objects.get(name="Media moderators"))
        shown = said_by("media_role")
        assert "Media managers" in shown
        assert stranger.username in shown

    def test_other_groups_are_no_roles(self, stranger: Any) -> None:
        Group.objects.create(name="Rowing club")
        with pytest.raises(CommandError, match="Media managers"):
            said_by("media_role", stranger.username, "--give", "Rowing club")
        assert not stranger.groups.exists()
        assert "Rowing club" not in [role.name for role in selectors.list_roles()]

    @pytest.mark.parametrize("arguments", [("olga",), ("--give", "Media managers")])
    def test_half_a_sentence(self, owner: Any, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError, match="Say a NAME"):
            said_by("media_role", *arguments)


class TestRotateKeys:
    def test_afterwards_the_old_key_is_not_needed(self, owner: Any, settings: Any) -> None:
        hook, old = hook_of(owner), settings.SECRET_KEY
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [old]
        assert said_by("media_rotate_keys").startswith("1 webhooks")
        settings.SECRET_KEY_FALLBACKS = []
        hook.refresh_from_db()
        assert reveal(hook.secret, purpose=SECRETS) == SECRET

    def test_without_it_the_old_key_is_needed(self, owner: Any, settings: Any) -> None:
        hook = hook_of(owner)
        settings.SECRET_KEY = "n" * 50
        with pytest.raises(UnreadableSecretError):
            reveal(hook.secret, purpose=SECRETS)

    def test_an_old_secret_that_signs_no_more_is_dropped(self, owner: Any) -> None:
        hook = hook_of(owner, old_secret="under a key that is gone", old_secret_until=LONG_AGO)
        assert said_by("media_rotate_keys").startswith("1 webhooks")
        hook.refresh_from_db()
        assert hook.old_secret == ""
        assert reveal(hook.secret, purpose=SECRETS) == SECRET

    def test_who_is_lost_is_named_and_the_others_renewed(self, owner: Any, settings: Any) -> None:
        lost, kept = hook_of(owner), hook_of(owner)
        Webhook.objects.filter(pk=lost.pk).update(secret="nothing")
        with pytest.raises(CommandError, match=str(lost.pk)):
            said_by("media_rotate_keys")
        assert Webhook.objects.get(pk=kept.pk).secret != kept.secret
