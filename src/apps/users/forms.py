"""The forms of accounts, with the hints that password managers look for."""

from __future__ import annotations

from typing import Any

from django import forms
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


class ProfileForm(forms.ModelForm):
    """What a person's page tells of them."""

    class Meta:
        model = User
        fields = ("display_name", "about")
        widgets = {
            "display_name": forms.TextInput(attrs={"autocomplete": "name"}),
            "about": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts = {"display_name": "What others read instead of your user name."}


class DeleteAccountForm(forms.Form):
    """The password once more, for what cannot be undone."""

    password = forms.CharField(
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
