"""Rates are exact: the one too many is refused, whoever else counts at the same time."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory
from rest_framework.settings import api_settings

from apps.core.caches import MachineCache
from apps.core.rates import AddressRate, RateExceededError, VisitorRate, check_rate, client_address

LIMIT = 20


@pytest.fixture
def rate(tmp_path: Path) -> type[VisitorRate]:
    class Rate(VisitorRate):
        scope = "test"
        rate = f"{LIMIT}/min"
        cache = MachineCache(str(tmp_path / "cache"), {})
        now = 1_000_000.0
        timer = staticmethod(lambda: Rate.now)

    return Rate


def _asking(user: Any = None, **headers: str) -> Any:
    request = RequestFactory().get("/", headers=headers)
    request.user = user or AnonymousUser()
    return request


def _user(pk: int) -> Any:
    return SimpleNamespace(pk=pk, is_authenticated=True)


def _is_let_in(rate: Any, request: Any) -> bool:
    try:
        check_rate(rate, request)
    except RateExceededError:
        return False
    return True


def test_the_one_too_many(rate: Any) -> None:
    assert all(_is_let_in(rate, _asking(_user(1))) for _ in range(LIMIT))
    with pytest.raises(RateExceededError) as refused:
        check_rate(rate, _asking(_user(1)))
    assert refused.value.status == 429
    assert 1 <= refused.value.retry_after <= 60
    assert _is_let_in(rate, _asking(_user(2)))
    assert _is_let_in(rate, _asking())


def test_after_the_time_it_said(rate: Any) -> None:
    for _ in range(LIMIT):
        check_rate(rate, _asking(_user(1)))
    with pytest.raises(RateExceededError) as refused:
        check_rate(rate, _asking(_user(1)))
    rate.now += refused.value.retry_after
    assert _is_let_in(rate, _asking(_user(1)))


def test_exact_under_threads(rate: Any) -> None:
    answers: list[bool] = []

    def ask() -> None:
        answers.extend(_is_let_in(rate, _asking(_user(1))) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(True) == LIMIT


def test_a_cache_that_is_away_limits_nobody(rate: Any, tmp_path: Path, caplog: Any) -> None:
    rate.cache = MachineCache(str(tmp_path / "a-folder-instead"), {})
    (tmp_path / "a-folder-instead").mkdir()
    assert all(_is_let_in(rate, _asking(_user(1))) for _ in range(LIMIT + 5))
    assert "rates are not counted" in caplog.text


def test_by_address_whoever_it_is(tmp_path: Path) -> None:
    class ByAddress(AddressRate):
        scope, rate = "address", "2/hour"
        cache = MachineCache(str(tmp_path / "cache"), {})

    assert [_is_let_in(ByAddress, _asking(_user(pk))) for pk in (1, 2, 3)] == [True, True, False]


@pytest.mark.parametrize(
    ("proxies", "said", "address"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
    ],
)
def test_a_visitor_chooses_no_address(
    proxies: int, said: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_settings, "NUM_PROXIES", proxies)
    assert client_address(_asking(**{"X-Forwarded-For": said})) == address


@pytest.mark.parametrize("proxies", [None, 0, 1])
def test_who_signs_in_by_code_has_no_address(
    proxies: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_settings, "NUM_PROXIES", proxies)
    assert client_address(HttpRequest()) is None


def test_where_no_proxy_is_told_of_a_visitor_chooses_no_address_either(
    rate: Any, settings: Any
) -> None:
    """Neither to go on beyond a limit nor to use up somebody else's."""
    rest = {name: said for name, said in settings.REST_FRAMEWORK.items() if name != "NUM_PROXIES"}
    settings.REST_FRAMEWORK = rest
    assert api_settings.NUM_PROXIES is None
    said = [_asking(**{"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(LIMIT + 1)]
    assert {client_address(request) for request in said} == {"127.0.0.1"}
    assert [_is_let_in(rate, request) for request in said] == [True] * LIMIT + [False]
