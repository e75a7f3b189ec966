"""Objects that clients send to Azure themselves: blocks, staged by signed requests.

A signature of Azure covers one blob, a right and a time, but neither a block nor a size. So sizes
are seen in the list of blocks only, and a client could write the whole blob while its signature
holds: what becomes a file is copied to another key and looked at there.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from azure.storage.blob import BlobSasPermissions

from apps.core.storage.azure_client import CONTENT_TYPE, AzureContainer
from apps.core.storage.azure_growing import drop_staged
from apps.core.storage.direct import check_parts
from apps.core.storage.growing import PartRules, SignedPart, State, StoredPart

RULES = PartRules(smallest=1, largest=4000 * 1024**2, most=50_000)
_SINGLE = "single"
_DIGITS = 8

Signer = Callable[..., str]  # (key, permission, expires_in) → URL with a query


def begin(*, single: bool) -> State:
    return {_SINGLE: True} if single else {}


def sign(key: str, *, state: State, number: int, expires_in: int, by: Signer) -> SignedPart:
    permission = BlobSasPermissions(create=True, write=True)
    url = by(key, permission=permission, expires_in=expires_in)
    if state.get(_SINGLE):
        headers = {"Content-Type": CONTENT_TYPE, "x-ms-blob-type": "BlockBlob"}
        return SignedPart(number, url, headers)
    block = base64.b64encode(_block_id(number).encode()).decode()
    query = urlencode({"comp": "block", "blockid": block})
    return SignedPart(number, f"{url}&{query}", {"Content-Type": CONTENT_TYPE})


def list_parts(container: AzureContainer, key: str, *, state: State) -> list[StoredPart]:
    if state.get(_SINGLE):
        found = container.find(key)
        return [] if found is None else [StoredPart(1, found.size, found.etag.strip('"'))]
    blocks = container.blocks(key, committed=False)
    return sorted(
        (StoredPart(int(block.id), block.size) for block in blocks if block.id.isdecimal()),
        key=lambda part: part.number,
    )


def complete(
    container: AzureContainer, key: str, *, state: State, parts: Sequence[StoredPart]
) -> None:
    origin = f"direct:{key}"
    try:
        # Blocks have no entity tags, so those that a client tells say nothing.
        told = parts if state.get(_SINGLE) else [StoredPart(p.number, p.size) for p in parts]
        found = check_parts(told, found=list_parts(container, key, state=state))
    except ValueError:
        if not parts or not container.holds(key, origin, size=sum(p.size for p in parts)):
            raise
    else:
        if not state.get(_SINGLE):
            blocks = [_block_id(part.number) for part in found]
            container.commit(key, blocks, origin=origin, etag=None)


def discard(container: AzureContainer, key: str) -> None:
    drop_staged(container, key)
    container.remove(key)


def _block_id(number: int) -> str:
    return f"{number:0{_DIGITS}d}"
