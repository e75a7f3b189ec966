"""A tus client for tests: one call per request, nothing done by itself."""

from __future__ import annotations

import base64
from typing import Any

from rest_framework.test import APIClient

BASE = "/api/v1/uploads/tus/"
BYTES = "application/offset+octet-stream"
VERSION = {"HTTP_TUS_RESUMABLE": "1.0.0"}
TEXT = b"Hello world"  # eleven bytes, as the protocol's own examples have


def encode(**pairs: str) -> str:
    """`Upload-Metadata`."""
    return ",".join(
        f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in pairs.items()
    )


class TusClient:
    """`version=None` leaves the header out."""

    def __init__(self, api: APIClient) -> None:
        self.api = api

    def request(self, method: str, url: str, data: bytes = b"", **headers: Any) -> Any:
        """Header names as keywords, `Upload_Offset=5`; `Content_Type` stands for itself."""
        type_of_body = headers.pop("Content_Type", BYTES)
        version = headers.pop("version", "1.0.0")
        if version is not None:
            headers["Tus_Resumable"] = version
        meta = {f"HTTP_{name.upper()}": str(value) for name, value in headers.items()}
        return self.api.generic(method, url, data, content_type=type_of_body, **meta)

    def post(self, data: bytes = b"", **headers: Any) -> Any:
        headers.setdefault("Content_Type", BYTES if data else "")
        return self.request("POST", BASE, data, **headers)

    def create(self, length: int = 11, name: str = "hello.txt", **headers: Any) -> str:
        """The address of a new upload."""
        answer = self.post(Upload_Length=length, Upload_Metadata=encode(filename=name), **headers)
        assert answer.status_code == 201, answer.content
        url: str = answer["Location"]
        return url

    def patch(self, url: str, data: bytes, offset: Any = 0, **headers: Any) -> Any:
        if offset is not None:
            headers["Upload_Offset"] = offset
        return self.request("PATCH", url, data, **headers)

    def head(self, url: str, **headers: Any) -> Any:
        return self.request("HEAD", url, **headers)

    def delete(self, url: str, **headers: Any) -> Any:
        return self.request("DELETE", url, **headers)

    def offset(self, url: str) -> int:
        answer = self.head(url)
        assert answer.status_code == 200, answer.status_code
        return int(answer["Upload-Offset"])
