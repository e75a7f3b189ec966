"""The pages of people: what each tells of themselves, who follows whom, how accounts end."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters

from apps.core.errors import AppError
from apps.core.pages import PageView, PersonalView
from apps.core.rates import check_rate
from apps.media.policies import may_erase
from apps.media.uploadhandlers import takes_files
from apps.users import selectors, services
from apps.users.exceptions import WrongPasswordError
from apps.users.forms import DeleteAccountForm, ProfileForm
from apps.users.sections import read_sections
from apps.users.throttles import SignInThrottle


class ProfilePage(PageView):
    """A person, to everybody; what else stands there is for other apps to say."""

    def get(self, request: HttpRequest, username: str) -> HttpResponse:
        person = selectors.get_profile(user=request.user, username=username)
        context = {
            "person": person,
            "is_own": person.pk == request.user.pk,
            "is_followed": selectors.is_following(user=request.user, person=person),
            "followers": selectors.count_followers(person=person),
            "followed": selectors.count_followed(person=person),
            "sections": read_sections(request, person),
        }
        return render(request, "users/profile.html", context)


class FollowPage(PersonalView):
    """Takes the button: to follow, or no longer."""

    http_method_names = ["post"]
    follows = True

    def post(self, request: HttpRequest, username: str) -> HttpResponse:
        person = selectors.get_person(username=username)
        act = services.follow_user if self.follows else services.unfollow_user
        act(user=request.user, person=person)
        return redirect(person)


@method_decorator(takes_files, name="dispatch")
class EditProfilePage(PersonalView):
    """What the visitor says and shows of themselves."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _show_form(request, _form_of(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = _form_of(request, request.POST, request.FILES)
        if form.is_valid():
            try:
                services.update_profile(user=request.user, **form.to_fields())
            except AppError as error:
                form.add_error(None, error.detail)
            else:
                messages.success(request, gettext("Changes saved."))
                return redirect(request.user)
        return _show_form(request, form, status=422)


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class DeleteAccountPage(PersonalView):
    """Removes the visitor's account with all that is theirs, for their password; where only roles
    delete, says whom to ask."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated and not may_erase(request.user, request.user):
            answer = render(request, "users/delete_by_staff.html", status=HTTPStatus.FORBIDDEN)
            add_never_cache_headers(answer)
            return answer
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, DeleteAccountForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        check_rate(SignInThrottle, request)
        form = DeleteAccountForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, status=422)
        try:
            services.delete_account(user=request.user, **form.cleaned_data)
        except WrongPasswordError as error:
            form.add_error("password", error.detail)
            return self._show(request, form, status=422)
        logout(request)
        messages.success(request, gettext("Your account and all that was in it is deleted."))
        return redirect("media:home")

    def _show(
        self, request: HttpRequest, form: DeleteAccountForm, *, status: int = 200
    ) -> HttpResponse:
        return render(request, "users/delete.html", {"form": form}, status=status)


def _form_of(request: HttpRequest, *sent: Any) -> ProfileForm:
    """Of a copy: the form writes on it, valid or not; the frame of the page shows the visitor."""
    person = selectors.get_person(username=request.user.get_username())
    return ProfileForm(*sent, instance=person, user=request.user)


def _show_form(request: HttpRequest, form: ProfileForm, *, status: int = 200) -> HttpResponse:
    return render(request, "users/edit.html", {"form": form}, status=status)
