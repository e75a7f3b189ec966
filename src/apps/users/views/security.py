"""How an account is kept safe: its password, the tokens of programs, and who signed in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters

from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.users import selectors, services
from apps.users.forms import NewPasswordForm
from apps.users.throttles import SignInThrottle, TokenThrottle


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SecurityPage(PersonalView):
    """All of it; sends the form for another password here."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _show(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        check_rate(SignInThrottle, request)
        form = NewPasswordForm(request.user, request.POST)
        if not form.is_valid():
            return _show(request, status=422, form=form)
        update_session_auth_hash(request, form.save())
        words = gettext("Your password is changed. Other browsers are signed out.")
        messages.success(request, words)
        return redirect("users:security")


class NewTokenPage(PersonalView):
    """Makes a token and shows it, this one time."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        check_rate(TokenThrottle, request)
        return _show(request, token=services.create_token(user=request.user))


class RevokeTokenPage(PersonalView):
    """Ends a token."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, token_key: str) -> HttpResponse:
        services.revoke_token(user=request.user, token_key=token_key)
        messages.success(request, gettext("The token is revoked."))
        return redirect("users:security")


def _show(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "form": NewPasswordForm(request.user),
        "tokens": selectors.list_tokens(user=request.user),
        "sign_ins": selectors.list_sign_ins(user=request.user),
        **more,
    }
    return render(request, "users/security.html", context, status=status)
