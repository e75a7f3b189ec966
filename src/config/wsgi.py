"""The WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

from apps.core.requestbody import saying_when_it_closes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = saying_when_it_closes(get_wsgi_application())
