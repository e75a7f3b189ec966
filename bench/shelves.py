"""The files of `library`: a hundred thousand rows with pictures. Imported once Django is set up."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection
from PIL import Image

from apps.media.processing.swatches import SWATCHES
from apps.media.storage import current_alias, rendition_key, store_of

SHAPES = [(320, 213), (320, 240), (240, 320), (320, 180), (213, 320), (320, 320), (320, 142)]
COLORS = (
    "c0392b e67e22 e7c93b 3d9a50 2aa8a1 3569d4 7d4bc6 e86fa8 835b3c 202124 8f949c f2f2f2"
).split()

# Seven years, more of them lately.
MOMENT = "(1760000000000 - (220000000000 * (1 - (g::float8 / {rows}) ^ 0.7))::bigint)"
ID = f"(lpad(to_hex({MOMENT}), 12, '0') || '7000' || '8000' || lpad(to_hex(g), 12, '0'))::uuid"
FILES = """
INSERT INTO media_mediafile (id, owner_id, title, caption, alt_text, visibility, focal_x, focal_y,
  original_name, media_type, mime_type, size, sha256, placeholder, color, version, status,
  failure_code, failure_message, progress, search_text, created_at, updated_at, deleted_at,
  usable, share_location, likeness, owner_text, latest_version, width, height, swatch)
SELECT {id}, {me}, '', '', '', CASE WHEN g % 50 = 7 THEN 'public' ELSE 'private' END, 0.5, 0.5,
  name, kind, 'image/jpeg', 50000 + g * 7919 % 9000000, '', '',
  '#' || ({colors})[1 + g * 31 % 12], 1, 'ready', '', '', 100, name, now(), now(), NULL,
  true, false, '', '', 1, ({widths})[1 + g * 13 % 7] * 10, ({heights})[1 + g * 13 % 7] * 10,
  ({swatches})[1 + g * 31 % 12]
FROM (SELECT g, (ARRAY['beach', 'forest', 'harbour', 'street', 'garden'])[1 + g * 17 % 5]
    || CASE WHEN g % 5000 = 77 THEN ' zanzibar ' ELSE ' ' END || lpad(g::text, 6, '0') AS name,
  CASE WHEN g % 10 = 7 THEN 'video' ELSE 'image' END AS kind
  FROM generate_series(1, {rows}) AS g) AS rows
"""
VERSIONS = """
INSERT INTO media_mediaversion (media_id, number, storage, key, original_name, mime_type, size,
  sha256, width, height, metadata, text, placeholder, color, likeness, scan, scanner, signature,
  complete, failure_code, failure_message, created_at)
SELECT id, 1, '{alias}', 'original/' || id, original_name, mime_type, size, '', width, height,
  '{{}}', '', '', color, '', 'clean', '', '', true, '', '', created_at FROM media_mediafile
"""
RENDITIONS = """
INSERT INTO media_rendition (media_id, version, name, state, fingerprint, storage, key, next_key,
  mime_type, width, height, size, details, created_at, updated_at)
SELECT {id}, 1, 'w320.jpg', 'ready', '', '{alias}', ({keys})[1 + {at}],
  '', 'image/jpeg', ({widths})[1 + g * 13 % 7], ({heights})[1 + g * 13 % 7],
  ({sizes})[1 + {at}], '{{}}', now(),
  now()
FROM generate_series(1, {rows}) AS g
"""


def fill(rows: int) -> str:
    """One person with `rows` files; returns the key of their session."""
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user(username="reader")
    pictures = _pictures()
    values: dict[str, Any] = {
        "me": user.pk,
        "rows": rows,
        "alias": current_alias(),
        "colors": _array(COLORS),
        "swatches": _array(SWATCHES_OF),
        "widths": _array([width for width, _ in SHAPES]),
        "heights": _array([height for _, height in SHAPES]),
        "keys": _array([key for key, _ in pictures]),
        "sizes": _array([size for _, size in pictures]),
        "at": "g * 13 % 7 + 7 * (g * 31 % 12)",
    }
    values["id"] = ID.format(**values)
    with connection.cursor() as cursor:
        for statement in (FILES, VERSIONS, RENDITIONS):
            cursor.execute(statement.format(**values))
        cursor.execute("VACUUM ANALYZE")
    return _sign_in(user)


SWATCHES_OF = "red orange yellow green teal blue purple pink brown black grey white".split()
assert set(SWATCHES_OF) == set(SWATCHES)


def _array(values: list[Any]) -> str:
    return f"ARRAY[{', '.join(repr(value) for value in values)}]"


def _pictures() -> list[tuple[str, int]]:
    """One small object for each colour and shape, which all rows share: keys and sizes."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.jpg"
        for color in COLORS:
            for shape in SHAPES:
                Image.new("RGB", shape, f"#{color}").save(path, quality=60)
                made.append((rendition_key("jpg"), path.stat().st_size))
                store_of(current_alias()).put_file(made[-1][0], path)
    return made


def _sign_in(user: Any) -> str:
    session = SessionStore(session_key=secrets.token_hex(16))
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
