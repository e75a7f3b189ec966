"""Only public addresses, and all of a name's. SECURITY §3, rows S2 to S4."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from apps.core.errors import SourceUnavailableError, UrlNotAllowedError
from apps.core.outbound import Reach, is_public, parse_url

PUBLIC = ["8.8.8.8", "93.184.216.34", "1.1.1.1", "2606:2800:220:1::1", "2a00:1450::1"]
HIDDEN = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_ones(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def test_public_behind_nat64() -> None:
    assert is_public(ipaddress.ip_address("64:ff9b::808:808"))


@pytest.mark.parametrize("text", HIDDEN)
def test_s2_no_other_ones(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", HIDDEN)
def test_s2_neither_written_nor_resolved(text: str) -> None:
    written = f"http://[{text}]/" if ":" in text else f"http://{text}/"
    with pytest.raises(UrlNotAllowedError):
        Reach().addresses_of(parse_url(written))
    with pytest.raises(UrlNotAllowedError):
        Reach(resolve=lambda host, port: [text]).addresses_of(parse_url("http://a.example/"))


def test_s2_localhost_is_asked_for_and_refused() -> None:
    with pytest.raises(UrlNotAllowedError):
        Reach().addresses_of(parse_url("http://localhost/"))


@pytest.mark.parametrize(
    "answers",
    [["8.8.8.8", "::1"], ["fd00::1", "8.8.8.8"], ["8.8.8.8"] * 40 + ["10.0.0.1"], [], ["nonsense"]],
)
def test_s4_one_hidden_address_condemns_all(answers: list[str]) -> None:
    with pytest.raises(UrlNotAllowedError):
        Reach(resolve=lambda host, port: answers).addresses_of(parse_url("http://a.example/"))


@pytest.mark.parametrize("port", [0, 1, 22, 25, 8080, 6379, 65536, 99999])
def test_s6_no_other_port(port: int) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"]

    with pytest.raises(UrlNotAllowedError):
        Reach(resolve=resolve).addresses_of(parse_url(f"http://a.example:{port}/"))
    assert asked == []


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (socket.EAI_AGAIN, SourceUnavailableError),
        (socket.EAI_NONAME, UrlNotAllowedError),
    ],
)
def test_names_that_cannot_be_looked_up(number: int, error: type[Exception]) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(number, "no")

    with pytest.raises(error):
        Reach(resolve=resolve).addresses_of(parse_url("http://a.example/"))


def test_a_missing_name_reads_like_an_inner_one() -> None:
    def missing(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no")

    details = set()
    for resolve in (missing, lambda host, port: ["10.0.0.1"]):
        with pytest.raises(UrlNotAllowedError) as refused:
            Reach(resolve=resolve).addresses_of(parse_url("http://a.example/"))
        details.add(refused.value.detail)
    assert len(details) == 1
