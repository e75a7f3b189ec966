"""The forms of accounts, with the hints that password managers look for."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import UserCreationForm

from apps.users.models import User


class SignUpForm(UserCreationForm):
    """A name and a password; the project's password rules apply."""

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = "Letters, digits and @ . + - _ only."
