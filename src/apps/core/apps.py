from django.apps import AppConfig
from django.utils.translation import gettext

from apps.core.words import translate_with


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"

    def ready(self) -> None:
        translate_with(gettext)
