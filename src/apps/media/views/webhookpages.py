"""The pages of webhooks: what is told to which address, and what became of each message."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from apps.core.errors import AppError
from apps.core.pages import PersonalView
from apps.core.rates import check_rate
from apps.media import selectors, services
from apps.media.exceptions import BadRequestError
from apps.media.forms import WebhookForm
from apps.media.models import Webhook
from apps.media.rates import WebhookRate
from apps.media.views.listing import read_shown


class WebhooksPage(PersonalView):
    """The visitor's webhooks, and the form for another."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(request, WebhookForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        check_rate(WebhookRate, request)
        form = WebhookForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, status=422)
        try:
            webhook, secret = services.create_webhook(user=request.user, **form.cleaned_data)
        except AppError as error:
            form.add_error(None, error.detail)
            return self._show(request, form, status=error.status)
        return _show_one(request, webhook, secret=secret)

    def _show(self, request: HttpRequest, form: WebhookForm, *, status: int = 200) -> HttpResponse:
        context = {"webhooks": selectors.list_webhooks(user=request.user), "form": form}
        return render(request, "media/webhooks.html", context, status=status)


class WebhookPage(PersonalView):
    """One webhook with its messages; the button that was pressed says in `do` what to do."""

    def get(self, request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
        return _show_one(request, selectors.get_webhook(user=request.user, webhook_id=webhook_id))

    def post(self, request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
        check_rate(WebhookRate, request)
        webhook = selectors.get_webhook(user=request.user, webhook_id=webhook_id)
        act = ACTIONS.get(request.POST.get("do", ""))
        if act is None:
            raise BadRequestError("do")
        return act(request, webhook)


class ReplayPage(PersonalView):
    """Sends a message once more."""

    http_method_names = ["post"]

    def post(
        self, request: HttpRequest, webhook_id: uuid.UUID, delivery_id: uuid.UUID
    ) -> HttpResponse:
        check_rate(WebhookRate, request)
        delivery = selectors.get_delivery(
            user=request.user, webhook_id=webhook_id, delivery_id=delivery_id
        )
        services.replay_delivery(user=request.user, delivery=delivery)
        messages.success(request, gettext("The message is sent again."))
        return redirect("media:webhook-page", webhook_id)


def _save(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    form = WebhookForm(request.POST)
    if not form.is_valid():
        return _show_one(request, webhook, form=form, status=422)
    try:
        services.update_webhook(user=request.user, webhook=webhook, **form.cleaned_data)
    except AppError as error:
        form.add_error(None, error.detail)
        return _show_one(request, webhook, form=form, status=error.status)
    return _done(request, webhook, gettext("Changes saved."))


def _turn(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    enabled = request.POST["do"] == "on"
    services.update_webhook(user=request.user, webhook=webhook, enabled=enabled)
    return _done(request, webhook, gettext("It is on.") if enabled else gettext("It is off."))


def _ping(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    services.ping_webhook(user=request.user, webhook=webhook)
    return _done(request, webhook, gettext("A message to try it out is on its way."))


def _renew(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    secret = services.rotate_webhook_secret(user=request.user, webhook=webhook)
    return _show_one(request, webhook, secret=secret)


def _remove(request: HttpRequest, webhook: Webhook) -> HttpResponse:
    services.delete_webhook(user=request.user, webhook=webhook)
    messages.success(request, gettext("The webhook is removed."))
    return redirect("media:webhooks-page")


ACTIONS: dict[str, Callable[[HttpRequest, Webhook], HttpResponse]] = {
    "save": _save,
    "on": _turn,
    "off": _turn,
    "ping": _ping,
    "renew": _renew,
    "remove": _remove,
}


def _done(request: HttpRequest, webhook: Webhook, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("media:webhook-page", webhook.pk)


def _show_one(
    request: HttpRequest, webhook: Webhook, *, status: int = 200, **more: Any
) -> HttpResponse:
    """The page of `webhook`; `secret` in `more` is shown, this one time."""
    rows = selectors.list_deliveries(user=request.user, webhook_id=webhook.pk).defer("payload")
    context = {
        "webhook": webhook,
        "form": WebhookForm.of(webhook),
        "page": read_shown(rows, ordering="-pk", cursor=request.GET.get("cursor")),
        **more,
    }
    return render(request, "media/webhook.html", context, status=status)
