"""The language that somebody reads in: a cookie keeps it for a browser, their account for them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from apps.users import services
from apps.users.models import User


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Django's view, and whoever is signed in finds it in every browser and in mails."""
    answer = set_language(request)
    if request.user.is_authenticated:
        services.remember_language(user=request.user, language=request.POST.get("language", ""))
    return answer


def bring_language(response: HttpResponse, user: User) -> None:
    """Have the browser that `user` signs in with show the language that they chose in another."""
    if user.language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            user.language,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            path=settings.LANGUAGE_COOKIE_PATH,
            domain=settings.LANGUAGE_COOKIE_DOMAIN,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite=settings.LANGUAGE_COOKIE_SAMESITE,
        )
