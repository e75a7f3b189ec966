"""How gunicorn serves the project, in service and under `make run`.

    gunicorn --config deploy/gunicorn.py config.wsgi:application

Uploads read from the line as the bytes come, so a slow one keeps a thread for as long as it takes.
Threads that wait cost little; there are enough of them for hundreds of slow lines, and none of them
keeps a connection to the database while it waits.
"""

import gc
import logging
import os
import signal

# The little arithmetic of the web needs no threads, each of which would keep buffers.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
preload_app = True
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "128"))
timeout = 60
graceful_timeout = 5
keepalive = 15
control_socket_disable = True


def on_starting(server):
    """Access lines, where somebody asks for them, name no share link and nothing that is signed."""
    from apps.core.logs import JsonLines, SafeLines

    logging.getLogger("gunicorn.access").addFilter(SafeLines())
    if os.environ.get("LOG_FORMAT") == "json":
        for name in ("gunicorn.access", "gunicorn.error"):
            for handler in logging.getLogger(name).handlers:
                handler.setFormatter(JsonLines())


def when_ready(server):
    """What every worker needs is loaded before they part, and stays common to all."""
    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()


def post_worker_init(worker):
    """Told to stop, running uploads save what has come and answer, instead of being cut off, and
    streams end."""
    from apps.media.services import stop_holding
    from apps.notifications.live import STREAMS

    finish = signal.getsignal(signal.SIGTERM)

    def stop(number, frame):
        stop_holding()
        STREAMS.stop()
        finish(number, frame)

    signal.signal(signal.SIGTERM, stop)
