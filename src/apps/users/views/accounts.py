"""Accounts: pages for people, tokens for programs.

Failed sign-ins are counted by django-axes, whichever way they come in.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView
from drf_spectacular.utils import OpenApiResponse, extend_schema
from knox.models import AuthToken, get_token_model
from rest_framework import serializers, status
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from apps.core.errors import AppError
from apps.core.rates import check_rate
from apps.core.schema import problem
from apps.core.words import gettext_noop as _
from apps.users import services
from apps.users.forms import SignUpForm
from apps.users.models import User
from apps.users.throttles import SignInThrottle, SignUpThrottle, TokenThrottle
from apps.users.views.languages import bring_language

METHODS = ["get", "head", "post", "options"]  # else a PUT is taken for a POST
BACKEND = "django.contrib.auth.backends.ModelBackend"


class InvalidCredentialsError(AppError):
    """Name and password do not belong together; does not say which of them is wrong."""

    code = "invalid_credentials"
    status = 400
    message = _("This user name and password do not belong together.")


class SignInView(LoginView):
    http_method_names = METHODS
    template_name = "users/login.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        check_rate(SignInThrottle, request)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        answer = super().form_valid(form)
        bring_language(answer, form.get_user())
        return answer


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class SignUpView(FormView):
    """A new account, signed in at once."""

    http_method_names = METHODS
    template_name = "users/signup.html"
    form_class = SignUpForm
    success_url = reverse_lazy("media:library")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated:
            return redirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        check_rate(SignUpThrottle, request)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        try:
            with transaction.atomic():
                user = form.save()
        except IntegrityError:  # somebody else has taken the name in this moment
            form.add_error("username", form.instance.unique_error_message(User, ("username",)))
            return self.form_invalid(form)
        # Their mails are in the language that they read this in.
        services.remember_language(user=user, language=get_language() or "")
        login(self.request, user, backend=BACKEND)
        return super().form_valid(form)


class CredentialsSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="Send it as `Authorization: Token …`.")


class TokenView(APIView):
    """Tokens for programs."""

    permission_classes: list[Any] = []

    def get_authenticators(self) -> list[Any]:
        # Whoever asks for a token has none yet, and a stale session must not be in the way.
        asking = self.request is not None and self.request.method == "POST"
        return [] if asking else super().get_authenticators()

    def get_throttles(self) -> list[BaseThrottle]:
        return [TokenThrottle()] if self.request.method == "POST" else []

    @extend_schema(
        auth=[],
        request=CredentialsSerializer,
        responses={
            200: TokenSerializer,
            **problem(400, "`invalid_credentials`, or a field is missing"),
            **problem(429, "Too many attempts"),
        },
    )
    def post(self, request: Request) -> Response:
        """Exchange a name and a password for a token."""
        form = CredentialsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        # The plain request: the counter of failures marks it, and its middleware answers.
        user = authenticate(request._request, **form.validated_data)
        if user is None:
            raise InvalidCredentialsError
        token = get_token_model().objects.create(user)[1]
        return Response({"token": token}, headers={"Cache-Control": "no-store"})

    @extend_schema(request=None, responses={204: OpenApiResponse(description="Revoked")})
    def delete(self, request: Request) -> Response:
        """Revoke the token that this request is made with."""
        token = request.auth
        if not isinstance(token, AuthToken):
            raise NotAuthenticated
        token.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
