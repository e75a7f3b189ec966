"""Posts in JSON. Reading costs no query beyond what `selectors.with_details` has fetched."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.media.serializers import AttachmentsField
from apps.posts.models import LONGEST, Audience, Post, PostMedia
from apps.posts.policies import may_delete, may_edit
from apps.users.models import User


class AuthorSerializer(serializers.ModelSerializer[User]):
    """Who wrote it."""

    class Meta:
        model = User
        fields = ["id", "username", "display_name"]
        read_only_fields = fields


class PostUrlsSerializer(serializers.Serializer[Any]):
    self = serializers.URLField()
    page = serializers.URLField()


class PostPermissionsSerializer(serializers.Serializer[Any]):
    edit = serializers.BooleanField()
    delete = serializers.BooleanField()


class PostSerializer(serializers.ModelSerializer[Post]):
    """A post as the API gives it."""

    author = AuthorSerializer(read_only=True)
    attachments = AttachmentsField(through=PostMedia, read_only=True)
    urls = serializers.SerializerMethodField()
    permissions = serializers.SerializerMethodField()

    class Meta:
        model = Post
        fields = [
            "id",
            "author",
            "text",
            "audience",
            "created_at",
            "edited_at",
            "attachments",
            "urls",
            "permissions",
        ]
        read_only_fields = fields

    @extend_schema_field(PostUrlsSerializer)
    def get_urls(self, post: Post) -> dict[str, str]:
        absolute = self.context["request"].build_absolute_uri
        return {
            "self": absolute(reverse("posts:api-post", args=[post.pk])),
            "page": absolute(post.get_absolute_url()),
        }

    @extend_schema_field(PostPermissionsSerializer)
    def get_permissions(self, post: Post) -> dict[str, bool]:
        user = self.context["request"].user
        return {"edit": may_edit(user, post), "delete": may_delete(user, post)}


class PostWriteSerializer(serializers.Serializer[Any]):
    """The body of POST and PATCH; of PATCH, what is left out stays."""

    text = serializers.CharField(max_length=LONGEST, required=False, allow_blank=True)
    audience = serializers.ChoiceField(choices=Audience.choices, required=False)
    attachments = AttachmentsField(through=PostMedia)
