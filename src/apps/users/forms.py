"""The forms of accounts, with the hints that password managers look for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, PasswordResetForm, UserCreationForm
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from apps.media.forms import MediaModelForm
from apps.users.models import User

AVATAR_HELP = _(
    "It stands beside everything you write. Everybody may see your page: whoever does may also "
    "open the whole file, not only the part that you choose."
)
COVER_HELP = _(
    "It stands across the top of your page. Everybody may see your page: whoever does may also "
    "open the whole file, not only the part that you choose."
)


class SignUpForm(UserCreationForm):
    """A name and a password; the project's password rules apply."""

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].help_text = _("Letters, digits and @ . + - _ only.")

    def clean_username(self) -> str:
        """Dots alone lead elsewhere in the address of a page (RFC 3986, 5.2.4): nobody would reach
        that of a person of such a name."""
        name: str = super().clean_username()
        if name in {".", ".."}:
            raise ValidationError(UnicodeUsernameValidator.message)
        return name


class NewPasswordForm(PasswordChangeForm):
    """One part of a page among others: the page does not jump to it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)


class ForgottenPasswordForm(PasswordResetForm):
    """An address. Whose it is, is Django's to find (`get_users`)."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("The one that you have confirmed here."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class EmailForm(forms.Form):
    """An address for mails, and the password once more: it is where an account can be reached."""

    address = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("A link is sent there. Mails go to it once you have opened that."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Another form of the same page has a password, too."""
        super().__init__(*args, auto_id="email_%s", **kwargs)


class ProfileForm(MediaModelForm):
    """What a person's page tells of them, and the pictures that it shows."""

    avatar = User._meta.get_field("avatar").formfield(
        label=_("Picture"), is_round=True, help_text=AVATAR_HELP
    )
    cover = User._meta.get_field("cover").formfield(label=_("Cover"), help_text=COVER_HELP)

    class Meta:
        model = User
        fields = ("avatar", "cover", "display_name", "about")
        widgets = {
            "display_name": forms.TextInput(attrs={"autocomplete": "name"}),
            "about": forms.Textarea(attrs={"rows": 4}),
        }
        labels = {"display_name": _("Display name"), "about": _("About")}
        help_texts = {"display_name": _("What others read instead of your user name.")}

    def to_fields(self) -> dict[str, Any]:
        """The valid values as the services take them."""
        return dict(self.cleaned_data)


class DeleteAccountForm(forms.Form):
    """The password once more, for what cannot be undone."""

    password = forms.CharField(
        label=_("Password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
