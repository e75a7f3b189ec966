from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "apps.users"
    label = "users"
    verbose_name = _("Users")

    def ready(self) -> None:
        from apps.media.policies import (  # noqa: PLC0415  models are ready now
            register_use_describer,
            register_use_rule,
        )
        from apps.users import receivers  # noqa: F401, PLC0415
        from apps.users.policies import describe_people, media_of_profiles  # noqa: PLC0415

        register_use_rule(self.label, media_of_profiles)
        register_use_describer(self.label, describe_people)
