"""What the section on sharing does, on the page of a file and on that of a collection: people and
groups, and links."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable

import segno
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from apps.core.byteserving import LOCKED_HEADERS
from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.media import selectors, services
from apps.media.exceptions import BadRequestError, ExpiryInPastError
from apps.media.forms import GrantChangeForm, GrantForm, ShareLinkForm
from apps.media.models import Grant
from apps.media.policies import Shared
from apps.media.rates import SharingRate
from apps.media.views.filepages import show_detail


def show_file(request: HttpRequest, shared: Shared, *, status: int, **forms: Form) -> HttpResponse:
    """The page of a file, with what was filled in."""
    media = selectors.get_detailed_media(user=request.user, media_id=shared.pk)
    return show_detail(request, media, status=status, **forms)


class SharingPage(PersonalView):
    """Any of these. `find` gives what the address names to those who may share it, `show` is its
    page."""

    http_method_names = ["post"]
    find: Callable[..., Shared] = staticmethod(selectors.get_shareable_media)
    show: Callable[..., HttpResponse] = staticmethod(show_file)

    def shared(self, target: dict[str, uuid.UUID]) -> Shared:
        """`target` is the part of the address that names it."""
        return self.find(user=self.request.user, **target)


class AddGrantView(SharingPage):
    """Lets a person or a group in."""

    def post(self, request: HttpRequest, **target: uuid.UUID) -> HttpResponse:
        check_rate(SharingRate, request)
        shared = self.shared(target)
        form = GrantForm(request.POST)
        if form.is_valid() and _grant(request, shared, form):
            words = gettext("%(name)s has access.") % {"name": form.cleaned_data["name"]}
            messages.success(request, words)
            return redirect(shared)
        return self.show(request, shared, status=422, grant_form=form)


def _grant(request: HttpRequest, shared: Shared, form: GrantForm) -> bool:
    said = dict(form.cleaned_data)
    try:
        named = {said.pop("kind"): said.pop("name")}
        recipient = selectors.find_recipient(**named, by_id=False)
        services.grant_access(user=request.user, media=shared, to=recipient, **said)
    except ExpiryInPastError as error:
        form.add_error("expires_at", error.detail)
    except BadRequestError as error:
        form.add_error("name", error.detail)
    else:
        return True
    return False


class ChangeGrantView(SharingPage):
    """Changes a right, or when it ends."""

    def post(self, request: HttpRequest, grant_id: uuid.UUID, **target: uuid.UUID) -> HttpResponse:
        check_rate(SharingRate, request)
        shared = self.shared(target)
        grant = selectors.get_grant(user=request.user, media=shared, grant_id=grant_id)
        form = GrantChangeForm.of(grant, request.POST)
        if form.is_valid() and _change(request, grant, form):
            words = gettext("The access of %(name)s is changed.")
            messages.success(request, words % {"name": grant.user or grant.group})
            return redirect(shared)
        return self.show(request, shared, status=422, changed_grant=form)


def _change(request: HttpRequest, grant: Grant, form: GrantChangeForm) -> bool:
    try:
        services.change_grant(user=request.user, grant=grant, **form.changes())
    except ExpiryInPastError as error:
        form.add_error("expires_at", error.detail)
        return False
    return True


class RemoveGrantView(SharingPage):
    """Takes a right back."""

    def post(self, request: HttpRequest, grant_id: uuid.UUID, **target: uuid.UUID) -> HttpResponse:
        shared = self.shared(target)
        grant = selectors.get_grant(user=request.user, media=shared, grant_id=grant_id)
        services.revoke_access(user=request.user, grant=grant)
        name = str(grant.user or grant.group)
        messages.success(request, gettext("%(name)s has no access any more.") % {"name": name})
        return redirect(shared)


class AddLinkView(SharingPage):
    """Makes a link."""

    def post(self, request: HttpRequest, **target: uuid.UUID) -> HttpResponse:
        check_rate(SharingRate, request)
        shared = self.shared(target)
        form = ShareLinkForm(request.POST)
        if form.is_valid() and _make_link(request, shared, form):
            messages.success(request, gettext("The link is made."))
            return redirect(shared)
        return self.show(request, shared, status=422, link_form=form)


def _make_link(request: HttpRequest, shared: Shared, form: ShareLinkForm) -> bool:
    try:
        services.create_share_link(user=request.user, media=shared, **form.cleaned_data)
    except ExpiryInPastError as error:
        form.add_error("expires_at", error.detail)
        return False
    return True


class RemoveLinkView(SharingPage):
    """Ends a link."""

    def post(self, request: HttpRequest, link_id: uuid.UUID, **target: uuid.UUID) -> HttpResponse:
        shared = self.shared(target)
        link = selectors.get_share_link(user=request.user, media=shared, link_id=link_id)
        services.revoke_share_link(user=request.user, link=link)
        messages.success(request, gettext("The link opens nothing any more."))
        return redirect(shared)


class LinkCodeView(SharingPage):
    """A link as a picture that a phone reads, for whoever may see the link."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, link_id: uuid.UUID, **target: uuid.UUID) -> HttpResponse:
        shared = self.shared(target)
        link = selectors.get_share_link(user=request.user, media=shared, link_id=link_id)
        code = segno.make_qr(request.build_absolute_uri(link.get_absolute_url()), error="m")
        picture = io.BytesIO()
        code.save(picture, kind="svg", scale=8, light="white", xmldecl=False)
        response = HttpResponse(
            picture.getvalue(), content_type="image/svg+xml", headers=LOCKED_HEADERS
        )
        response.headers["Cache-Control"] = "no-store"
        return response


ADDRESSES = [  # below that of the page
    ("grants/", AddGrantView, "add-grant"),
    ("grants/<uuid:grant_id>/", ChangeGrantView, "change-grant"),
    ("grants/<uuid:grant_id>/delete/", RemoveGrantView, "remove-grant"),
    ("links/", AddLinkView, "add-link"),
    ("links/<uuid:link_id>/code.svg", LinkCodeView, "code-of-link"),
    ("links/<uuid:link_id>/delete/", RemoveLinkView, "remove-link"),
]
