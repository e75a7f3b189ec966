"""The project's settings with an app that only tests have: objects that use media files."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "apps.media.tests.hosts"]
