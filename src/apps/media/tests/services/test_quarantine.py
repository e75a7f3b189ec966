"""What reviewers hold nobody else gets, in any version; what they let out goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.base import ContentFile

from apps.media import selectors, services
from apps.media.exceptions import NotVisibleError, WrongStateError
from apps.media.models import AuditEvent, MediaFile, MediaVersion

pytestmark = pytest.mark.django_db
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}" + rb"$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture
def media(upload: Callable[..., MediaFile], run_jobs: Any) -> MediaFile:
    """A public file that is ready."""
    made = upload(b"words\n", "a.txt", visibility="public")
    run_jobs()
    return made


@pytest.fixture
def replaced(media: MediaFile, owner: Any) -> MediaFile:
    """The same with a new version, which is still looked at."""
    return _replace(media, b"other words\n")


def _replace(media: MediaFile, data: bytes) -> MediaFile:
    file = ContentFile(data, name="b.txt")
    return services.replace_media(user=media.owner, media=media, file=file)


def _expect_nobody_gets(media: MediaFile) -> None:
    with pytest.raises(NotVisibleError):
        selectors.get_readable_media(user=AnonymousUser(), media_id=media.pk)
    media.refresh_from_db()
    assert (media.status, media.usable, media.published_version) == ("quarantined", False, None)


def _scans(media: MediaFile) -> list[str]:
    return list(media.versions.order_by("number").values_list("scan", flat=True))


def test_what_others_get_is_held_while_a_new_version_is_looked_at(
    replaced: MediaFile, staff: Any, run_jobs: Any, heard: list[tuple[str, dict[str, Any]]]
) -> None:
    heard.clear()
    services.hold_media(user=staff, media=replaced)
    run_jobs()
    _expect_nobody_gets(replaced)
    assert _scans(replaced) == ["infected", "infected"]
    assert AuditEvent.objects.filter(act=AuditEvent.Act.HELD).count() == 1
    with pytest.raises(WrongStateError):
        services.hold_media(user=staff, media=replaced)


def test_what_others_get_is_held_after_malware_in_the_new_version(
    media: MediaFile, staff: Any, run_jobs: Any
) -> None:
    _replace(media, EICAR)
    run_jobs()
    assert selectors.get_readable_media(user=AnonymousUser(), media_id=media.pk).version == 1
    assert MediaFile.objects.get().status == "quarantined"
    services.hold_media(user=staff, media=media)
    _expect_nobody_gets(media)
    assert media.current.signature  # of the scanner, as before
    assert media.current.scanner != MediaVersion.BY_HAND


def test_what_was_held_together_is_let_out_together(
    replaced: MediaFile, owner: Any, staff: Any, run_jobs: Any
) -> None:
    services.hold_media(user=staff, media=replaced)
    services.release_quarantined(user=staff, ids=[replaced.pk], reason="It is ours.")
    run_jobs()
    replaced.refresh_from_db()
    assert (replaced.status, replaced.published_version) == ("ready", 2)
    services.restore_version(user=owner, media=replaced, number=1)
    assert MediaFile.objects.get().status == "pending"  # nothing of it is left but its bytes
    run_jobs()
    replaced.refresh_from_db()
    assert (replaced.status, replaced.published_version) == ("ready", 1)
    assert _scans(replaced) == ["clean", "clean"]


def test_what_was_held_before_stays_so(
    media: MediaFile, owner: Any, staff: Any, run_jobs: Any
) -> None:
    services.hold_media(user=staff, media=media)
    _replace(media, b"other words\n")
    run_jobs()
    services.hold_media(user=staff, media=media)
    services.release_quarantined(user=staff, ids=[media.pk], reason="The new one is ours.")
    assert _scans(media) == ["infected", "clean"]


def test_what_is_gone_is_not_held(media: MediaFile, owner: Any, staff: Any) -> None:
    found = MediaFile.objects.get()
    services.delete_media(user=owner, media=media, permanent=True)
    with pytest.raises(NotVisibleError):
        services.hold_media(user=staff, media=found)
    assert not AuditEvent.objects.filter(act=AuditEvent.Act.HELD).exists()
