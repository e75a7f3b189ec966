"""Ends with 0 when the web server of this container answers; for its health check."""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0]
line = HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=3)
try:
    line.request("GET", "/healthz", headers={"Host": host})
    sys.exit(line.getresponse().status != HTTPStatus.OK)
except (OSError, HTTPException) as error:
    sys.exit(str(error))
