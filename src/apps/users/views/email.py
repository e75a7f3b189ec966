"""Where mails of a person go: asked for, confirmed by whoever reads there, forgotten."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters

from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.users import selectors, services
from apps.users.exceptions import WrongPasswordError
from apps.users.forms import EmailForm
from apps.users.throttles import EmailThrottle, SignInThrottle


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class EmailPage(PersonalView):
    """Shows where mails go, and takes another address."""

    def get(self, request: HttpRequest) -> HttpResponse:
        change = selectors.find_email_change(user=request.user)
        return _show(request, EmailForm(initial={"address": change.address if change else ""}))

    def post(self, request: HttpRequest) -> HttpResponse:
        check_rate(SignInThrottle, request)
        check_rate(EmailThrottle, request)
        form = EmailForm(request.POST)
        if not form.is_valid():
            return _show(request, form, status=422)
        try:
            services.propose_email(user=request.user, **form.cleaned_data)
        except WrongPasswordError as error:
            form.add_error("password", error.detail)
            return _show(request, form, status=422)
        return redirect("users:email")


class ForgetEmailPage(PersonalView):
    """Takes the button: no more mails."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        services.forget_email(user=request.user)
        messages.success(request, gettext("No more e-mails are sent to you."))
        return redirect("users:email")


class ConfirmEmailPage(PersonalView):
    """Where the link of a mail leads. Opening it changes nothing yet: programs that look for
    viruses open links, too."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        change = selectors.get_email_change(user=request.user, token=token)
        return render(request, "users/confirm_email.html", {"change": change})

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        services.confirm_email(user=request.user, token=token)
        messages.success(request, gettext("Your e-mail address is confirmed."))
        return redirect("users:email")


def _show(request: HttpRequest, form: EmailForm, *, status: int = 200) -> HttpResponse:
    change = selectors.find_email_change(user=request.user)
    return render(request, "users/email.html", {"form": form, "change": change}, status=status)
