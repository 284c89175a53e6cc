"""Which proxy a request goes out by: MESHLINE_PROXY, or the usual HTTPS_PROXY and HTTP_PROXY.

NO_PROXY names hosts that are reached directly, whoever names the proxy. This machine itself is
never reached by a proxy.
"""

from __future__ import annotations

import base64
import functools
import ipaddress
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

from orchestrator.domain.text.endpoints import NO_PROXY_AT_ALL, proxy_fault

_SETTING = "MESHLINE_PROXY"


class UnusableProxy(ValueError):
    """Raised when a variable names a proxy that cannot work; the text repeats no address."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """One proxy, its login apart from its address."""

    url: str  # scheme, host and port: may be shown
    login: str | None = field(default=None, repr=False)  # the header that shows who we are there


class Proxies:
    """The proxies that an environment names, read once."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._setting = environment.get(_SETTING, "")
        self._named = dict(_named(environment))
        self.of = functools.lru_cache(maxsize=512)(self._of)

    def _of(self, scheme: str, host: str, port: int | None) -> Proxy | None:
        """The proxy for a target, or None where it is reached directly. Raises UnusableProxy."""
        name, url = self._for_scheme(scheme)
        if not url or self._is_direct(host, port):
            return None
        if fault := proxy_fault(url):
            raise UnusableProxy(f"{name}: {fault}")
        return _read(url)

    def _for_scheme(self, scheme: str) -> tuple[str, str]:
        """The variable that decides, and what it says."""
        if self._setting:
            return _SETTING, "" if self._setting == NO_PROXY_AT_ALL else self._setting
        for kind in (scheme, "all"):
            if url := self._named.get(kind):
                return f"{kind.upper()}_PROXY", url
        return "", ""

    def _is_direct(self, host: str, port: int | None) -> bool:
        address, name = _ip(host), host.rstrip(".").lower()
        if address.is_loopback if address else name == "localhost":
            return True
        entries = [one.strip().lower() for one in self._named.get("no", "").split(",")]
        return any(one and _covers(one, name, address, port) for one in entries)


_IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def _covers(entry: str, host: str, address: _IP | None, port: int | None) -> bool:
    """Whether what NO_PROXY names is a host, one above it, its network, or everything."""
    if entry == "*":
        return True
    if address is not None and "/" in entry:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name = entry.lstrip("*").lstrip(".")
    found = (host, f"{host}:{port}")
    return name in found or (address is None and any(one.endswith(f".{name}") for one in found))


def target_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port


def _named(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if environment is os.environ:
        yield from getproxies_environment().items()
        return
    for name, value in environment.items():
        if value and name.lower().endswith("_proxy"):
            yield name.lower().removesuffix("_proxy"), value


def _read(url: str) -> Proxy:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    login = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Proxy(url=f"{parts.scheme}://{host}{port}", login=login)


def _ip(host: str) -> _IP | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
