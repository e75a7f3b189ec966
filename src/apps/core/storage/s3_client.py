"""The connection to an S3-compatible server: limits, retries and errors.

Every client has time limits; no error of botocore leaves this package untranslated.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from apps.core.errors import ObjectMissingError, StorageFullError, StorageUnavailableError

_Checksums = Literal["when_supported", "when_required"]

_CONNECT_SECONDS = 3
READ_SECONDS = 30
ATTEMPTS = 4
_CONNECTIONS = 32

_MISSING = frozenset({"404", "NoSuchKey", "NoSuchUpload", "NotFound"})
_MISFIT = frozenset({"EntityTooSmall", "InvalidPart", "InvalidPartOrder"})
_TAKEN = frozenset({"412", "PreconditionFailed"})
_FULL = frozenset({"507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"})


def is_aws(endpoint_url: str | None) -> bool:
    """Whether the endpoint is Amazon's own, the only one sure to know all newer checksums."""
    if not endpoint_url:
        return True
    host = urlsplit(endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def client_config(
    *,
    endpoint_url: str | None,
    addressing_style: str | None,
    read_timeout: int = READ_SECONDS,
    attempts: int = ATTEMPTS,
) -> Config:
    """Time limits (seconds), attempts in all, and checksums for one endpoint."""
    checksums: _Checksums = "when_supported" if is_aws(endpoint_url) else "when_required"
    style: Any = {"addressing_style": addressing_style} if addressing_style else {}
    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=_CONNECTIONS,
        # Version 4 is the only signature that limits how long a presigned URL works.
        signature_version="s3v4",
        s3=style,
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )


@contextlib.contextmanager
def s3_errors(key: str) -> Iterator[None]:
    """Turn what the server (or the way to it) says about `key` into our errors."""
    try:
        yield
    except ParamValidationError:
        raise  # a mistake in our code, not a state of the storage
    except ClientError as error:
        raise _translated(error, key) from error
    except BotoCoreError as error:
        raise StorageUnavailableError(key, type(error).__name__) from error


def _translated(error: ClientError, key: str) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    if code in _MISSING:
        return ObjectMissingError(key)
    if code in _TAKEN:
        return FileExistsError(f"The key is taken: {key}")
    if code in _FULL:
        return StorageFullError(key, code)
    return StorageUnavailableError(key, code)


def is_beyond_end(error: ClientError) -> bool:
    """Whether a ranged read was refused because it starts at or after the end."""
    return error.response.get("Error", {}).get("Code") in {"416", "InvalidRange"}


def is_gone(error: ClientError) -> bool:
    """Whether the server knows no such object or upload."""
    return error.response.get("Error", {}).get("Code") in _MISSING


def is_misfit(error: ClientError) -> bool:
    """Whether the server cannot make an object of the parts that it was told."""
    return error.response.get("Error", {}).get("Code") in _MISFIT
