"""The forms of the pages, and the form fields by which other apps let people choose files."""

from apps.media.forms.fields import AttachmentsFormField, MediaFormField
from apps.media.forms.hosts import MediaForm, MediaFormMixin, MediaModelForm
from apps.media.forms.pages import (
    CaptionForm,
    CollectionForm,
    LibraryForm,
    MediaEditForm,
    UploadForm,
    WebhookForm,
)
from apps.media.forms.sharing import (
    GrantChangeForm,
    GrantForm,
    SectionForm,
    ShareLinkForm,
    SharePasswordForm,
    UntilField,
)
from apps.media.forms.tags import TagNamesField
from apps.media.forms.widgets import MediaWidget

__all__ = [
    "AttachmentsFormField",
    "CaptionForm",
    "CollectionForm",
    "GrantChangeForm",
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
