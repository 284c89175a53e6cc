"""Run Flower: the workers and tasks as Celery reports them, the events as the store knows them."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from celery import Celery
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

from orchestrator.dashboard.access.entrance import entrance_of
from orchestrator.dashboard.flower import EventsFlower
from orchestrator.dashboard.heart import Heart
from orchestrator.dashboard.reader import StoreReader
from orchestrator.domain.errors import StartupFailed, StoreUnavailable
from orchestrator.settings import Settings
from orchestrator.starting import connections_that_fit

log = logging.getLogger(__name__)

_MOST_CONNECTIONS = 1_000
_IDLE_SECONDS = 30.0  # for a request's head to arrive, and between two requests
_LARGEST_BODY = 1_048_576  # bytes; Flower's own default would buffer a hundred times as much


def serve(settings: Settings, *, port_file: Path | None = None) -> None:
    """Run Flower until SIGTERM or SIGINT; the port is written to `port_file`.

    Neither the broker nor the store has to be there: Flower waits for the one, and the pages say
    so of the other. Raises StartupFailed without a password or with a port in use, SchemaMismatch.
    """
    reader = StoreReader(settings.store_url)
    entrance = entrance_of(settings, reader)
    celery = Celery("meshline")
    celery.conf.update(settings.celery_config())
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s flower: %(message)s")
    with closing(reader):
        _try(reader)
        listener = _listen(settings.flower_host, settings.flower_port)
        key = settings.link_key.get_secret_value() if settings.link_key else ""
        flower = EventsFlower(
            celery, entrance=entrance, link_key=key, connectors=settings.connectors
        )
        server = _FewConnections(
            flower, max_body_size=_LARGEST_BODY, idle_connection_timeout=_IDLE_SECONDS
        )
        server.add_socket(listener)
        for number in (signal.SIGTERM, signal.SIGINT):
            flower.io_loop.asyncio_loop.add_signal_handler(number, flower.io_loop.stop)
        heart = Heart(reader)
        heart.start()
        _announce(settings.flower_host, listener.getsockname()[1], port_file)
        try:
            flower.start()
        finally:
            heart.stop()
            flower.stop()


class _FewConnections(HTTPServer):
    """Closes a connection that is one too many: Tornado would spin where no file is left."""

    def initialize(self, *arguments: Any, **named: Any) -> None:
        """Begin without a connection."""
        super().initialize(*arguments, **named)
        self._most = connections_that_fit(_MOST_CONNECTIONS, accepted_at_once=1)

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """A client is there."""
        if len(self._connections) >= self._most:
            stream.close()
        else:
            super().handle_stream(stream, address)


def _try(reader: StoreReader) -> None:
    try:
        reader.open()
    except StoreUnavailable as error:
        log.warning("%s; our pages say so until it does", error)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise StartupFailed(_why(error, host, port)) from None
    listener.setblocking(False)
    return listener


def _why(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror):
        return f"MESHLINE_FLOWER_HOST: {host} is not an address of this machine"
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use: stop what listens there, or set"
            " MESHLINE_FLOWER_PORT to another port (0 takes a free one)"
        )
    return f"cannot listen on {host} port {port}: {error.strerror}; see MESHLINE_FLOWER_PORT"


def _announce(host: str, port: int, port_file: Path | None) -> None:
    if port_file is not None:
        part = port_file.with_name(f"{port_file.name}.{os.getpid()}")
        part.write_text(f"{port}\n")
        part.replace(port_file)  # whoever waits for it finds it whole
    shown = f"[{host}]" if ":" in host else host
    sys.stdout.write(f"flower: http://{shown}:{port}\n")
    sys.stdout.flush()
