"""Forms of the tests' objects: one file, and many."""

from apps.media.forms import AttachmentsFormField, MediaModelForm
from apps.media.tests.hosts.models import Member, Note, NoteAttachment


class MemberForm(MediaModelForm):
    class Meta:
        model = Member
        fields = ["name", "avatar"]


class NoteForm(MediaModelForm):
    attachments = AttachmentsFormField(
        through=NoteAttachment, required=False, captions=True, focal=True
    )

    class Meta:
        model = Note
        fields = ["text"]
