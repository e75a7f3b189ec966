"""Posts in the administration, with their files in the order they are shown."""

from django.contrib import admin
from django.core.exceptions import ValidationError

from apps.media.admin import MediaAttachmentFormSet, MediaAttachmentInline
from apps.posts.exceptions import NotYoursError
from apps.posts.models import Post, PostMedia


class PostMediaFormSet(MediaAttachmentFormSet):
    """Its author's files, as everywhere: nobody shows those of others in a post."""

    def clean(self) -> None:
        super().clean()
        if any(row.media.owner_id != self.instance.author_id for row in self.kept_rows()):
            raise ValidationError(NotYoursError().detail, code=NotYoursError.code)


class PostMediaInline(MediaAttachmentInline):
    model = PostMedia
    formset = PostMediaFormSet


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    list_display = ("__str__", "author", "audience", "created_at")
    list_filter = ("audience",)
    list_select_related = ("author",)
    search_fields = ("text", "author__username")
    raw_id_fields = ("author",)
    readonly_fields = ("created_at", "edited_at")
    inlines = (PostMediaInline,)
    show_full_result_count = False
