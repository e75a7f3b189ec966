"""The project's settings with an app that only tests have: objects that use media files."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as _APPS

WHITENOISE_AUTOREFRESH = True  # else each client of a test looks through all static files first
LIVE_STREAMS = 0  # unless a test is about them: their threads outlive it
INSTALLED_APPS = [*_APPS, "apps.media.tests.hosts"]
