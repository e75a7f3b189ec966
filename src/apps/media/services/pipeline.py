"""The table of background work: what does which kind of job.

inspect: hash → probe → facts → what has to be made
scan:    clean, or quarantine
render:  pictures, pages, texts, sounds by recipe
stream:  one stretch of the tracks of a film;  join: stretches → tracks;  mux: tracks → MP4
edit:    a picture turned or cut → a new version
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from apps.media.models import Job
from apps.media.services import edits, jobs, muxing, probing, rendering, scanning, streaming
from apps.media.services.jobs import Handler

HANDLERS: Mapping[str, Handler] = {
    Job.Kind.INSPECT: probing.inspect,
    Job.Kind.SCAN: scanning.scan,
    Job.Kind.RENDER: rendering.render,
    Job.Kind.STREAM: streaming.stream,
    Job.Kind.JOIN: streaming.join,
    Job.Kind.MUX: muxing.mux,
    Job.Kind.EDIT: edits.make_edit,
}


def run_job(job_id: uuid.UUID | str) -> bool:
    """Do one job by its id; return whether there was something to do."""
    return jobs.run_job(job_id, handlers=HANDLERS)


def run_next_job(queue: str) -> bool:
    """Do the most urgent job of `queue`; return whether there was one."""
    return jobs.run_next_job(queue, handlers=HANDLERS)
