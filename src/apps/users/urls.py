"""Addresses of accounts: signing in, up and out, tokens for programs, and the pages of people."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from apps.users.views import accounts, email, passwords, profiles, security

app_name = "users"

urlpatterns = [
    path("accounts/login/", accounts.SignInView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/signup/", accounts.SignUpView.as_view(), name="signup"),
    path(
        "accounts/password/", passwords.ForgottenPasswordPage.as_view(), name="forgotten-password"
    ),
    path(
        "accounts/password/<slug:uidb64>/<slug:token>/",
        passwords.NewPasswordPage.as_view(),
        name="new-password",
    ),
    path("api/v1/auth/token/", accounts.TokenView.as_view(), name="token"),
    path("settings/profile/", profiles.EditProfilePage.as_view(), name="edit"),
    path("settings/security/", security.SecurityPage.as_view(), name="security"),
    path("settings/security/tokens/", security.NewTokenPage.as_view(), name="new-token"),
    path(
        "settings/security/tokens/<slug:token_key>/revoke/",
        security.RevokeTokenPage.as_view(),
        name="revoke-token",
    ),
    path("settings/email/", email.EmailPage.as_view(), name="email"),
    path("settings/email/forget/", email.ForgetEmailPage.as_view(), name="forget-email"),
    path("settings/email/<str:token>/", email.ConfirmEmailPage.as_view(), name="confirm-email"),
    path("settings/account/delete/", profiles.DeleteAccountPage.as_view(), name="delete"),
    path("users/<str:username>/", profiles.ProfilePage.as_view(), name="profile"),
    path("users/<str:username>/follow/", profiles.FollowPage.as_view(), name="follow"),
    path(
        "users/<str:username>/unfollow/",
        profiles.FollowPage.as_view(follows=False),
        name="unfollow",
    ),
]
