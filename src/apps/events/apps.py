from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "apps.events"
    label = "events"

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
