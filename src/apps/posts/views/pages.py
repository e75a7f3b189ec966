"""The pages of one post: reading, writing, changing, removing it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from apps.core.errors import AppError
from apps.core.pages import PageView, PersonalView
from apps.media.uploadhandlers import takes_files
from apps.posts import selectors, services
from apps.posts.exceptions import PostForbiddenError
from apps.posts.forms import PostForm
from apps.posts.models import Post
from apps.posts.policies import may_delete, may_edit


class PostPage(PageView):
    """One post, to whoever may see it."""

    def get(self, request: HttpRequest, post_id: uuid.UUID) -> HttpResponse:
        post = selectors.get_visible_post(user=request.user, post_id=post_id)
        context = {
            "post": post,
            "may_edit": may_edit(request.user, post),
            "may_delete": may_delete(request.user, post),
        }
        return render(request, "posts/post.html", context)


@method_decorator(takes_files, name="dispatch")
class NewPostPage(PersonalView):
    """The form for a new post."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _show(request, PostForm(user=request.user))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PostForm(request.POST, request.FILES, user=request.user)
        if form.is_valid():
            try:
                services.create_post(author=request.user, **form.to_fields())
            except (AppError, ValidationError) as error:
                _tell(form, error)
            else:
                messages.success(request, _("Posted."))
                return redirect("posts:feed")
        return _show(request, form, status=422)


@method_decorator(takes_files, name="dispatch")
class EditPostPage(PersonalView):
    """The form of a post that is there."""

    def get(self, request: HttpRequest, post_id: uuid.UUID) -> HttpResponse:
        post = _find_own(request, post_id)
        return _show(request, PostForm(instance=post, user=request.user), post=post)

    def post(self, request: HttpRequest, post_id: uuid.UUID) -> HttpResponse:
        post = _find_own(request, post_id)
        form = PostForm(request.POST, request.FILES, instance=post, user=request.user)
        if form.is_valid():
            try:
                services.update_post(user=request.user, post=post, **form.to_fields())
            except (AppError, ValidationError) as error:
                _tell(form, error)
            else:
                messages.success(request, _("Changes saved."))
                return redirect(post)
        return _show(request, form, post=post, status=422)


class DeletePostPage(PersonalView):
    """Removes a post."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, post_id: uuid.UUID) -> HttpResponse:
        post = selectors.get_visible_post(user=request.user, post_id=post_id)
        services.delete_post(user=request.user, post=post)
        messages.success(request, _("The post is deleted."))
        return redirect("posts:feed")


def _find_own(request: HttpRequest, post_id: uuid.UUID) -> Post:
    post = selectors.get_visible_post(user=request.user, post_id=post_id)
    if not may_edit(request.user, post):
        raise PostForbiddenError(post_id)
    return post


def _show(
    request: HttpRequest, form: PostForm, *, post: Post | None = None, status: int = 200
) -> HttpResponse:
    return render(request, "posts/edit.html", {"form": form, "post": post}, status=status)


def _tell(form: PostForm, error: AppError | ValidationError) -> None:
    form.add_error(None, error.detail if isinstance(error, AppError) else error)
