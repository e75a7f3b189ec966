"""A receiver of webhooks on this machine, that says what a test wants and keeps what came."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from apps.core.cipher import conceal
from apps.core.outbound import Reach
from apps.core.tests.outbound.sources import Source, answer, reach_of, serving
from apps.media.models import Webhook
from apps.media.services.webhooks import SECRETS

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """`statuses` are said one after another, the last again and again."""

    source: Source
    statuses: list[str]
    bodies: list[bytes] = field(default_factory=list)

    @property
    def reach(self) -> Reach:
        return reach_of(self.source)

    @property
    def url(self) -> str:
        return self.source.url("/hook", host="hooks.example")

    @property
    def messages(self) -> list[Any]:
        return [json.loads(body) for body in self.bodies]

    def header(self, name: str, request: int = -1) -> str:
        return self.source.header(name, request=request)


@contextmanager
def receiving(*statuses: str) -> Iterator[Receiver]:
    """Listen until the block ends."""
    kept: list[Receiver] = []

    def script(connection: socket.socket, request: bytes) -> None:
        head, _, come = request.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(come) < length and (data := connection.recv(65536)):
            come += data
        receiver = kept[0]
        receiver.bodies.append(come)
        said = receiver.statuses
        status = said.pop(0) if len(said) > 1 else said[0]
        answer(b"secret of the other side", status=status)(connection, request)

    with serving(script) as source:
        kept.append(Receiver(source, list(statuses or ("204 No Content",))))
        yield kept[0]


def hook_of(owner: Any, url: str = "https://hooks.example/", **fields: Any) -> Webhook:
    """A webhook as the service would make it, to any address."""
    fields.setdefault("events", list(Webhook.Event.values))
    return Webhook.objects.create(
        owner=owner, url=url, secret=conceal(SECRET, purpose=SECRETS), **fields
    )
