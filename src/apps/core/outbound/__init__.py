"""The one way by which this project speaks to an address that somebody else named.

    with open_url("https://…", limits=Limits(max_bytes=…)) as response:
        for piece in response.pieces: …
    status = post_to_url("https://…", content=b"…", headers={…}, limits=Limits(max_bytes=…))

An address is parsed once and resolved once, and the connection goes to the addresses that were
checked. Nothing else in the project opens a connection to an address that a visitor gave. Knows no
Django and no settings: who is let in beside the public internet is an argument.
"""

from apps.core.outbound.addresses import PUBLIC, Reach, is_public
from apps.core.outbound.answers import suggested_name
from apps.core.outbound.client import Limits, Response, open_url, post_to_url
from apps.core.outbound.targets import Target, parse_url

__all__ = [
    "PUBLIC",
    "Limits",
    "Reach",
    "Response",
    "Target",
    "is_public",
    "open_url",
    "parse_url",
    "post_to_url",
    "suggested_name",
]
