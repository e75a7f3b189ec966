"""Which network addresses may be connected to: public ones, and nothing that hides another."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from apps.core.errors import SourceUnavailableError, UrlNotAllowedError
from apps.core.outbound.targets import Target
from apps.core.words import gettext_noop as _

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]

# IANA's special-purpose registries, written out: what `is_global` says of them differs between
# releases of Python.
_CLOSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
        "192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 "
        "192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 "
        # Teredo and other protocols, documentation, 6to4, segment routing.
        "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16"
    ).split()
)
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that is allotted; the rest stays closed
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address is in the last 32 bits
_MOST_TRIED = 8  # of the addresses of one name


def is_public(address: Address) -> bool:
    """Whether anybody on the internet may be meant. Addresses that hide others are judged by them
    (NAT64, which networks without IPv4 need) or refused (mapped, 6to4, Teredo)."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in _UNICAST or address.scope_id:
            return False
    if not address.is_global or address.is_multicast:
        return False
    return not any(address in network for network in _CLOSED)


def resolve_name(host: str, port: int) -> list[str]:
    """Ask the system's resolver, within the times that it sets itself."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True)
class Reach:
    """Where requests may go. The default is the public internet, at the usual ports.

    `networks` and `ports` let more in, and `ssl_context` trusts others: for tests, whose servers
    are on this machine. No setting leads here, so that none can be left on by accident.
    """

    ports: frozenset[int] = frozenset({80, 443})
    networks: tuple[Network, ...] = ()
    resolve: Resolve = resolve_name
    ssl_context: ssl.SSLContext | None = None

    def addresses_of(self, target: Target) -> list[str]:
        """The addresses to connect to, every one checked.

        One that is not public condemns all: raises `UrlNotAllowedError`. `SourceUnavailableError`
        where the name cannot be looked up now.
        """
        if target.port not in self.ports:
            raise UrlNotAllowedError("port", detail=_("Only the usual ports can be fetched from."))
        found = [_parsed(text) for text in self._look_up(target)]
        if not found or not all(self._admits(address) for address in found):
            raise UrlNotAllowedError("address is not public", target.host)
        return list(dict.fromkeys(str(address) for address in found))[:_MOST_TRIED]

    def _admits(self, address: Address) -> bool:
        return is_public(address) or any(address in network for network in self.networks)

    def _look_up(self, target: Target) -> Sequence[str]:
        if _is_literal(target.host):
            return [target.host]
        try:
            return self.resolve(target.host, target.port)
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                raise SourceUnavailableError("name service", target.host) from error
            raise UrlNotAllowedError("no such name", target.host) from error
        except (OSError, UnicodeError) as error:
            raise SourceUnavailableError("name service", target.host) from error


PUBLIC = Reach()


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _parsed(text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise UrlNotAllowedError("strange answer of the name service") from error
