"""The control by which people choose files in a form.

Without script it is a list with plain fields and a file input. With script (`<media-field>`, see
frontend/src/fields) it uploads, chooses from the library, crops, sorts, and takes back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.media.forms.submissions import Submission, read_submission
from apps.media.services import AttachmentItem

NOUNS = {
    "image": _("photos"),
    "video": _("videos"),
    "audio": _("audio files"),
    "document": _("documents"),
    "other": _("other files"),
}
BROWSABLE = {"image": "image/*", "video": "video/*", "audio": "audio/*"}


@dataclass(frozen=True)
class Wishes:
    """What the field behind a widget takes: what the page says of it, and what it offers.

    `ratio` is width over height of every crop, 0 for any.
    """

    kinds: Collection[str]
    max_count: int = 1
    max_size: int | None = None
    many: bool = False
    crops: bool = False
    ratio: float = 0
    is_round: bool = False
    alt_texts: bool = False
    captions: bool = False
    focal: bool = False

    @property
    def accept(self) -> str:
        """For the browser's dialogue; empty where it cannot be said in types."""
        known = [BROWSABLE.get(kind, "") for kind in sorted(self.kinds)]
        return ",".join(known) if all(known) else ""

    @property
    def chooser_url(self) -> str:
        """The library, limited to what the field takes."""
        pairs = [("kind", kind) for kind in sorted(self.kinds)]
        size = [("max_size", str(self.max_size))] if self.max_size else []
        many = [("many", "1")] if self.many else []
        return f"{reverse('media:choose')}?{urlencode([*pairs, *size, *many])}"

    @property
    def nouns(self) -> str:
        """`photos and videos`."""
        *most, last = [str(noun) for kind, noun in NOUNS.items() if kind in self.kinds]
        if not most:
            return last
        return gettext("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last}


class MediaWidget(forms.Widget):
    """For one file or an ordered list of them; the field tells it which, by `wishes`."""

    template_name = "media/widgets/field.html"
    needs_multipart_form = True
    use_fieldset = True
    wishes = Wishes(kinds=("image",))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, None, attrs)
        items: Sequence[AttachmentItem] = value or ()
        return {**context, "name": name, "items": items, "wishes": self.wishes}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Submission:
        return read_submission(data, files, name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not read_submission(data, files, name).is_sent

    def id_for_label(self, id_: str) -> str:
        """There is no one control to name: the field's label is the legend of a group."""
        return ""

    def use_required_attribute(self, initial: Any) -> bool:
        return False
