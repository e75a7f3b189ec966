from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "apps.events"
    label = "events"

    def ready(self) -> None:
        from apps.events.policies import used_where_visible  # noqa: PLC0415  # after the models
        from apps.media.policies import register_use_rule  # noqa: PLC0415

        register_use_rule(self.label, used_where_visible)
