"""A real terminal to write to, and all that came to it."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from threading import Thread
from types import TracebackType
from typing import Self

_ROWS = 40


class Terminal:
    """A pseudo-terminal of so many columns; what was written is `text` after the block."""

    def __init__(self, *, columns: int) -> None:
        self._reading, writing = os.openpty()
        fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
        self.stream = os.fdopen(writing, "w", encoding="utf-8")
        self._came: list[bytes] = []
        self._reader = Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stream.close()
        self._reader.join()
        os.close(self._reading)

    @property
    def text(self) -> str:
        """What came, with the line ends of a file."""
        return b"".join(self._came).decode().replace("\r\n", "\n")

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._reading, 65_536)
            except OSError:  # Linux says so where nobody holds the other end any more
                return
            if not piece:
                return
            self._came.append(piece)
