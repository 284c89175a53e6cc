"""A wire between a connector and a real system that a test can cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

_CHUNK = 65_536


class Wire:
    """Forwards what it is given to a port of this machine, in threads of its own."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.lost = 0  # answers that were cut off
        self._armed = b""
        self._times = 0
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._in_thread(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        _close(self._server)
        for end in list(self._open):
            _close(end)
        for thread in self._threads:
            thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lose_answer_to(self, beginning: str, *, times: int = 1) -> None:
        """Pass on the next requests that begin so, and cut the line when the answer comes."""
        self._armed, self._times = beginning.encode(), times

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                _close(near)
                continue
            far.settimeout(None)
            self._open |= {near, far}
            cut = threading.Event()
            self._in_thread(self._up, near, far, cut)
            self._in_thread(self._down, near, far, cut)

    def _up(self, near: socket.socket, far: socket.socket, cut: threading.Event) -> None:
        while chunk := _received(near):
            if self._times and chunk.startswith(self._armed):
                self._times -= 1
                cut.set()
            if not _sent(far, chunk):
                break
        with contextlib.suppress(OSError):
            far.shutdown(socket.SHUT_WR)

    def _down(self, near: socket.socket, far: socket.socket, cut: threading.Event) -> None:
        while chunk := _received(far):
            if cut.is_set():
                self.lost += 1
                break
            if not _sent(near, chunk):
                break
        for end in (near, far):
            self._open.discard(end)
            _close(end)

    def _in_thread(self, work: object, *given: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(_CHUNK)
    except OSError:
        return b""


def _sent(end: socket.socket, chunk: bytes) -> bool:
    try:
        end.sendall(chunk)
    except OSError:
        return False
    return True


def _close(end: socket.socket) -> None:
    """Close it, and wake whoever waits for it."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
