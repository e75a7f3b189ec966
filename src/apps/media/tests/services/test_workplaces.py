"""What is handed to a child: a decoder that was taken over changes no stored object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from apps.core.storage import Capability, ObjectStore
from apps.media.exceptions import ProcessingCrashedError
from apps.media.models import Job, MediaFile
from apps.media.processing import sandbox
from apps.media.processing.types import MIB, Limits, Plan
from apps.media.services import jobs
from apps.media.services.jobs import Claim
from apps.media.services.workplaces import lend, private_copy
from apps.media.tests import samples

LIMITS = Limits(wall_seconds=20, cpu_seconds=2, memory_bytes=512 * MIB, output_bytes=4 * MIB)
MISDEEDS = ("overwrite", "empty", "remove", "rename", "remount", "nest")
HOSTILE = "apps.media.tests.processing.hostile"
GUARDED = (HOSTILE, f"{HOSTILE}_unmounted")
UNGUARDED = f"{HOSTILE}_unguarded"


@pytest.fixture
def claim(upload: Callable[..., MediaFile]) -> Claim:
    media = upload(samples.photo_jpeg(64, 48), "photo.jpg")
    claim = jobs._take(Job.objects.get(media=media, kind="inspect"))
    assert claim is not None
    return claim


@pytest.fixture
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A fork server whose engines misbehave on demand."""
    server = sandbox._Server(request.param)
    monkeypatch.setattr(sandbox, "_server", server)
    yield request.param
    server.stop()


def _stored(store: ObjectStore, claim: Claim) -> bytes:
    version = claim.job.media.current
    return b"".join(store.read_range(version.key, 0, version.size))


def _misbehave(source: Path, out_dir: Path) -> list[str]:
    """What a probe and a rendering could do; none of them ends well for itself."""
    done = []
    for misdeed in MISDEEDS:
        try:
            plan = Plan(out_dir, ())
            sandbox.run_render(source, f"test/{misdeed}", plan=plan, limits=LIMITS)
            done.append(misdeed)
        except ProcessingCrashedError:
            pass
        with pytest.raises(ProcessingCrashedError):
            sandbox.run_probe(source, f"test/{misdeed}", LIMITS)
    return done


@pytest.mark.parametrize("server", GUARDED, indirect=True)
def test_a_source_is_not_the_childs_to_change(
    server: str, claim: Claim, own_storage: ObjectStore
) -> None:
    if not sandbox.protects_sources():
        pytest.skip("the kernel has neither user namespaces nor Landlock here")
    before = _stored(own_storage, claim)
    with private_copy(claim.job.media.current, claim) as (source, out_dir):
        if Capability.LOCAL in own_storage.capabilities:
            assert source.stat().st_nlink == 2  # the stored object itself: nothing was copied
        assert _misbehave(source, out_dir) == []
        assert source.read_bytes() == before
    assert _stored(own_storage, claim) == before


@pytest.mark.parametrize("server", GUARDED, indirect=True)
def test_nor_is_another_object(
    server: str, claim: Claim, tmp_path: Path, own_storage: ObjectStore
) -> None:
    if not sandbox.protects_sources():
        pytest.skip("the kernel has neither user namespaces nor Landlock here")
    another, out_dir = tmp_path / "another", tmp_path / "out"
    another.write_bytes(b"of somebody else")
    out_dir.mkdir()
    assert _misbehave(another, out_dir) == []
    assert another.read_bytes() == b"of somebody else"


@pytest.mark.parametrize("server", [UNGUARDED], indirect=True)
def test_where_nothing_protects_it_the_child_gets_a_copy(
    server: str, claim: Claim, own_storage: ObjectStore, tmp_path: Path
) -> None:
    assert not sandbox.protects_sources()
    before = _stored(own_storage, claim)
    version = claim.job.media.current
    with private_copy(version, claim) as (source, out_dir):
        assert source.read_bytes() == before
        plan = Plan(out_dir, ())
        sandbox.run_render(source, "test/overwrite", plan=plan, limits=LIMITS)
        assert source.read_bytes() != before
    with private_copy(version, claim) as (source, _):
        assert source.read_bytes() == before  # not what the last child made of it
    lent = tmp_path / "track"
    lend(claim, version.storage, version.key, lent)
    assert (lent.read_bytes(), lent.stat().st_nlink) == (before, 1)
    assert _stored(own_storage, claim) == before
