"""The project's own user, so that it can grow without a migration of everybody."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person with an account. Avatar and cover come from the media app."""
