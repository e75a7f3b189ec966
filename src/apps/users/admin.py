"""People in the administration."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.utils.translation import gettext_lazy as _

from apps.media.admin import MediaFieldsMixin
from apps.users.models import User

PROFILE = (_("Profile"), {"fields": ("display_name", "about", "avatar", "cover")})


@admin.register(User)
class PersonAdmin(MediaFieldsMixin, UserAdmin):
    """An account, and what the person's page shows."""

    fieldsets = (*(UserAdmin.fieldsets or ()), PROFILE)
