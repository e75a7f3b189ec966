from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "apps.users"
    label = "users"

    def ready(self) -> None:
        from apps.media.policies import register_use_rule  # noqa: PLC0415  models are ready now
        from apps.users.policies import media_of_profiles  # noqa: PLC0415

        register_use_rule(self.label, media_of_profiles)
