"""The servers of the benchmark of sending: nginx alone, ours behind nginx, and the peers behind it.

Every nginx has one process, and every Django the gunicorn of this project.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import receivers
from receivers import HERE, Server

from apps.media.tests.flows.nginx import running_nginx
from launch.parts import nginx_program
from launch.place import ROOT, Place
from launch.readiness import free_port

PEERS = ROOT / ".venv-bench-delivery/bin"
PREPARE = """
from django.contrib.auth import get_user_model
from django.core.files import File
from django.test import Client
from apps.media import services
from apps.media.models import MediaFile, MediaVersion, Rendition
from apps.media.processing.recipes import THUMBNAIL
from apps.media.services.rendering import fingerprint_for
from apps.media.storage import current_alias, rendition_key, store_of
user = get_user_model().objects.get(username="sender0")
with open({large!r}, "rb") as file:
    media = services.upload_media(user=user, file=File(file, name="large.gz"))
MediaVersion.objects.update(scan="clean")
MediaFile.objects.update(status="ready", usable=True, published_version=1)
key = rendition_key("webp")
with store_of(current_alias()).writer(key) as writer:
    writer.write(open({small!r}, "rb").read())
Rendition.objects.create(
    media=media, version=1, name="thumb.webp", state="ready", storage=current_alias(), key=key,
    size={size}, mime_type="image/webp", fingerprint=fingerprint_for(THUMBNAIL, media),
)
client = Client()
client.force_login(user)
media.refresh_from_db()
print("told", client.cookies["sessionid"].value)
print("told", services.create_signed_url(user=user, media=media, expires_in=86400))
print("told", services.create_signed_url(
    user=user, media=media, rendition="thumb.webp", expires_in=86400))
print("told", f"/media/{{media.pk}}/r/thumb.webp")
print("told", media.current.key)
print("told", key)
"""
AROUND = """
daemon off; {user} worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/errors.log;
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    sendfile on; tcp_nopush on;
    {more}
}}
"""
BARE = "server {{ listen 127.0.0.1:{port}; root {files}; }}"
FRONT = """
    upstream application {{ server 127.0.0.1:{behind}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://application; proxy_http_version 1.1;
            proxy_set_header Connection ""; proxy_set_header Host $http_host;
        }}
        location /protected/ {{ internal; alias {files}/; }}
    }}
"""


@dataclass(frozen=True)
class Told:
    """What the application says of its files: a session, addresses, and where the objects are."""

    session: str
    large: str
    small: str
    plain: str
    large_key: str
    small_key: str


@contextmanager
def nginx(folder: Path, more: str) -> Iterator[None]:
    """nginx with these servers, for the length of the block."""
    folder.mkdir()
    program = nginx_program()
    if program is None:
        raise FileNotFoundError("nginx is missing: it is what others are compared with")
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(AROUND.format(folder=folder, user=user, more=more))
    port = int(more.partition("listen 127.0.0.1:")[2].partition(";")[0])
    command = [program, "-p", str(folder), "-c", str(configuration), "-e", f"{folder}/start.log"]
    with receivers.started(command, port):
        yield


@contextmanager
def bare(folder: Path, files: Path) -> Iterator[int]:
    """The port of nginx alone in front of a directory."""
    port = free_port()
    with nginx(folder, BARE.format(port=port, files=files)):
        yield port


@contextmanager
def ours(folder: Path, large: Path, small: Path) -> Iterator[tuple[int, Told, Path]]:
    """The port of nginx by the shipped configuration, and the directory of the objects."""
    folder.mkdir()
    with receivers.ours(folder / "site", people=1, more={"MEDIA_ACCEL": "nginx"}) as site:
        told = _prepare(site, large, small)
        (folder / "nginx").mkdir()
        with running_nginx(
            folder / "nginx",
            application=f"127.0.0.1:{site.port}",
            bodies=site.kept[1],
            files=site.kept[0],
        ) as address:
            yield int(address.rpartition(":")[2]), told, site.kept[0]


def _prepare(site: Server, large: Path, small: Path) -> Told:
    script = PREPARE.format(large=str(large), small=str(small), size=small.stat().st_size)
    printed = site.manage("shell", "--no-imports", "-c", script)
    return Told(*(line.split()[1] for line in printed.splitlines() if line.startswith("told ")))


@contextmanager
def peers(folder: Path, files: Path) -> Iterator[tuple[int, str]]:
    """The port of nginx in front of the peers, and the key of a session."""
    place, behind, port = Place(folder / "site"), free_port(), free_port()
    place.make()
    environment = {
        **os.environ,
        "PEER_DIR": str(place.data),
        "PEER_FILES": str(files),
        "PORT": str(behind),
        "PYTHONPATH": str(HERE),
    }
    python = str(PEERS / "python")
    made = subprocess.run(
        [python, str(HERE / "peersite.py")],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    command = receivers.gunicorn("peersite:application", place)
    command[0] = python
    command[command.index("--config") + 1] = str(receivers.plain_configuration(folder))
    with (place.log / "web.log").open("wb") as log:
        options = {"env": environment, "cwd": HERE, "stdout": log, "stderr": log}
        with (
            receivers.started(command, behind, **options),
            nginx(folder / "nginx", FRONT.format(port=port, behind=behind, files=files)),
        ):
            yield port, made.stdout.strip()
