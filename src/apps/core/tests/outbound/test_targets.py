"""One reading of an address; what could be read in two ways is refused. SECURITY §3, V1.5.3."""

from __future__ import annotations

import pytest

from apps.core.errors import UrlNotAllowedError
from apps.core.outbound import parse_url


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://example.org", "example.org", 80, "/"),
        ("https://EXAMPLE.org./a/b?c=d#e", "example.org", 443, "/a/b?c=d"),
        ("http://example.org:8080/", "example.org", 8080, "/"),
        ("http://example.org?x=1", "example.org", 80, "/?x=1"),
        ("https://my_bucket.s3.example.org/k%20y", "my_bucket.s3.example.org", 443, "/k%20y"),
        ("http://93.184.216.34/x", "93.184.216.34", 80, "/x"),
        ("http://[2606:2800:0220:1::1]/x", "2606:2800:220:1::1", 80, "/x"),
        (
            "https://bücher.example/straße?q=ä",
            "xn--bcher-kva.example",
            443,
            "/stra%C3%9Fe?q=%C3%A4",
        ),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://BÜCHER。example/", "xn--bcher-kva.example", 443, "/"),
        ("http://①②⑦.0.0.1/", "127.0.0.1", 80, "/"),  # to be refused as what it is
    ],
)
def test_reads_an_address_once(url: str, host: str, port: int, path: str) -> None:
    target = parse_url(url)
    assert (target.host, target.port, target.path) == (host, port, path)
    assert parse_url(target.url) == target


S1 = [
    "file:///etc/passwd",
    "ftp://example.org/a",
    "gopher://example.org/",
    "data:image/png;base64,AAAA",
    "dict://example.org:11211/",
    "jar:http://example.org/a.jar!/b",
    "example.org/a.jpg",
    "//example.org/a.jpg",
    "http:example.org",
    "http:///a.jpg",
    "http:/example.org/a",
    "",
]


@pytest.mark.parametrize("url", S1)
def test_s1_no_other_scheme(url: str) -> None:
    with pytest.raises(UrlNotAllowedError):
        parse_url(url)


S3 = [
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.0.1.:80x/",
    "http://0x7f000001/",
    "http://[::ffff:127.0.0.1%25lo]/",
    "http://[fe80::1%25eth0]/",
    "http://[::1/",
    "http://[v1.a]/",
    "http://1.2.3.4.5/",
    "http://example.0x10/",
    "http://127.0.0.256/",
    "http://٣.0.0.1.٤٥٦/",
]


@pytest.mark.parametrize("url", S3)
def test_s3_no_number_that_stands_for_an_address(url: str) -> None:
    with pytest.raises(UrlNotAllowedError):
        parse_url(url)


S6 = [
    "http://user:pass@example.org/",
    "http://user@example.org/",
    "http://@example.org/",
    "http://127.0.0.1&@example.org#@10.0.0.1/",
    "http://a@b:c#@d/",
    "http://example.org:80@10.0.0.1/",
    "http://example.org%40@10.0.0.1/",
    "http://example.org\\@10.0.0.1/",
    "http:\\\\example.org/",
    "http://example.org\\.evil.example/",
    "http://example.org/a\r\nHost: inside",
    "http://example.org/a\nb",
    "http://exam\tple.org/",
    " http://example.org/",
    "http://example.org/ ",
    "http://example.org /",
    "http://example.org/a b",
    "http://example.org/\x00",
    "http://example.org/\x85",
    "http://example.org/a\xa0",
    "http://example.org:/",
    "http://example.org:99999999/",
    "http://example.org:-1/",
    "http://example.org:80:80/",
    "http://example.org:\uff18\uff10/",
    "http://exa%6dple.org/",
    "http://-a.example/",
    "http://a..example/",
    "http://.example/",
    "http://" + "a" * 64 + ".example/",
    "http://" + "a." * 130 + "example/",
    "http://example.org/" + "a" * 4096,
    "http://evil.example\uff0f@10.0.0.1/",
    "http://evil.example\uff1f.10.0.0.1/",
    "http://\u200b/",
    "http://xn--a-ä.example/",
    "http://example.org/%zz",
    'http://example.org/"',
    "http://example.org/<",
]


@pytest.mark.parametrize("url", S6)
def test_s6_nothing_that_two_parsers_read_differently(url: str) -> None:
    with pytest.raises(UrlNotAllowedError) as refused:
        parse_url(url)
    assert "10.0.0.1" not in refused.value.detail


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b?c", "https://example.org:444/b?c"),
        ("b", "https://example.org:444/a/b"),
        ("//other.example/b", "https://other.example/b"),
        ("https://other.example", "https://other.example/"),
    ],
)
def test_follows_a_redirect(location: str, url: str) -> None:
    assert parse_url("https://example.org:444/a/x?y").follow(location).url == url


@pytest.mark.parametrize("location", ["http://example.org/", "file:///x", "/a b", "", "\\\\x"])
def test_s5_a_redirect_is_parsed_as_strictly(location: str) -> None:
    with pytest.raises(UrlNotAllowedError):
        parse_url("https://example.org/a").follow(location)
