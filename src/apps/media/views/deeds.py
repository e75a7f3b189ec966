"""What happened to a file, put into words for its pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from apps.media.models import AuditEvent, Visibility
from apps.media.selectors import Deed

Act = AuditEvent.Act
FIELDS = {
    "title": _("Title"),
    "caption": _("Caption"),
    "alt_text": _("Alternative text"),
    "tags": _("Tags"),
    "captions": _("Captions"),
    "focal_x": _("Point to keep in view"),
    "focal_y": _("Point to keep in view"),
    "expires_at": _("End of its time"),
}


@dataclass(frozen=True)
class Line:
    """A deed in words: what was done, and on which terms."""

    what: str
    terms: str
    who: str
    at: datetime


def describe(deeds: Sequence[Deed]) -> list[Line]:
    return [Line(_what(deed), ", ".join(_terms(deed)), deed.who, deed.at) for deed in deeds]


def _what(deed: Deed) -> str:
    if deed.act in _OF_SOMEBODY:
        name = deed.recipient or gettext("somebody who is gone")
        return _OF_SOMEBODY[deed.act]() % {"name": name}
    if deed.act in _OF_VERSION and "version" in deed.details:
        return _OF_VERSION[deed.act]() % {"number": deed.details["version"]}
    return str(_PLAIN.get(deed.act) or Act(deed.act).label)


_OF_SOMEBODY: Mapping[str, Callable[[], str]] = {
    Act.GRANTED: lambda: gettext("Access given to %(name)s"),
    Act.GRANT_CHANGED: lambda: gettext("Access of %(name)s changed"),
    Act.REVOKED: lambda: gettext("Access of %(name)s taken back"),
}
_OF_VERSION: Mapping[str, Callable[[], str]] = {
    Act.REPLACED: lambda: gettext("Replaced by a new file, version %(number)s"),
    Act.VERSION_BACK: lambda: gettext("Version %(number)s restored"),
    Act.VERSION_GONE: lambda: gettext("Version %(number)s deleted"),
    Act.SHAPED: lambda: gettext("Version %(number)s turned or cropped"),
}
_PLAIN: Mapping[str, Any] = {
    Act.LINK_MADE: _("Share link made"),
    Act.LINK_REVOKED: _("Share link revoked"),
    Act.LINK_OPENED: _("Share link opened"),
    Act.SIGNED: _("Address made that opens it for a while"),
    Act.TRASHED: _("Moved to the trash"),
    Act.RESTORED: _("Restored from the trash"),
}


def _terms(deed: Deed) -> list[str]:
    told = deed.details
    terms: Mapping[str, Callable[[Any], str]] = {
        "permission": _permission,
        "has_password": lambda has: gettext("with a password") if has else "",
        "max_downloads": _downloads,
        "expires_at": _until,
        "fields": _fields,
        "after": _sight,
        "at": lambda at: "" if at is None else gettext("at %(seconds)s s") % {"seconds": at},
    }
    return [words for name, say in terms.items() if name in told and (words := say(told[name]))]


def _permission(name: str) -> str:
    return gettext("may edit") if name == "edit" else gettext("may view")


def _downloads(most: int | None) -> str:
    words = ngettext("for %(most)s download", "for %(most)s downloads", most or 0)
    return words % {"most": most} if most else ""


def _until(text: str | None) -> str:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return ""
    return gettext("until %(moment)s") % {"moment": date_format(moment, gettext("j F Y, H:i"))}


def _fields(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(str(FIELDS.get(name, name)) for name in names))


def _sight(after: Mapping[str, Any]) -> str:
    words = []
    if "visibility" in after:
        words.append(str(dict(Visibility.choices).get(after["visibility"], after["visibility"])))
    if "share_location" in after:
        shown = after["share_location"]
        words.append(
            gettext("place it was taken at shared")
            if shown
            else gettext("place it was taken at hidden")
        )
    return ", ".join(words)
