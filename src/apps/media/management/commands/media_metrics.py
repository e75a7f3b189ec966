"""`manage.py media_metrics`: the figures of this machine, where no web server gives them."""

from __future__ import annotations

import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from prometheus_client import start_http_server

from apps.core.metrics import counted, render_metrics
from apps.media.management.longrun import Stopped, stoppable


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Print what the processes of this machine have counted and what the database knows, in "
        "Prometheus' text format; or serve the counts until Ctrl-C, on machines that have workers "
        "and no web server. They are served to everybody who reaches the address."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--serve", metavar="ADDRESS:PORT", help="such as 10.0.0.5:9108")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["serve"]:
            self.stdout.write(render_metrics().decode())
            return
        if not getattr(settings, "METRICS_DIR", ""):
            raise CommandError("Nothing is counted for others before METRICS_TOKEN is set.")
        host, _, port = options["serve"].rpartition(":")
        if not host or not port.isdecimal():
            raise CommandError("--serve wants ADDRESS:PORT.")
        try:
            server, thread = start_http_server(int(port), host.strip("[]"), registry=counted())
        except (OSError, OverflowError) as error:
            raise CommandError(f"Nothing can be served on {options['serve']}: {error}") from error
        self.stdout.write(f"Serving on {options['serve']}. Stop: Ctrl-C")
        try:
            with stoppable():
                threading.Event().wait()
        except Stopped:
            server.shutdown()
            thread.join()
