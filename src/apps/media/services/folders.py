"""A file of the server, taken once: what its owner has already is not taken again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from apps.media import selectors
from apps.media.policies import Visitor
from apps.media.services.inspection import judge_unread
from apps.media.services.uploads import import_media_from_path


def import_path_once(*, user: Visitor, path: Path, dry_run: bool = False, **fields: Any) -> bool:
    """Copy the file at `path` into `user`'s library unless its bytes are there; return whether.

    `fields` are those of `upload_media`. With `dry_run` it is only looked at: what its size and
    first bytes tell is refused all the same. Raises as `import_media_from_path` does.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if selectors.has_content(user=user, sha256=digest):
        return False
    if dry_run:
        with path.open("rb") as file:
            judge_unread(file, name=path.name, size=path.stat().st_size)
    else:
        import_media_from_path(user=user, path=path, sha256=digest, **fields)
    return True
