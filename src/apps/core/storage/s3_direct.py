"""Objects that clients send to a bucket themselves, in requests that we signed."""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import ClientError

from apps.core.errors import ObjectMissingError
from apps.core.storage.direct import check_parts
from apps.core.storage.growing import PartRules, SignedPart, State, StoredPart
from apps.core.storage.s3_client import is_gone, is_misfit, s3_errors
from apps.core.storage.s3_multipart import (
    LARGEST_PART,
    MOST_PARTS,
    SMALLEST_PART,
    Multipart,
    bare,
)
from apps.core.storage.s3_transfer import CONTENT_TYPE, Destination

RULES = PartRules(smallest=SMALLEST_PART, largest=LARGEST_PART, most=MOST_PARTS)
_HEADERS = {"Content-Type": CONTENT_TYPE}
_SINGLE = "single"


def begin(to: Destination, *, single: bool) -> State:
    if single:
        return {_SINGLE: True}
    with s3_errors(to.key):
        return {"upload_id": Multipart.start(to, origin=_origin(to)).id}


def sign(to: Destination, *, state: State, number: int, size: int, expires_in: int) -> SignedPart:
    """The length is signed, so that no other number of bytes is accepted."""
    if state.get(_SINGLE):
        operation, request = "put_object", {**to.target, "ContentType": CONTENT_TYPE}
    else:
        upload = Multipart(to, state["upload_id"])
        operation, request = "upload_part", {**upload.target, "PartNumber": number}
    url = to.client.generate_presigned_url(
        operation, Params={**request, "ContentLength": size}, ExpiresIn=expires_in
    )
    return SignedPart(number, url, dict(_HEADERS))


def list_parts(to: Destination, *, state: State) -> list[StoredPart]:
    with s3_errors(to.key):
        if not state.get(_SINGLE):
            return list(Multipart(to, state["upload_id"]).parts())
        try:
            return [_whole(to)]
        except ClientError as error:
            if is_gone(error):
                return []
            raise


def complete(to: Destination, *, state: State, parts: Sequence[StoredPart]) -> None:
    if state.get(_SINGLE):
        check_parts(parts, found=list_parts(to, state=state))
        return
    try:
        _join(to, Multipart(to, state["upload_id"]), parts)
    except (FileExistsError, ObjectMissingError):
        if not to.holds(_origin(to), size=sum(part.size for part in parts)):
            raise


def _join(to: Destination, upload: Multipart, parts: Sequence[StoredPart]) -> None:
    with s3_errors(to.key):
        # The store's own entity tags are completed: whatever was replaced since is refused.
        found = check_parts(parts, found=upload.parts())
        try:
            upload.complete(found)
        except ClientError as error:
            if is_misfit(error):
                raise ValueError(f"The parts make no object: {to.key}") from error
            raise


def _whole(to: Destination) -> StoredPart:
    head = to.client.head_object(**to.target)
    return StoredPart(1, head["ContentLength"], bare(head["ETag"]))


def _origin(to: Destination) -> str:
    return f"direct:{to.key}"
