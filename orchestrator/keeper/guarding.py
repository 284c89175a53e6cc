"""Where an alert may go: the library that carries it connects by itself, and follows redirects.

So every connection that is made for a message is looked at as it is made, after the name was
resolved, whatever library makes it. Behind a proxy, what the proxy is asked for is looked at.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.http.wire.networks import AddressRefused, refusal
from connectors.http.wire.proxies import Proxies, UnusableProxy, target_of

_EVENTS = frozenset({"socket.connect", "socket.sendto"})
_REQUEST = "http.client.send"
# How a request begins that a proxy is to carry on.
_FOR_PROXY = re.compile(rb"CONNECT (\S+):\d+ HTTP/|[A-Z]+ https?://([^/?#\s]+)\S* HTTP/")
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


@dataclass(kw_only=True)
class Guard:
    """What may be reached while one message is carried."""

    private: bool
    written: frozenset[str]  # addresses that the contact's own address spells out
    proxies: frozenset[str]  # addresses of the proxies that it may go by
    refused: str | None = None  # why, once something was


# The library sends in threads of its own, to which it hands the context of its caller.
_guard: ContextVar[Guard | None] = ContextVar("guard", default=None)
_lock = threading.Lock()
_hooked = False


@contextmanager
def guarded(address: str, *, private: bool) -> Iterator[Guard]:
    """Let what is called here reach public addresses, and those that `address` itself spells out.

    With `private` any but those of clouds' metadata. Refused addresses are in `refused` afterwards:
    the library may keep the error to itself.
    """
    _hook()
    guard = Guard(private=private, written=_written(address), proxies=_proxies())
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
    if (guard := _guard.get()) is None:
        return
    if event == _REQUEST:
        _look_behind_proxy(guard, arguments[1])
    elif event in _EVENTS:
        where = arguments[1]
        if isinstance(where, tuple) and where and str(where[0]) not in guard.proxies:
            _judge(guard, [str(where[0])])


def _look_behind_proxy(guard: Guard, data: object) -> None:
    """Look at what a proxy is asked for, as far as the name leads somewhere here."""
    found = _FOR_PROXY.match(data) if isinstance(data, bytes) else None
    if found is None:
        return
    host = urlsplit(f"//{(found[1] or found[2]).decode('latin-1')}").hostname or ""
    try:
        infos = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return  # the proxy's to judge: behind many firewalls it alone resolves names
    _judge(guard, [str(info[4][0]) for info in infos])


def _judge(guard: Guard, addresses: list[str]) -> None:
    refused = refusal(addresses, private_network=guard.private or guard.written >= {*addresses})
    if refused:
        guard.refused = refused
        raise AddressRefused(refused)


def _proxies() -> frozenset[str]:
    """Where the proxies of this process are."""
    found: set[str] = set()
    for scheme in ("http", "https"):
        try:
            proxy = Proxies().of(scheme, "", None)
            infos = socket.getaddrinfo(target_of(proxy.url)[1], None) if proxy else []
        except (UnusableProxy, OSError):
            continue  # the library will not get anywhere either
        found.update(str(info[4][0]) for info in infos)
    return frozenset(found)
