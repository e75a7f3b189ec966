"""What may be done with media: the writing half of the app's public Python face.

Services write, selectors read. All arguments are by keyword. A service that refuses leaves no
trace: no row, no object, no job, no signal.
"""

from apps.media.services.deletion import (
    bury_tombstones,
    delete_media,
    empty_trash,
    expire_uploads,
    restore_media,
)
from apps.media.services.editing import rename_tag, reprocess_media, update_media
from apps.media.services.jobs import sweep_jobs
from apps.media.services.pipeline import run_job
from apps.media.services.quotas import limit_quota
from apps.media.services.receiving import receive_upload
from apps.media.services.uploads import import_media_from_path, upload_media

__all__ = [
    "bury_tombstones",
    "delete_media",
    "empty_trash",
    "expire_uploads",
    "import_media_from_path",
    "limit_quota",
    "receive_upload",
    "rename_tag",
    "reprocess_media",
    "restore_media",
    "run_job",
    "sweep_jobs",
    "update_media",
    "upload_media",
]
