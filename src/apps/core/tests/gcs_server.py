"""gcp-storage-emulator with the preconditions that it ignores: `-m … PORT`.

It checks no signatures and no signed lengths; those have unit tests.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from gcp_storage_emulator import server
from gcp_storage_emulator.exceptions import NotFound


def main(port: int) -> None:
    server.HANDLERS = tuple(
        (route, {method: guarded(handler) for method, handler in methods.items()})
        for route, methods in server.HANDLERS
    )
    server.create_server("127.0.0.1", port, in_memory=True, default_bucket=None).run()


def guarded(handler: Callable[..., None]) -> Callable[..., None]:
    def answer(request: Any, response: Any, storage: Any, *args: Any, **kwargs: Any) -> None:
        if meets_preconditions(request, storage):
            handler(request, response, storage, *args, **kwargs)
            return
        response.status = HTTPStatus.PRECONDITION_FAILED
        response.json({"error": {"code": 412, "message": "conditionNotMet"}})

    return answer


def meets_preconditions(request: Any, storage: Any) -> bool:
    if "ifGenerationMatch" not in request.query or "upload_id" in request.query:
        return True  # what a resumable upload demands was checked as it began
    wanted, bucket = request.query["ifGenerationMatch"][0], request.params["bucket_name"]
    if generation_of(storage, bucket, name_of(request)) != wanted:
        return False
    sources = request.data.get("sourceObjects", ()) if isinstance(request.data, dict) else ()
    return all(is_as_described(storage, bucket, source) for source in sources)


def is_as_described(storage: Any, bucket: str, source: dict[str, Any]) -> bool:
    wanted = source.get("objectPreconditions", {}).get("ifGenerationMatch")
    found = generation_of(storage, bucket, source["name"])
    return wanted is None or found in {"0", str(wanted)}  # a missing source is another answer


def name_of(request: Any) -> str:
    if "object_id" in request.params:
        return str(request.params["object_id"])
    if "name" in request.query:
        return str(request.query["name"][0])
    data = request.data
    return str(data.get("meta", data)["name"])


def generation_of(storage: Any, bucket: str, name: str) -> str:
    try:
        return str(storage.get_file_obj(bucket, name)["generation"])
    except NotFound:
        return "0"


if __name__ == "__main__":
    main(int(sys.argv[1]))
