"""What a scan for malware found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`signature` names what was found; empty means clean. `scanner` says who looked."""

    scanner: str
    signature: str = ""

    @property
    def clean(self) -> bool:
        return not self.signature
