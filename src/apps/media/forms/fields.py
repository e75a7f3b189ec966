"""Form fields for media files: one (`MediaFormField`), or an ordered list (`AttachmentsFormField`).

Both clean to `services.AttachmentItem`: what was chosen and how it is shown. Every file is looked
at again for the user of the form (see `hosts.MediaFormMixin`): hidden is missing. What comes as
bytes with the form is uploaded while the form is cleaned, for this use only, so that a form that
is shown again still has it and one that is abandoned leaves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.core.errors import AppError
from apps.media import selectors, services
from apps.media.exceptions import NotVisibleError
from apps.media.fields import Crop
from apps.media.forms.submissions import Submission, SubmittedItem
from apps.media.forms.widgets import MediaWidget, Wishes
from apps.media.models import MediaAttachment, MediaFile
from apps.media.policies import Visitor
from apps.media.processing.crops import crop_from
from apps.media.selectors import ratio_of
from apps.media.services import AttachmentItem

MISSING = _("A file that was chosen is not there any more.")
LONGEST = {"alt_text": 2_000, "caption": 10_000}  # characters
_no_nul = ProhibitNullCharactersValidator()


class UsesField(forms.Field):
    """What both have in common. `bind` it to a user before it is cleaned or shown."""

    widget = MediaWidget
    default_error_messages = {
        "required": _("Choose a file."),
        "unreadable": _("The list of files could not be read. Choose them again."),
        "too_many_files": _("These are %(count)s files; at most %(most)s are accepted here."),
    }

    def __init__(self, *, wishes: Wishes, **options: Any) -> None:
        super().__init__(**options)
        self.wishes = self.widget.wishes = wishes
        self._user: Visitor | None = None
        self._present: list[AttachmentItem] = []
        self._arrived: list[AttachmentItem] = []

    def bind(self, *, user: Visitor, present: Iterable[AttachmentItem] = ()) -> None:
        """Act for `user`; `present` is what the object of the form uses by now, in its order."""
        self._user = user
        self._present, self._arrived = list(present), []

    @property
    def user(self) -> Visitor:
        if self._user is None:
            raise ImproperlyConfigured(
                "A field for media has to know who chooses: use apps.media.forms.MediaForm or "
                "MediaModelForm, or bind(user=…) the field."
            )
        return self._user

    # -- showing ------------------------------------------------------------------------------

    def prepare_value(self, value: Any) -> list[AttachmentItem]:
        """What the widget shows: what is there, or what was sent and may be seen."""
        if not isinstance(value, Submission) or not value.is_sent:
            return self._detailed(self._present)
        sent, _ = self._read(value.items)
        return self._detailed(self._limited([*sent, *self._arrived]))

    def has_changed(self, initial: Any, data: Any) -> bool:
        if not isinstance(data, Submission) or not data.is_sent:
            return False
        sent, failures = self._read(data.items)
        return bool(data.files or failures) or sent != self._present

    def _detailed(self, items: Sequence[AttachmentItem]) -> list[AttachmentItem]:
        """`items` with files that can be shown, of those that are still there."""
        ids = [item.media.pk for item in items]
        found = selectors.list_media_of_form(user=self.user, ids=ids, used=self._used)
        return [
            services.AttachmentItem(
                found[item.media.pk], item.alt_text, item.caption, item.crop, item.focal
            )
            for item in items
            if item.media.pk in found
        ]

    def _limited(self, items: list[AttachmentItem]) -> list[AttachmentItem]:
        return items

    # -- cleaning -----------------------------------------------------------------------------

    def clean(self, value: Submission) -> Any:
        """The items that were chosen, checked. Raises `ValidationError` with all that is wrong."""
        if not value.is_sent:
            return self._result(self._present)
        if not value.is_readable:
            raise ValidationError(self.error_messages["unreadable"], code="unreadable")
        self._arrived, failures = self._take(value.files)
        sent, wrong = self._read(value.items)
        items = self._limited([*sent, *self._arrived])
        failures += [*wrong, *self._refusals(items)]
        if failures:
            raise ValidationError(failures)
        return self._result(items)

    def _result(self, items: list[AttachmentItem]) -> Any:
        return items

    def _take(
        self, files: Sequence[UploadedFile[Any]]
    ) -> tuple[list[AttachmentItem], list[ValidationError]]:
        """Upload what came with the form; each is judged alone."""
        taken, failures = [], []
        if len(files) > self.wishes.max_count:
            return [], [self._too_many(len(files))]
        for file in files:
            try:
                media = services.upload_media(user=self.user, file=file, for_use=True)
            except AppError as error:
                failures.append(_refusal(error, file.name or gettext("A file")))
            else:
                taken.append(AttachmentItem(media))
        return taken, failures

    def _read(
        self, submitted: Sequence[SubmittedItem]
    ) -> tuple[list[AttachmentItem], list[ValidationError]]:
        """The items whose files the user may see or the object uses; and what is wrong."""
        if len(submitted) > 2 * self.wishes.max_count + len(self._present):
            return [], [self._too_many(len(submitted))]
        ids = [item.media_id for item in submitted]
        found = selectors.list_media_of_form(user=self.user, ids=ids, used=self._used)
        items, failures = [], []
        for one in submitted:
            media = found.get(one.media_id)
            if media is None:
                failures.append(ValidationError(MISSING, code="missing"))
                continue
            item, wrong = _item(media, one)
            items.append(item)
            failures += wrong
        return items, failures

    def _refusals(self, items: Sequence[AttachmentItem]) -> list[ValidationError]:
        failures: list[ValidationError] = []
        if self.required and not items:
            failures.append(ValidationError(self.error_messages["required"], code="required"))
        if len(items) > self.wishes.max_count:
            failures.append(self._too_many(len(items)))
        if len({item.media.pk for item in items}) < len(items):
            message = gettext("The same file is in the list twice.")
            failures.append(ValidationError(message, code="attached_twice"))
        return [*failures, *filter(None, map(self._refusal, items))]

    def _refusal(self, item: AttachmentItem) -> ValidationError | None:
        """Why the file may not be attached; one that is in use here already may stay."""
        if item.media.pk in self._used:
            return None
        try:
            services.ensure_attachable(
                user=self.user,
                media=item.media,
                kinds=self.wishes.kinds,
                max_size=self.wishes.max_size,
            )
        except AppError as error:
            return _refusal(error, str(item.media))
        return None

    @property
    def _used(self) -> frozenset[UUID]:
        return frozenset(item.media.pk for item in self._present)

    def _too_many(self, count: int) -> ValidationError:
        numbers = {"count": count, "most": self.wishes.max_count}
        return ValidationError(
            self.error_messages["too_many_files"], code="too_many_files", params=numbers
        )


class MediaFormField(UsesField):
    """One file or none; cleans to an `AttachmentItem` (its file and crop) or None.

    `ratio` is width over height of the crop, 0 for any; `is_round` shows it as a disc. A file that
    comes with the form takes the place of the one before.
    """

    def __init__(
        self,
        *,
        kinds: Collection[str] = ("image",),
        max_size: int | None = None,
        crops: bool = False,
        ratio: float = 0,
        is_round: bool = False,
        **options: Any,
    ) -> None:
        wishes = Wishes(kinds=kinds, max_size=max_size, crops=crops, ratio=ratio, is_round=is_round)
        super().__init__(wishes=wishes, **options)

    def _limited(self, items: list[AttachmentItem]) -> list[AttachmentItem]:
        return items[-1:] if self._arrived else items

    def _result(self, items: list[AttachmentItem]) -> AttachmentItem | None:
        return items[0] if items else None


class AttachmentsFormField(UsesField):
    """The ordered files of an object, as rows of `through`; cleans to a list of `AttachmentItem`.

    What is accepted stands there (`through.accepts`). `crops` offers to crop, if there is a recipe
    that shows crops, to `ratio` (0 for any, None for that of the recipe); `captions` and `focal`
    ask for words below each file and for the point to keep in view.
    """

    def __init__(
        self,
        *,
        through: type[MediaAttachment],
        crops: bool = True,
        ratio: float | None = None,
        captions: bool = False,
        focal: bool = False,
        **options: Any,
    ) -> None:
        accepts = through.accepts
        wishes = Wishes(
            kinds=accepts.kinds,
            max_count=accepts.max_count,
            max_size=accepts.max_size,
            many=True,
            crops=crops and bool(accepts.recipe),
            ratio=ratio_of(accepts.recipe) if ratio is None else ratio,
            alt_texts=True,
            captions=captions,
            focal=focal,
        )
        super().__init__(wishes=wishes, **options)
        self.through = through


def _item(
    media: MediaFile, submitted: SubmittedItem
) -> tuple[AttachmentItem, list[ValidationError]]:
    """What was said of one file; nonsense is left out and told."""
    said: dict[str, Any] = {}
    failures = []
    readers = {"alt_text": _words, "caption": _words, "crop": _crop, "focal": _focal}
    for name, read in readers.items():
        try:
            said[name] = read(getattr(submitted, name), LONGEST.get(name, 0))
        except ValidationError as error:
            text = f"{media}: {' '.join(error.messages)}"
            failures.append(ValidationError(text, code=error.code))
    return AttachmentItem(media, **said), failures


def _words(text: str, longest: int) -> str:
    _no_nul(text)
    if len(text) > longest:
        raise ValidationError(
            _("at most %(most)s characters are kept."), code="max_length", params={"most": longest}
        )
    return text.strip()


def _crop(text: str, _longest: int) -> Crop | None:
    try:
        return crop_from(text)
    except ValueError as error:
        raise ValidationError(_("this is no part of the picture."), code="invalid_crop") from error


def _focal(text: str, _longest: int) -> tuple[float, float] | None:
    if not text:
        return None
    try:
        left, top = (float(part) for part in text.split(","))
    except ValueError:
        left = top = -1
    if not (0 <= left <= 1 and 0 <= top <= 1):
        raise ValidationError(_("this is no point of the picture."), code="invalid_focal")
    return left, top


def _refusal(error: AppError, name: str) -> ValidationError:
    """A refused file; a hidden one is told of as one that has gone."""
    if isinstance(error, NotVisibleError):
        return ValidationError(MISSING, code="missing")
    return ValidationError(f"{name}: {error.detail}", code=error.code)
