from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext

from apps.core.words import translate_with


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"

    def ready(self) -> None:
        translate_with(gettext)
        if getattr(settings, "TRACING", False):
            from apps.core import tracing  # noqa: PLC0415  only where it is wanted

            tracing.start()
