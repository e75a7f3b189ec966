"""What may be done with media: the writing half of the app's public Python face.

Services write, selectors read. All arguments are by keyword. A service that refuses leaves no
trace: no row, no object, no job, no signal.
"""

from apps.media.services.adopting import Told, adopt
from apps.media.services.arranging import (
    add_attachments,
    move_attachments,
    remove_attachments,
)
from apps.media.services.attaching import (
    AttachmentItem,
    attach_media,
    detach_media,
    ensure_attachable,
    set_attachments,
)
from apps.media.services.auditing import (
    maybe_note_look,
    maybe_note_looks,
    maybe_note_opening,
)
from apps.media.services.bulk import (
    Choice,
    batches_of,
    count_background_jobs,
    count_chosen,
    reprocess_many,
    rescan_many,
)
from apps.media.services.captions import add_caption, remove_caption
from apps.media.services.checksums import note_checksums
from apps.media.services.cleaning import (
    Rule,
    clean_up,
    cleanup_rules,
    forget_storage,
    tombstones_left,
)
from apps.media.services.collecting import add_items, move_items, remove_items, step_item
from apps.media.services.collections import (
    create_collection,
    delete_collection,
    move_collection,
    update_collection,
)
from apps.media.services.concatenating import concatenate_uploads
from apps.media.services.consistency import Violation, find_inconsistencies
from apps.media.services.deletion import (
    bury_tombstones,
    delete_media,
    empty_trash,
    expire_uploads,
    restore_media,
)
from apps.media.services.deliveries import expire_deliveries, run_delivery, sweep_deliveries
from apps.media.services.demand import find_or_request_rendition
from apps.media.services.direct import (
    ClaimedPart,
    abort_direct_upload,
    begin_direct_upload,
    complete_direct_upload,
    list_direct_parts,
    sign_parts,
)
from apps.media.services.editing import rename_tag, update_media
from apps.media.services.edits import becomes_another_type, edit_picture, is_editable
from apps.media.services.emptying import empty_own_trash, sweep_emptied
from apps.media.services.erasing import (
    erase_user,
    find_open_erasure,
    receipt_of,
    request_erasure,
    run_erasure,
    sweep_erasures,
)
from apps.media.services.explanations import count_explanations
from apps.media.services.exporting import export_user
from apps.media.services.finalizing import finalize_upload
from apps.media.services.folders import import_path_once
from apps.media.services.granting import change_grant, grant_access, revoke_access
from apps.media.services.holding import stop_holding
from apps.media.services.hosts import ensure_hosts_known
from apps.media.services.imports import (
    begin_import,
    import_media_from_url,
    run_import,
    sweep_imports,
)
from apps.media.services.jobs import expire_jobs, sweep_jobs
from apps.media.services.lookalikes import (
    keep_of_lookalikes,
    note_look,
    part_lookalikes,
)
from apps.media.services.moving import (
    KEEP_LEFT_BEHIND,
    Moved,
    OnBytes,
    Place,
    copy_objects,
    count_to_move,
    count_unfinished_elsewhere,
    move_objects,
    place_of,
    unify_names,
)
from apps.media.services.operating import cancel_job, retry_job
from apps.media.services.pipeline import run_job, run_next_job
from apps.media.services.posters import choose_poster
from apps.media.services.quarantine import (
    hold_media,
    release_quarantined,
    remove_quarantined,
    rescan_quarantined,
)
from apps.media.services.quotas import set_quota
from apps.media.services.reasons import explain
from apps.media.services.receiving import receive_upload
from apps.media.services.reconciling import (
    find_left_storages,
    find_storage_violations,
    lacks_all_objects,
    storages_to_reconcile,
    sweep_unfinished,
)
from apps.media.services.releasing import (
    expire_unused,
    keep_media,
    mark_unused,
    release_later,
    release_media,
)
from apps.media.services.relinking import relink
from apps.media.services.rendering import request_rendition
from apps.media.services.replacing import replace_media
from apps.media.services.reprocessing import reprocess_media
from apps.media.services.resumable import (
    Piece,
    append_to_upload,
    begin_upload_with,
    cancel_upload,
    finish_upload,
    finish_whole_uploads,
    look_at_upload,
)
from apps.media.services.roles import give_role, take_role
from apps.media.services.scanning import rescan_media
from apps.media.services.selections import (
    MOST_SELECTED,
    Outcome,
    SharedSelection,
    collect_many,
    delete_many,
    publish_many,
    restore_many,
    restore_trashed,
    share_many,
    tag_many,
    untag_many,
)
from apps.media.services.sessions import Announcement, begin_upload
from apps.media.services.sharing import (
    count_download,
    create_share_link,
    revoke_share_link,
    sweep_ended_shares,
)
from apps.media.services.signing import SignedAddress, create_signed_url, sign_address
from apps.media.services.uploads import import_media_from_path, upload_media
from apps.media.services.verifying import count_to_verify, verify_version, versions_to_verify
from apps.media.services.versions import delete_version, expire_versions, restore_version
from apps.media.services.webhooks import (
    create_webhook,
    delete_webhook,
    ping_webhook,
    renew_webhook_secrets,
    replay_delivery,
    rotate_webhook_secret,
    update_webhook,
)

__all__ = [
    "KEEP_LEFT_BEHIND",
    "MOST_SELECTED",
    "Announcement",
    "AttachmentItem",
    "Choice",
    "ClaimedPart",
    "Moved",
    "OnBytes",
    "Outcome",
    "Piece",
    "Place",
    "Rule",
    "SharedSelection",
    "SignedAddress",
    "Told",
    "Violation",
    "abort_direct_upload",
    "add_attachments",
    "add_caption",
    "add_items",
    "adopt",
    "append_to_upload",
    "attach_media",
    "batches_of",
    "becomes_another_type",
    "begin_direct_upload",
    "begin_import",
    "begin_upload",
    "begin_upload_with",
    "bury_tombstones",
    "cancel_job",
    "cancel_upload",
    "change_grant",
    "choose_poster",
    "clean_up",
    "cleanup_rules",
    "collect_many",
    "complete_direct_upload",
    "concatenate_uploads",
    "copy_objects",
    "count_background_jobs",
    "count_chosen",
    "count_download",
    "count_explanations",
    "count_to_move",
    "count_to_verify",
    "count_unfinished_elsewhere",
    "create_collection",
    "create_share_link",
    "create_signed_url",
    "create_webhook",
    "delete_collection",
    "delete_many",
    "delete_media",
    "delete_version",
    "delete_webhook",
    "detach_media",
    "edit_picture",
    "empty_own_trash",
    "empty_trash",
    "ensure_attachable",
    "ensure_hosts_known",
    "erase_user",
    "expire_deliveries",
    "expire_jobs",
    "expire_unused",
    "expire_uploads",
    "expire_versions",
    "explain",
    "export_user",
    "finalize_upload",
    "find_inconsistencies",
    "find_left_storages",
    "find_open_erasure",
    "find_or_request_rendition",
    "find_storage_violations",
    "finish_upload",
    "finish_whole_uploads",
    "forget_storage",
    "give_role",
    "grant_access",
    "hold_media",
    "import_media_from_path",
    "import_media_from_url",
    "import_path_once",
    "is_editable",
    "keep_media",
    "keep_of_lookalikes",
    "lacks_all_objects",
    "list_direct_parts",
    "look_at_upload",
    "mark_unused",
    "maybe_note_look",
    "maybe_note_looks",
    "maybe_note_opening",
    "move_attachments",
    "move_collection",
    "move_items",
    "move_objects",
    "note_checksums",
    "note_look",
    "part_lookalikes",
    "ping_webhook",
    "place_of",
    "publish_many",
    "receipt_of",
    "receive_upload",
    "release_later",
    "release_media",
    "release_quarantined",
    "relink",
    "remove_attachments",
    "remove_caption",
    "remove_items",
    "remove_quarantined",
    "rename_tag",
    "renew_webhook_secrets",
    "replace_media",
    "replay_delivery",
    "reprocess_many",
    "reprocess_media",
    "request_erasure",
    "request_rendition",
    "rescan_many",
    "rescan_media",
    "rescan_quarantined",
    "restore_many",
    "restore_media",
    "restore_trashed",
    "restore_version",
    "retry_job",
    "revoke_access",
    "revoke_share_link",
    "rotate_webhook_secret",
    "run_delivery",
    "run_erasure",
    "run_import",
    "run_job",
    "run_next_job",
    "set_attachments",
    "set_quota",
    "share_many",
    "sign_address",
    "sign_parts",
    "step_item",
    "stop_holding",
    "storages_to_reconcile",
    "sweep_deliveries",
    "sweep_emptied",
    "sweep_ended_shares",
    "sweep_erasures",
    "sweep_imports",
    "sweep_jobs",
    "sweep_unfinished",
    "tag_many",
    "take_role",
    "tombstones_left",
    "unify_names",
    "untag_many",
    "update_collection",
    "update_media",
    "update_webhook",
    "upload_media",
    "verify_version",
    "versions_to_verify",
]
