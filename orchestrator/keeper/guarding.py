"""Where an alert may go: the library that carries it connects by itself, and follows redirects.

So every connection that is made for a message is looked at as it is made, after the name was
resolved, whatever library makes it.
"""

from __future__ import annotations

import ipaddress
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.http.networks import REFUSED, REFUSED_ALWAYS, AddressRefused, is_metadata, is_public

_EVENTS = frozenset({"socket.connect", "socket.sendto"})
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


@dataclass(kw_only=True)
class Guard:
    """What may be reached while one message is carried."""

    private: bool
    written: frozenset[str]  # addresses that the contact's own address spells out
    refused: str | None = None  # why, once something was


# The library sends in threads of its own, to which it hands the context of its caller.
_guard: ContextVar[Guard | None] = ContextVar("guard", default=None)
_lock = threading.Lock()
_hooked = False


@contextmanager
def guarded(address: str, *, private: bool) -> Iterator[Guard]:
    """Let what is called here reach public addresses, and those that `address` itself spells out.

    With `private` any but those of clouds' metadata. What was refused is `refused` afterwards: the
    library may keep the error to itself.
    """
    _hook()
    guard = Guard(private=private, written=_written(address))
    before = _guard.set(guard)
    try:
        yield guard
    finally:
        _guard.reset(before)


def _written(address: str) -> frozenset[str]:
    try:
        host = urlsplit(address).hostname or ""
        return frozenset({str(ipaddress.ip_address(host))})
    except ValueError:
        return _LOOPBACK if "//localhost" in address or "@localhost" in address else frozenset()


def _hook() -> None:
    """Look at this process's connections from now on: a hook of the interpreter stays for good."""
    global _hooked  # noqa: PLW0603 - once a process
    with _lock:
        if not _hooked:
            sys.addaudithook(_look)
            _hooked = True


def _look(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _EVENTS or (guard := _guard.get()) is None:
        return
    where = arguments[1]
    if not isinstance(where, tuple) or not where:
        return  # a socket of this machine's own
    host = str(where[0])
    if is_metadata(host):
        guard.refused = REFUSED_ALWAYS
    elif not (guard.private or is_public(host) or host in guard.written):
        guard.refused = REFUSED
    else:
        return
    raise AddressRefused(guard.refused)
