"""Ways to know that a child is ready."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from orchestrator.embedded.child import Child
from orchestrator.embedded.ports import LOOPBACK


def listens(port: int, host: str = LOOPBACK) -> Callable[[Child], bool]:
    """It takes connections."""

    def look(_: Child) -> bool:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            return False
        return True

    return look


def answers(url: str) -> Callable[[Child], bool]:
    """A GET of `url` is answered with 2xx."""
    parts = urlsplit(url)

    def look(_: Child) -> bool:
        connection = http.client.HTTPConnection(parts.hostname or LOOPBACK, parts.port, timeout=2)
        try:
            connection.request("GET", parts.path or "/")
            return 200 <= connection.getresponse().status < 300
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return look


def says(text: str) -> Callable[[Child], bool]:
    """Its log holds `text`, written since it was started."""
    return lambda child: text in child.output()
