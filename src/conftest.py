"""Fixtures for every test: people, media, and storage that belongs to one test alone."""

from __future__ import annotations

import gc
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db.models.functions import Now
from django.test import Client
from rest_framework.test import APIClient

from apps.core.rates import ExactRate
from apps.core.storage import ObjectStore, object_store, storage_from_url
from apps.media import services
from apps.media.models import Job, MediaFile
from apps.media.services import holding

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "corpus"
CORPUS = Path(os.environ.get("MEDIA_CORPUS", BESIDE))
PASSWORD = "correct horse battery staple"
# Folders of tests with a real browser or real processes: on a busy machine one may come too late.
REAL_PARTS = {"browser", "corpus", "flows"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Such a test has a second try; the summary names each that needed it."""
    for item in items:
        if REAL_PARTS & set(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_collection_finish() -> None:
    """What was collected lives to the end: the garbage collector need not look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """Each test keeps its objects apart: a directory, or a prefix in the configured bucket."""
    settings.MEDIA_APP = {"WORK_DIR": str(tmp_path / "work")}
    if django_settings.ENV.media_storage_url.startswith("file://"):
        media = storage_from_url(f"file://{tmp_path / 'media'}")
        settings.STORAGES = {**settings.STORAGES, "media": media}
        return object_store("media")
    # One client serves all tests: making one costs more than a test.
    store = object_store("media")
    monkeypatch.setattr(
        store, "location", f"{store.location}/test-{secrets.token_hex(8)}".strip("/")
    )
    return store


@pytest.fixture(autouse=True)
def fresh_cache(settings: Any) -> None:
    """Throttle counters of one test are not another's."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": secrets.token_hex(8),
        }
    }


@pytest.fixture(autouse=True)
def one_period(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted in one test falls into one period, whenever the next one begins."""
    began = time.time()
    monkeypatch.setattr(ExactRate, "timer", staticmethod(lambda: began))


@pytest.fixture(autouse=True)
def unseen_holds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a test within one transaction are seen by no thread that would renew a lease."""
    mark = request.node.get_closest_marker("django_db")
    if mark is not None and not mark.kwargs.get("transaction"):
        monkeypatch.setattr(holding, "RENEWAL", holding.LEASE)


@pytest.fixture(autouse=True)
def fast_passwords(settings: Any) -> None:
    """Slow hashes protect real accounts; here they would only take time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _person(name: str, **fields: Any) -> Any:
    return get_user_model().objects.create_user(username=name, password=PASSWORD, **fields)


@pytest.fixture
def owner(db: None) -> Any:
    return _person("olga")


@pytest.fixture
def stranger(db: None) -> Any:
    return _person("sam")


@pytest.fixture
def staff(db: None) -> Any:
    return _person("stella", is_staff=True, is_superuser=True)


@pytest.fixture
def api(owner: Any) -> APIClient:
    """The API as the owner sees it."""
    client = APIClient()
    client.force_authenticate(owner)
    return client


@pytest.fixture
def browser_of() -> Callable[[Any], Client]:
    """A signed-in page client of a user, or an anonymous one of None."""

    def sign_in(user: Any) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def run_jobs(db: None) -> Callable[[], int]:
    """Do all queued work now, as workers would; return the number of jobs done."""

    def run() -> int:
        done = 0
        due = Job.objects.filter(state=Job.State.QUEUED, due_at__lte=Now()).order_by("pk")
        while job := due.first():
            if not services.run_job(job.pk):
                break
            done += 1
        return done

    return run


@pytest.fixture
def upload(owner: Any) -> Callable[..., MediaFile]:
    """Upload bytes under a name; further fields as in `services.upload_media`."""

    def send(data: bytes, name: str = "photo.jpg", **fields: Any) -> MediaFile:
        fields.setdefault("user", owner)
        return services.upload_media(file=ContentFile(data, name=name), **fields)

    return send


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real, odd and hostile files; tests that need it skip where it is absent."""
    if not (CORPUS / "manifest.jsonl").is_file():
        pytest.skip("no corpus beside the checkout; MEDIA_CORPUS names another place")
    return CORPUS
