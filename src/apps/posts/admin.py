"""Posts in the administration, with their files in the order they are shown."""

from django.contrib import admin

from apps.posts.models import Post, PostMedia


class PostMediaInline(admin.TabularInline):
    model = PostMedia
    raw_id_fields = ("media",)
    extra = 0


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
