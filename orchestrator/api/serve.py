"""Run the door: `meshline api`."""

from __future__ import annotations

import asyncio
import errno
import logging
import math
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from orchestrator.api.app import build_app
from orchestrator.api.connections import (
    ACCEPTED_AT_ONCE,
    Crowd,
    ImpatientProtocol,
    most_connections,
    without_traceback,
)
from orchestrator.api.seldom import seldom
from orchestrator.domain.errors import StartupFailed
from orchestrator.settings import Settings
from orchestrator.store.database.migrate import open_store
from orchestrator.telemetry_log import log_telemetry

_KEEP_ALIVE_SECONDS = 30
_BACKLOG = 2048


def serve(settings: Settings, *, port_file: Path | None = None) -> None:
    """Listen until SIGTERM or SIGINT, then finish what was begun, for `stop_seconds` at most.

    The port goes to `port_file` once the door answers. Raises StartupFailed, StoreUnavailable,
    SchemaMismatch.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s door: %(message)s")
    log_telemetry()
    with listen(settings.host, settings.port) as listener:
        store = open_store(settings.store_url)
        try:
            server = DoorServer(build_app(store, settings), settings, port_file=port_file)
            _end_on_signal(server)
            server.run(sockets=[listener])
        finally:
            store.close()


class DoorServer(uvicorn.Server):
    """uvicorn as the door runs it."""

    def __init__(
        self, app: Starlette, settings: Settings, *, port_file: Path | None = None
    ) -> None:
        config = uvicorn.Config(
            app,
            http=_protocol(),
            backlog=ACCEPTED_AT_ONCE,  # the event loop accepts as many before it looks up
            ws="none",
            lifespan="on",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=math.ceil(settings.stop_seconds),
        )
        super().__init__(config)
        self._port_file = port_file
        self._release: Callable[[], object] = getattr(app.state, "release", _nothing)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what was begun; who only waits for news is answered now."""
        self._release()
        await super().shutdown(sockets=sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where."""
        asyncio.get_running_loop().set_exception_handler(without_traceback)
        for strangers_write in ("uvicorn.error", "asyncio"):
            seldom(strangers_write)
        await super().startup(sockets=sockets)
        if not sockets or not self.started:
            return
        for listener in sockets:
            listener.listen(_BACKLOG)  # the system may let more wait than are accepted at once
        host, port = sockets[0].getsockname()[:2]
        if self._port_file:
            half = self._port_file.with_suffix(".half")
            half.write_text(str(port))
            half.replace(self._port_file)  # whoever waits for the file finds all of it
        shown = f"[{host}]" if ":" in host else host
        print(f"door: http://{shown}:{port}", flush=True)  # noqa: T201 - the line that people read


def _protocol() -> type[ImpatientProtocol]:
    """The protocol of one door, whose connections share one crowd."""
    return type("DoorProtocol", (ImpatientProtocol,), {"crowd": Crowd(most_connections())})


def _end_on_signal(server: uvicorn.Server) -> None:
    if threading.current_thread() is not threading.main_thread():
        return

    # uvicorn has handlers of its own while it serves. When it has stopped it raises the signal
    # again, which would end the process before the store is closed, and not with 0.
    def end(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is a free one. Raises StartupFailed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is: an answer
    # in two writes would otherwise wait 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise StartupFailed(_why(error, host, port)) from None
    return listener


def _why(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror):
        return f"{host} is not an address of this machine: {error.strerror}; see MESHLINE_HOST"
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use: stop what listens there, or set MESHLINE_PORT to"
            " another port (0 takes a free one)"
        )
    return f"port {port} on {host} cannot be listened on: {error.strerror}; see MESHLINE_PORT"


def _nothing() -> None:
    """Nobody waits for news of an application that has none."""
