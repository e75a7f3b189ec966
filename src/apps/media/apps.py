from django.apps import AppConfig


class MediaConfig(AppConfig):
    name = "apps.media"
    label = "media"
    default_auto_field = "django.db.models.BigAutoField"  # whatever the project's own is

    def ready(self) -> None:
        from apps.media import checks, conf, receivers  # noqa: F401, PLC0415  registration

        receivers.watch_uses()
        conf.options()  # an unknown or wrong option stops the start
