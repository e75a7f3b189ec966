"""Says which real parts the tests will meet, and what is left out without the others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from apps.media.processing.installed import find_ffmpeg, find_soffice
from config.env import Environment
from launch.broker import find_program
from launch.errors import LaunchError
from launch.nginx import nginx_program
from launch.session import read_settings

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Part:
    """One real part: what is used for it, or what is missing without it."""

    name: str
    found: bool
    remark: str


def scheme(url: str) -> str:
    """Return what a URL names, without the credentials that it may carry."""
    return url.partition(":")[0]


def find_database(environment: Environment) -> Part:
    """Return the database: SQLite unless DATABASE_URL names another."""
    engine = str(environment.database["ENGINE"]).rpartition(".")[2]
    real = engine != "sqlite3"
    remark = engine if real else "SQLite; tests that need PostgreSQL are skipped (DATABASE_URL)"
    return Part("database", real, remark)


def find_broker(environment: Environment) -> Part:
    """Return the broker: CELERY_BROKER_URL, else the program that a test starts for itself."""
    if environment.broker_url:
        return Part("broker", True, scheme(environment.broker_url))
    try:
        return Part("broker", True, f"embedded {find_program().name}")
    except LaunchError as error:
        return Part("broker", False, str(error))


def find_storage(environment: Environment) -> Part:
    """Return the storage: local files unless MEDIA_STORAGE_URL names another."""
    return Part("storage", True, scheme(environment.media_storage_url))


def find_browser() -> Part:
    """Return the browser that drives the pages."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    return Part("browser", bool(found), found or "no Chromium; tests of the pages are skipped")


def find_proxy() -> Part:
    """Return the proxy that tests of its configuration start for themselves."""
    found = nginx_program()
    return Part("nginx", bool(found), found or "no nginx; its configuration is not tested")


def find_film_maker(environment: Environment) -> Part:
    """Return the program that encodes films: FFMPEG_BINARY, else the wheel's."""
    found = environment.ffmpeg or find_ffmpeg()
    return Part("ffmpeg", bool(found), Path(found).name if found else "no films are encoded")


def find_office(environment: Environment) -> Part:
    """Return the program that reads office documents."""
    found = environment.soffice or find_soffice()
    return Part("office", bool(found), found or "no LibreOffice; such documents get no preview")


def find_scanner(environment: Environment) -> Part:
    """Return the malware scanner's daemon, which tests start for themselves."""
    if environment.clamd_url:
        return Part("clamd", True, scheme(environment.clamd_url))
    found = shutil.which("clamd")
    return Part("clamd", bool(found), found or "no clamd; the embedded scanner is tested alone")


def find_parts(environment: Environment) -> Iterator[Part]:
    """Yield every part that the tests can use."""
    yield find_database(environment)
    yield find_broker(environment)
    yield find_storage(environment)
    yield find_browser()
    yield find_proxy()
    yield find_film_maker(environment)
    yield find_office(environment)
    yield find_scanner(environment)


def main(arguments: list[str]) -> int:
    """Print the table; always returns 0, since a missing part only skips tests."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("part", "real", "what is used"):
        table.add_column(heading)
    for part in find_parts(read_settings()):
        table.add_row(part.name, "yes" if part.found else "no", part.remark)
    Console().print(table)
    return 0
