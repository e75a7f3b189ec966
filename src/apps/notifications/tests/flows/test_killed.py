"""Killed between a commit and what follows it, and in the middle of a mail: real processes, a real
server for mails."""

from __future__ import annotations

import email
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from apps.core.tests.storages import free_port
from apps.media.tests.flows.servers import TRANSFER, Site, running_site
from apps.media.tests.flows.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


class Postman:
    """Takes mails. While `holds` names a step, nobody hears its answer; `reached` says that one
    waits for it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.taken: list[str] = []  # the ids of what this server has taken upon itself
        self.holds = ""
        self.reached = threading.Event()

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self._answer("RCPT")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(email.message_from_bytes(envelope.content)["Message-ID"])
        return self._answer("DATA")

    def _answer(self, step: str) -> str:
        if step != self.holds:
            return "250 OK"
        self.reached.set()
        return ""


class SilentController(Controller):
    """Says nothing where the postman says nothing."""

    def factory(self) -> Any:
        server = super().factory()
        push = server.push

        async def maybe_push(status: Any) -> None:
            if status:
                await push(status)

        server.push = maybe_push
        return server


@pytest.fixture(scope="module")
def postman() -> Iterator[Postman]:
    postman = Postman()
    controller = SilentController(postman, hostname="127.0.0.1", port=postman.port)
    controller.start()
    yield postman
    controller.stop()


@pytest.fixture(scope="module")
def site(postman: Postman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(
        tmp_path_factory.mktemp("killed"),
        programs=("broker", "web", TRANSFER, "beat"),
        change=lambda env: {**env, "EMAIL_URL": f"smtp://127.0.0.1:{postman.port}"},
        observer="apps.notifications.tests.flows.observer",
    ) as site:
        yield site


def test_killed_right_after_the_commit_the_sweep_tells(site: Site) -> None:
    who = site.observer.ask("people")
    site.new_observer().ask_to_death("post_and_die", who["author"])
    eventually(lambda: site.observer.ask("told", who["reader"]) == ["post"], within=60)
    site.new_observer().ask_to_death("invite_and_die", who["author"], who["reader"])
    eventually(lambda: site.observer.ask("told", who["reader"]) == ["post", "invited"], within=60)


@pytest.mark.parametrize(
    ("step", "state", "taken"),
    [
        ("RCPT", "sent", 1),  # the server has not got it: it is sent, once
        ("DATA", "unknown", 1),  # it has, but nobody has heard so: it is not sent again
    ],
)
def test_a_worker_killed_in_the_middle_of_a_mail_loses_none_and_sends_none_twice(
    step: str, state: str, taken: int, site: Site, postman: Postman
) -> None:
    postman.taken.clear()
    postman.reached.clear()
    postman.holds = step
    mail = site.observer.ask("write_mail")
    assert postman.reached.wait(60)
    assert site.observer.ask("mail_state", mail) == "waiting"
    site.kill_family(TRANSFER)
    postman.holds = ""
    assert site.observer.ask("let_lease_end") == 1
    site.start(TRANSFER)
    eventually(lambda: site.observer.ask("mail_state", mail) == state, within=90)
    assert len(postman.taken) == taken
    assert mail in postman.taken[0]
