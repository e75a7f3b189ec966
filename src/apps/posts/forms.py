"""The form of a post. What may be stored is the services' decision."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.media.forms import AttachmentsFormField, MediaModelForm
from apps.posts.models import LONGEST, Audience, Post, PostMedia

# As its author is asked.
AUDIENCES = [
    (Audience.PUBLIC, Audience.PUBLIC.label),
    (Audience.FOLLOWERS, _("Your followers")),
    (Audience.ONLY_ME, _("Only you")),
]


class PostForm(MediaModelForm):
    """Words, files, and who gets to see them."""

    text = forms.CharField(
        label=_("What would you like to tell?"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
    attachments = AttachmentsFormField(
        label=_("Photos and videos"), through=PostMedia, required=False, captions=True
    )
    audience = forms.ChoiceField(
        label=_("Who sees it"),
        choices=AUDIENCES,
        initial=Audience.FOLLOWERS,
        help_text=_("It holds for the photos and videos in it as well."),
    )

    class Meta:
        model = Post
        fields = ["text", "attachments", "audience"]

    def to_fields(self) -> dict[str, Any]:
        """The valid values as the services take them."""
        return dict(self.cleaned_data)
