"""Where files of another library used to be: `path("media/", include("apps.media.formerly"))`.

Include it for each beginning of old addresses, behind `apps.media.urls`. Without it they lead
nowhere.
"""

from django.urls import path

from apps.media.views.former import former

urlpatterns = [path("<path:rest>", former)]
