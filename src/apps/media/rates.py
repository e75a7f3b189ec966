"""What is limited in rate, and how much of it is allowed unless the settings say otherwise.

`REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]` holds the rates by scope.
"""

from __future__ import annotations

from rest_framework.settings import api_settings

from apps.core.rates import VisitorRate


def _rate(scope: str, default: str) -> str:
    return str(api_settings.DEFAULT_THROTTLE_RATES.get(scope) or default)


class UploadRate(VisitorRate):
    """Files, forms that take them, or uploads begun, by whatever way."""

    scope = "upload"
    rate = _rate(scope, "1200/min")


class ImportRate(VisitorRate):
    """Addresses to fetch."""

    scope = "import"
    rate = _rate(scope, "120/min")


class ReprocessRate(VisitorRate):
    scope = "reprocess"
    rate = _rate(scope, "120/min")


class EmbedRate(VisitorRate):
    """Questions of other sites how to show a file."""

    scope = "embed"
    rate = _rate(scope, "600/min")


class RenderRate(VisitorRate):
    """Renditions that are made because somebody asks."""

    scope = "render"
    rate = _rate(scope, "120/min")


class ArchiveRate(VisitorRate):
    """ZIPs, and parts of them."""

    scope = "archive"
    rate = _rate(scope, "120/min")


class SimilarRate(VisitorRate):
    scope = "similar"
    rate = _rate(scope, "120/min")


class SuggestRate(VisitorRate):
    """What is asked while somebody types."""

    scope = "suggest"
    rate = _rate(scope, "600/min")


class SearchRate(VisitorRate):
    """Lists by words."""

    scope = "search"
    rate = _rate(scope, "300/min")


class SharingRate(VisitorRate):
    """Grants and links that are made, people who are invited; nobody finds out at speed which names
    there are, nor has many mails sent."""

    scope = "sharing"
    rate = _rate(scope, "120/min")


class WebhookRate(VisitorRate):
    """Webhooks made or changed, and messages asked for."""

    scope = "webhook"
    rate = _rate(scope, "60/min")
