"""Addresses of accounts: signing in, up and out, and tokens for programs."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from apps.users import views

app_name = "users"

urlpatterns = [
    path("accounts/login/", views.SignInView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/signup/", views.SignUpView.as_view(), name="signup"),
    path("api/v1/auth/token/", views.TokenView.as_view(), name="token"),
]
