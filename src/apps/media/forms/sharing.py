"""The forms of sharing: rights of people and groups, links, the password of a link."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.media.models import Grant


class UntilField(forms.DateTimeField):
    """A moment in the time zone of the site, or none."""

    def __init__(self, **options: Any) -> None:
        shown = "%Y-%m-%dT%H:%M"
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=shown)
        super().__init__(required=False, widget=widget, input_formats=[shown], **options)


class SectionForm(forms.Form):
    """One of several forms on a page: the ids of its fields are its own."""

    ids: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": self.ids, **kwargs})


class TermsForm(SectionForm):
    """How far a right goes, and until when."""

    ids = "grant_%s"

    permission = forms.ChoiceField(
        label=pgettext_lazy("right", "May"),
        choices=[
            (Grant.Permission.VIEW, pgettext_lazy("right", "View")),
            (Grant.Permission.EDIT, pgettext_lazy("right", "Edit")),
        ],
    )
    expires_at = UntilField(label=_("Until"), help_text=_("Leave it empty for no end. UTC."))


class GrantChangeForm(TermsForm):
    """The right that somebody has; what was not changed is not said."""

    grant_id: Any = None

    @classmethod
    def of(cls, grant: Grant, sent: Any = None) -> GrantChangeForm:
        """The form as it stands, or as it was `sent`."""
        ends = grant.expires_at and grant.expires_at.replace(second=0, microsecond=0)
        initial = {"permission": grant.permission, "expires_at": ends}
        form = cls(sent, initial=initial, auto_id=f"grant_{grant.pk}_%s")
        form.grant_id = grant.pk
        return form

    def changes(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.changed_data}


class GrantForm(TermsForm):
    """A right for one person or group."""

    field_order = ["kind", "name", "permission", "expires_at"]

    kind = forms.ChoiceField(
        label=_("To a"), choices=[("user", _("Person")), ("group", _("Group"))]
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
        help_text=_("The user name, or the name of the group."),
    )


class ShareLinkForm(SectionForm):
    """How far a new link goes."""

    ids = "link_%s"

    expires_at = UntilField(label=_("Until"), help_text=_("Leave it empty for no end. UTC."))
    password = forms.CharField(
        label=_("Password"),
        max_length=1024,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Leave it empty for none."),
    )
    max_downloads = forms.IntegerField(
        label=_("Number of downloads"),
        required=False,
        min_value=1,
        max_value=2_147_483_647,
        help_text=_("Leave it empty for no limit."),
    )


class SharePasswordForm(forms.Form):
    """What a locked share link asks for."""

    password = forms.CharField(
        label=_("Password"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autofocus": True}),
    )
