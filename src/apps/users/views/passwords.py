"""Another password for somebody who has forgotten theirs: by a link to their confirmed address."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext

from apps.core.pages import PageView
from apps.core.rates import check_rate
from apps.users import services
from apps.users.exceptions import NoSuchLinkError
from apps.users.forms import ForgottenPasswordForm
from apps.users.throttles import EmailThrottle


class ForgottenPasswordPage(PageView):
    """Takes an address; its answer is the same whether anybody has it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _show(request, ForgottenPasswordForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        check_rate(EmailThrottle, request)
        form = ForgottenPasswordForm(request.POST)
        if not form.is_valid():
            return _show(request, form, status=422)
        services.send_password_links(address=form.cleaned_data["email"])
        words = gettext("If an account has this address, a link is on its way there.")
        messages.success(request, words)
        return redirect("users:login")


class NewPasswordPage(PasswordResetConfirmView):
    """Where that link leads. Django keeps the token in the session and out of the address."""

    http_method_names = ["get", "head", "post", "options"]
    template_name = "users/new_password.html"
    success_url = reverse_lazy("users:login")

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        if not self.validlink:
            raise NoSuchLinkError("password")
        status = 422 if context["form"].errors else 200
        return super().render_to_response(context, status=status, **kwargs)

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        answer = super().form_valid(form)
        services.forget_failures(username=self.user.get_username())
        words = gettext("Your password is changed. Sign in with it.")
        messages.success(self.request, words)
        return answer


def _show(request: HttpRequest, form: ForgottenPasswordForm, *, status: int = 200) -> HttpResponse:
    return render(request, "users/forgotten_password.html", {"form": form}, status=status)
