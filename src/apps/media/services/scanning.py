"""Looks for malware, beside all other work; only publication waits for it."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from apps.media.clamd import ClamdScanner, NotScannedError
from apps.media.conf import options
from apps.media.exceptions import MalwareFoundError
from apps.media.models import Job, MediaFile, MediaVersion, Status
from apps.media.processing import sandbox
from apps.media.processing.findings import Finding
from apps.media.services.allowances import long_limits
from apps.media.services.facts import version_of
from apps.media.services.jobs import Claim, Work, enqueue_job, ensure_job
from apps.media.services.publication import conclude, quarantine
from apps.media.services.workplaces import private_copy
from apps.media.storage import store_of

BACKGROUND = -10  # priority of what nobody waits for
SECONDS_PER_GIB = 600


def scan(claim: Claim) -> None:
    """Have the version scanned: clean, or into quarantine. The scanner away: the job waits."""
    version = version_of(claim)
    finding = _look(version, claim)
    with claim.saving() as media:
        claim.finish()
        if finding.clean and version.is_held_by_hand:
            return  # until those who hold it let it out
        _save(version, finding)
        if not finding.clean:
            quarantine(media, version, MalwareFoundError(version.signature))
        elif media.version == version.number:
            _release(media)
            conclude(media)


def rescan_media(*, media: Iterable[MediaFile]) -> int:
    """Have files scanned again, when nothing else is to be done; return of how many a scan was not
    to come anyway."""
    work = Work(Job.Kind.SCAN, needed=False, priority=BACKGROUND)
    return sum(ensure_job(media=one, version=one.version, work=work)[1] for one in media)


def _look(version: MediaVersion, claim: Claim) -> Finding:
    if options().clamd_url:
        try:
            return _ask_daemon(version, claim)
        except NotScannedError:
            pass  # too large for it: the embedded scanner has no such limit
    with private_copy(version, claim) as (source, _):
        limits = long_limits(version.size / 1024**3 * SECONDS_PER_GIB / 60)
        return sandbox.run_scan(source, limits, on_idle=claim.keep)


def _ask_daemon(version: MediaVersion, claim: Claim) -> Finding:
    with store_of(version.storage).open_object(version.key) as file:
        return ClamdScanner(options().clamd_url).scan_stream(file, on_chunk=claim.keep)


def _save(version: MediaVersion, finding: Finding) -> None:
    states = MediaVersion.Scan
    version.scan = states.CLEAN if finding.clean else states.INFECTED
    version.scanner, version.signature = finding.scanner, finding.signature
    version.scanned_at = timezone.now()
    version.save(update_fields=["scan", "scanner", "signature", "scanned_at"])


def _release(media: MediaFile) -> None:
    """What was in quarantine and is found clean by newer rules goes on where it was stopped."""
    if media.status != Status.QUARANTINED:
        return
    media.status, media.progress = Status.PENDING, 0
    media.failure_code = media.failure_message = ""
    media.save(
        update_fields=["status", "progress", "failure_code", "failure_message", "updated_at"]
    )
    enqueue_job(media=media, version=media.version, work=Work(Job.Kind.INSPECT))
