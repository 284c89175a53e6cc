"""A pooler of transactions before PostgreSQL, of two servers, with a thread for each client."""

from __future__ import annotations

import os
import queue
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import SplitResult

from psycopg.pq import PGconn

_SERVERS = 2
_SSL, _GSS = 80877103, 80877104
_IDLE = b"I"


class Pooler:
    """Counts what a pooler of transactions cannot carry; a free server is not the last one used."""

    def __init__(self, place: SplitResult) -> None:
        self._address = (
            f"host={place.hostname} port={place.port} user={place.username}"
            f" password={place.password} dbname={place.path[1:]}"
        )
        self._opened: list[Any] = []  # as the driver has it, in C or in Python
        self._free: queue.Queue[socket.socket] = queue.Queue()
        self._greeting = b""
        self.prepared = 0  # statements with a name
        self.listened = 0
        for _ in range(_SERVERS):
            self._free.put(self._login())
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://{place.username}@127.0.0.1:{port}{place.path}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more clients."""
        self._listener.close()
        while not self._free.empty():
            self._free.get().close()
        for one in self._opened:
            one.finish()

    def _login(self) -> socket.socket:
        # The driver logs in; from then on its socket is ours.
        opened = PGconn.connect(f"{self._address} sslmode=disable gssencmode=disable".encode())
        self._opened.append(opened)
        names = (b"server_version", b"client_encoding", b"standard_conforming_strings")
        for name in names:
            text = name + b"\0" + (opened.parameter_status(name) or b"") + b"\0"
            self._greeting += b"S" + struct.pack("!I", len(text) + 4) + text
        server = socket.socket(fileno=os.dup(opened.socket))
        server.setblocking(True)
        return server

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, EOFError), client:
            while True:
                size, code = struct.unpack("!II", _exactly(client, 8))
                if code not in (_SSL, _GSS):
                    break
                client.sendall(b"N")
            _exactly(client, size - 8)
            key = b"K" + struct.pack("!III", 12, 1, 1)  # a number of its own, as poolers give
            login = b"R" + struct.pack("!II", 8, 0)
            client.sendall(login + self._greeting + key + b"Z" + struct.pack("!I", 5) + _IDLE)
            message = _message(client)
            while message[:1] != b"X":
                server = self._free.get()
                try:
                    message = self._transact(client, server, message)
                finally:
                    self._free.put(server)

    def _transact(self, client: socket.socket, server: socket.socket, message: bytes) -> bytes:
        """Carry one transaction; answers the message after it."""
        while True:
            self.prepared += message[:1] == b"P" and message[5:6] != b"\0"
            self.listened += b"LISTEN" in message
            server.sendall(message)
            if message[:1] in (b"Q", b"S") and self._answer(client, server) == _IDLE:
                return _message(client)
            message = _message(client)
            if message[:1] == b"X":
                server.sendall(b"Q" + struct.pack("!I", 13) + b"ROLLBACK\0")
                while _message(server)[:1] != b"Z":
                    pass
                return message

    def _answer(self, client: socket.socket, server: socket.socket) -> bytes:
        while True:
            answer = _message(server)
            client.sendall(answer)
            if answer[:1] == b"Z":
                return answer[5:6]


@contextmanager
def pooled(place: SplitResult) -> Iterator[Pooler]:
    """A pooler before the database at this place, for the length of the block."""
    pooler = Pooler(place)
    try:
        yield pooler
    finally:
        pooler.close()


def _message(source: socket.socket) -> bytes:
    head = _exactly(source, 5)
    return head + _exactly(source, struct.unpack("!I", head[1:])[0] - 4)


def _exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = source.recv(size - len(found))
        if not more:
            raise EOFError
        found += more
    return found
