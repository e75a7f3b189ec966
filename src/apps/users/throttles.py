"""Limits on what strangers may try, counted per address of the network."""

from __future__ import annotations

from apps.core.rates import AddressRate


class SignUpThrottle(AddressRate):
    """New accounts."""

    scope = "signup"


class SignInThrottle(AddressRate):
    """Attempts to sign in on the page, right or wrong."""

    scope = "signin"


class EmailThrottle(AddressRate):
    """Links sent to addresses that somebody says are theirs."""

    scope = "email"


class TokenThrottle(AddressRate):
    """Attempts to get a token, right or wrong."""

    scope = "token"
