"""nginx in front of a site, by the configuration that the project ships."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from apps.media.tests.flows.waiting import eventually
from launch.nginx import nginx_program
from launch.place import ROOT
from launch.readiness import free_port

SHIPPED = ROOT / "deploy/nginx/media.conf"
STOP_SECONDS = 10
CACHE = """
proxy_cache_path FOLDER/shared keys_zone=shared:1m;
server {
    listen 127.0.0.1:PORT;
    location / {
        proxy_pass BEHIND;
        proxy_set_header Host $http_host;
        proxy_cache shared;
        proxy_cache_key $request_uri;
        add_header X-Cache $upstream_cache_status always;
    }
}
"""


@contextmanager
def running_nginx(
    folder: Path,
    *,
    application: str,
    bodies: Path,
    files: Path | None = None,
    changes: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Its address, for the length of the block.

    `application` is the host and port of gunicorn; `bodies` is where nginx receives what it
    receives itself, `files` where it finds what it sends. Everything else it writes stays in
    `folder`. `changes` replace what is shipped.
    """
    port = free_port()
    filled = {
        "server 127.0.0.1:8000;": f"server {application};",
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "/var/lib/media-app/bodies": str(bodies),
        "/var/lib/media-app/media": str(files or folder / "none"),
        "/var/lib/media-app/cache": str(folder / "cache"),
        **(changes or {}),
    }
    write_configuration(folder, filled)
    with _running(folder, port):
        yield f"http://127.0.0.1:{port}"


def write_configuration(folder: Path, changes: Mapping[str, str]) -> None:
    """What is shipped, with `changes`, as `nginx.conf` and `media.conf` in `folder`."""
    (folder / "media.conf").write_text(_changed(SHIPPED.read_text(), changes))
    (folder / "nginx.conf").write_text(_around(folder))


@contextmanager
def running_cache(folder: Path, *, behind: str) -> Iterator[str]:
    """The address of a cache that everybody shares, in front of the address `behind`.

    It keeps whatever HTTP lets it keep, as a company's proxy or a CDN would.
    """
    port = free_port()
    filled = {"FOLDER": str(folder), "PORT": str(port), "BEHIND": behind}
    text = CACHE
    for mark, value in filled.items():
        text = text.replace(mark, value)
    (folder / "media.conf").write_text(text)
    (folder / "nginx.conf").write_text(_around(folder))
    with _running(folder, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(folder: Path, port: int) -> Iterator[None]:
    """nginx with what stands in `media.conf`, until the end of the block."""
    program = nginx_program()
    assert program is not None
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "errors.log"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        eventually(lambda: _answers(port) or process.poll() is not None)
        assert process.poll() is None, (folder / "errors.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _changed(text: str, changes: Mapping[str, str]) -> str:
    """Only what the file itself marks as the operator's is changed."""
    for shipped, ours in changes.items():
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, ours)
    return text


def _around(folder: Path) -> str:
    places = "\n".join(
        f"    {name}_temp_path {folder / name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
daemon off;
{_same_user()}
worker_processes 1;
pid {folder / "nginx.pid"};
error_log {folder / "errors.log"} info;
events {{ worker_connections 1024; }}
http {{
    access_log off;
{places}
    include {folder / "media.conf"};
}}
"""


def _same_user() -> str:
    """Started by root, nginx would become another user; started by others it cannot."""
    if os.geteuid() != 0:
        return ""
    return f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(0).gr_name};"


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
