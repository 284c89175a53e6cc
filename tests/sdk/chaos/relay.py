"""What is between producers and the door: it is cut, and comes back."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress

_RESET = struct.pack("ii", 1, 0)
_LOST = 0.15  # of the answers
_SHORTEST, _LONGEST = 0.05, 0.6  # seconds that the door is there, or is not


class Relay:
    """Takes connections at a port of its own and leads them to the door, half of the time."""

    def __init__(self, port: int, seed: int) -> None:
        self._door = port
        self._chance = random.Random(f"relay-{seed}")
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._up = True
        self._always_up = False
        self._ended = threading.Event()
        self.cuts = self.lost_answers = 0
        self.seconds = {True: 0.0, False: 0.0}  # up, down
        for target in (self._accept, self._switch):
            threading.Thread(target=target, daemon=True).start()

    def stay_up(self) -> None:
        """From now on the door is there."""
        self._always_up = True
        self._up = True

    def close(self) -> None:
        """Stop."""
        self._ended.set()
        self._listener.close()
        self._cut()

    def _switch(self) -> None:
        while not self._ended.is_set():
            seconds = self._chance.uniform(_SHORTEST, _LONGEST)
            began = time.monotonic()
            self._ended.wait(seconds)
            if self._always_up:
                return
            self.seconds[self._up] += time.monotonic() - began
            self._up = not self._up
            if not self._up:
                self.cuts += 1
                self._cut()

    def _cut(self) -> None:
        with self._lock:
            cut, self._open = self._open, set()
        for one in cut:  # the answer that is on its way is lost
            with suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._up:
                near.close()
                continue
            threading.Thread(target=self._lead, args=(near,), daemon=True).start()

    def _lead(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(("127.0.0.1", self._door)) as far:
            with self._lock:
                self._open |= {near, far}
            back = threading.Thread(target=_copy, args=(far, near, self._loses), daemon=True)
            back.start()
            _copy(near, far)
            back.join()
        with self._lock:
            self._open -= {near, far}

    def _loses(self) -> bool:
        """Whether the door has taken a request, and its answer gets lost."""
        with self._lock:
            lost = not self._always_up and self._chance.random() < _LOST
            self.lost_answers += lost
        return lost


def _copy(
    source: socket.socket, target: socket.socket, loses: Callable[[], bool] = lambda: False
) -> None:
    with suppress(OSError):
        while (part := source.recv(65536)) and not loses():
            target.sendall(part)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
