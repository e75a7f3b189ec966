"""The caches that rates are counted in: exact under threads and processes, and ending in time."""

from __future__ import annotations

import secrets
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache.backends.redis import RedisCache
from django.core.exceptions import ImproperlyConfigured

from apps.core.caches import MachineCache, cache_from_url

REDIS = "redis://127.0.0.1:6379/9"
THREADS, EACH = 8, 100
COUNT = """
import sys
from django.conf import settings
settings.configure(CACHES={})
from apps.core.caches import MachineCache
cache = MachineCache(sys.argv[1], {})
for _ in range(int(sys.argv[2])):
    cache.incr("count")
"""


def _redis() -> RedisCache:
    server = redis.Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        server.ping()
    except redis.exceptions.ConnectionError:
        pytest.skip("no Redis on 127.0.0.1:6379")
    return RedisCache(REDIS, {"KEY_PREFIX": f"test-{secrets.token_hex(8)}"})


@pytest.fixture(params=["machine", "redis"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made = MachineCache(str(tmp_path / "cache"), {}) if request.param == "machine" else _redis()
    yield made
    for key in ("count", "a", "b"):
        made.delete(key)


def test_threads_lose_no_count(cache: Any) -> None:
    cache.add("count", 0, 60)
    found: list[int] = []

    def count() -> None:
        found.extend(cache.incr("count") for _ in range(EACH))

    threads = [threading.Thread(target=count) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, THREADS * EACH + 1))


def test_of_many_one_adds(cache: Any) -> None:
    won: list[bool] = []
    threads = [
        threading.Thread(target=lambda: won.append(cache.add("a", "x", 60))) for _ in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1


def test_as_any_cache(cache: Any) -> None:
    assert cache.get("a") is None
    assert cache.get("a", "nothing") == "nothing"
    cache.set("a", {"words": ["ä", 1, None]}, 60)
    assert cache.get("a") == {"words": ["ä", 1, None]}
    assert not cache.add("a", "other", 60)
    assert cache.touch("a", 120)
    assert not cache.touch("b", 120)
    cache.set_many({"a": 1, "b": 2}, 60)
    assert cache.get_many(["a", "b", "count"]) == {"a": 1, "b": 2}
    assert cache.incr("a", 5) == 6
    assert cache.decr("a") == 5
    assert cache.delete("a")
    assert not cache.delete("a")
    with pytest.raises(ValueError, match="not found"):
        cache.incr("a")


def test_what_has_ended_is_gone_and_counting_does_not_prolong(cache: Any) -> None:
    cache.set("a", 1, 1)
    cache.incr("a")  # not at its very end: of Redis, Django's would then begin one without an end
    deadline = time.monotonic() + 30
    while cache.get("a") is not None:
        assert time.monotonic() < deadline
    assert cache.add("a", 7, 60)
    assert cache.get("a") == 7
    cache.set("a", 1, 0)
    assert cache.get("a") is None


def test_processes_of_one_machine_count_together(tmp_path: Path) -> None:
    path = str(tmp_path / "folder" / "cache")
    cache = MachineCache(path, {})
    cache.add("count", 0, 60)
    source = Path(__file__).resolve().parents[3]
    running = [
        subprocess.Popen([sys.executable, "-c", COUNT, path, str(EACH)], cwd=source)
        for _ in range(3)
    ]
    for _ in range(EACH):
        cache.incr("count")
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert cache.get("count") == 4 * EACH


def test_one_at_a_time_prepares_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else SQLite tells the second one that the file is locked, and does not wait."""
    connect, inside, most = MachineCache._connect, [], []

    def watched(cache: MachineCache) -> sqlite3.Connection:
        inside.append(cache)
        connection = connect(cache)
        most.append(len(inside))
        inside.remove(cache)
        return connection

    monkeypatch.setattr(MachineCache, "_connect", watched)
    caches = [MachineCache(str(tmp_path / "cache.sqlite3"), {}) for _ in range(20)]
    with ThreadPoolExecutor(len(caches)) as pool:
        added = list(pool.map(lambda cache: cache.add("key", 1, 60), caches))
    assert added.count(True) == 1
    assert most == [1] * len(caches)


def test_what_has_ended_takes_no_room(tmp_path: Path) -> None:
    cache = MachineCache(str(tmp_path / "cache"), {})
    for number in range(999):
        cache.set(f"old {number}".replace(" ", "-"), 1, 0)
    cache.set("a", 1, 60)
    assert cache._first("SELECT COUNT(*) FROM entries") == 1


def test_which_cache_an_address_means(tmp_path: Path) -> None:
    assert cache_from_url("", folder=tmp_path)["LOCATION"] == str(tmp_path / "cache.sqlite3")
    chosen = cache_from_url("redis://host/3", folder=tmp_path)
    assert chosen["BACKEND"].endswith("RedisCache")
    assert chosen["OPTIONS"]["socket_timeout"]
    for odd in ("memcached://host", "redis://:hush/hush@host/1", "redis://host?db=x"):
        with pytest.raises(ImproperlyConfigured, match="CACHE_URL") as refused:
            cache_from_url(odd, folder=tmp_path)
        assert "hush" not in str(refused.value)
