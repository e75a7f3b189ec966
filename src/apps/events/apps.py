from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    name = "apps.events"
    label = "events"
    verbose_name = _("Events")

    def ready(self) -> None:
        from apps.events.policies import (  # noqa: PLC0415  # after the models
            describe_events,
            used_where_visible,
        )
        from apps.media.policies import (  # noqa: PLC0415
            register_use_describer,
            register_use_rule,
        )

        register_use_rule(self.label, used_where_visible)
        register_use_describer(self.label, describe_events)
