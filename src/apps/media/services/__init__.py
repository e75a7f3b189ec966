"""What may be done with media: the writing half of the app's public Python face.

Services write, selectors read. All arguments are by keyword. A service that refuses leaves no
trace: no row, no object, no job, no signal.
"""

from apps.media.services.bulk import (
    Choice,
    batches_of,
    count_background_jobs,
    count_chosen,
    reprocess_many,
    rescan_many,
)
from apps.media.services.captions import add_caption, remove_caption
from apps.media.services.deletion import (
    bury_tombstones,
    delete_media,
    empty_trash,
    expire_uploads,
    restore_media,
)
from apps.media.services.demand import find_or_request_rendition
from apps.media.services.editing import rename_tag, update_media
from apps.media.services.jobs import cancel_job, retry_job, sweep_jobs
from apps.media.services.pipeline import run_job
from apps.media.services.quotas import limit_quota
from apps.media.services.receiving import receive_upload
from apps.media.services.rendering import request_rendition
from apps.media.services.reprocessing import reprocess_media
from apps.media.services.scanning import rescan_media
from apps.media.services.uploads import import_media_from_path, upload_media

__all__ = [
    "Choice",
    "add_caption",
    "batches_of",
    "bury_tombstones",
    "cancel_job",
    "count_background_jobs",
    "count_chosen",
    "delete_media",
    "empty_trash",
    "expire_uploads",
    "find_or_request_rendition",
    "import_media_from_path",
    "limit_quota",
    "receive_upload",
    "remove_caption",
    "rename_tag",
    "reprocess_many",
    "reprocess_media",
    "request_rendition",
    "rescan_many",
    "rescan_media",
    "restore_media",
    "retry_job",
    "run_job",
    "sweep_jobs",
    "update_media",
    "upload_media",
]
