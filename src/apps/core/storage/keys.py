"""The only place that makes storage keys, and the only function that admits one.

A key is random, ours and immutable. Nothing a client sent (name, type, id) may become part of it.
"""

from __future__ import annotations

import re
import secrets

_ALLOWED = re.compile(r"[a-z0-9/_.-]+")
_LONGEST = 255  # characters; S3 allows 1024, a Linux file name 255
_RANDOM_BYTES = 16  # 128 bits: a collision or a lucky guess is out of reach
_PIECE = ".piece-"
_PIECE_BYTES = 8  # random ones, below a key that is random itself


def new_key(prefix: str, suffix: str = "") -> str:
    """A fresh key `prefix/ab/<32 hex digits>[.suffix]`.

    The 256 folders keep local directories small enough; with more, nearly every object would be the
    first of its folder, which has to be made durable first. `prefix` and `suffix` are words of the
    program ("original", "webp"); anything else raises ValueError.
    """
    if "/" in suffix or suffix.startswith("."):
        raise ValueError(f"Not a suffix: {suffix!r}")
    token = secrets.token_hex(_RANDOM_BYTES)
    name = f"{token}.{suffix}" if suffix else token
    return check_key(f"{prefix}/{token[:2]}/{name}")


def new_piece_key(key: str) -> str:
    """A fresh key for a piece of the object that grows at `key`.

    Its name tells whose it is, so that a piece which no state names any more can be found.
    """
    return check_key(f"{key}{_PIECE}{secrets.token_hex(_PIECE_BYTES)}")


def pieces_of(key: str) -> str:
    """The prefix of all pieces of the object at `key`."""
    return f"{check_key(key)}{_PIECE}"


def whole_of(key: str) -> str:
    """The key of the object that a piece belongs to; of any other object, its own key."""
    return key.partition(_PIECE)[0]


def check_key(key: str) -> str:
    """Return `key` if it may be used as one, else raise ValueError.

    Every method of every store passes its key through here before it touches a disk or a server.
    Whoever widens this rule widens what can be reached on the file system: keep it closed.
    """
    segments = key.split("/")
    if (
        len(key) > _LONGEST
        or not _ALLOWED.fullmatch(key)
        or ".." in key
        or any(segment in {"", "."} for segment in segments)
    ):
        raise ValueError(f"Not a storage key: {key[:_LONGEST]!r}")
    return key


def is_key(name: str) -> bool:
    """Whether `name` may be a key. Other names in the same place are others': folders that a
    provider's console marks by objects, `lost+found`."""
    try:
        check_key(name)
    except ValueError:
        return False
    return True


def check_prefix(prefix: str) -> str:
    """Return `prefix` if it may start a key ("" and a closing slash included), else ValueError."""
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix
