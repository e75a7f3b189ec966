"""The forms of the pages, and the form fields by which other apps let people choose files."""

from apps.media.forms.fields import AttachmentsFormField, MediaFormField
from apps.media.forms.hosts import MediaForm, MediaFormMixin, MediaModelForm
from apps.media.forms.pages import (
    CaptionForm,
    CollectionForm,
    GrantForm,
    LibraryForm,
    MediaEditForm,
    SectionForm,
    ShareLinkForm,
    SharePasswordForm,
    UntilField,
    UploadForm,
    WebhookForm,
)
from apps.media.forms.tags import TagNamesField
from apps.media.forms.widgets import MediaWidget

__all__ = [
    "AttachmentsFormField",
    "CaptionForm",
    "CollectionForm",
    "GrantForm",
    "LibraryForm",
    "MediaEditForm",
    "MediaForm",
    "MediaFormField",
    "MediaFormMixin",
    "MediaModelForm",
    "MediaWidget",
    "SectionForm",
    "ShareLinkForm",
    "SharePasswordForm",
    "TagNamesField",
    "UntilField",
    "UploadForm",
    "WebhookForm",
]
