from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PostsConfig(AppConfig):
    name = "apps.posts"
    label = "posts"
    verbose_name = _("Posts")

    def ready(self) -> None:
        from apps.media.policies import (  # noqa: PLC0415  models are ready now
            register_use_describer,
            register_use_rule,
        )
        from apps.posts.policies import describe_posts, media_in_visible_posts  # noqa: PLC0415
        from apps.posts.views.feed import read_section  # noqa: PLC0415
        from apps.users.sections import register_profile_section  # noqa: PLC0415

        register_use_rule(self.label, media_in_visible_posts)
        register_use_describer(self.label, describe_posts)
        register_profile_section(self.label, template="posts/parts/section.html", read=read_section)
