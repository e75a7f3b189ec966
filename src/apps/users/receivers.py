"""What follows from what happens to accounts."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from apps.users import services
from apps.users.models import User


@receiver(post_delete, sender=User, dispatch_uid="users_forget_sign_ins")
def forget_sign_ins(instance: User, **kwargs: Any) -> None:
    """Where somebody signed in from is not kept longer than they are."""
    services.forget_sign_ins(username=instance.username)
