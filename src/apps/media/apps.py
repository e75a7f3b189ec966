from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MediaConfig(AppConfig):
    name = "apps.media"
    label = "media"
    verbose_name = _("Media")
    default_auto_field = "django.db.models.BigAutoField"  # whatever the project's own is

    def ready(self) -> None:
        from apps.core.metrics import add_state  # noqa: PLC0415
        from apps.media import checks, conf, receivers  # noqa: F401, PLC0415  registration
        from apps.media.selectors.state import collect_state  # noqa: PLC0415

        receivers.watch_uses()
        add_state(collect_state)
        conf.options()  # an unknown or wrong option stops the start
