"""Which proxy a connection goes by, as an argument or the environment says."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from meshline.errors import Misconfigured

_LOOPBACK = ("localhost", "::1")


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy."""

    host: str
    port: int
    headers: Mapping[str, str] = field(repr=False)  # its login, where the address has one


def proxy_for(door: SplitResult, given: str | None) -> Proxy | None:
    """The proxy to a door; `given` is an address, "" for none, or None: as the environment says.

    HTTPS_PROXY, HTTP_PROXY and NO_PROXY are read as other programs read them. A door on loopback
    is never asked by a proxy of the environment. Raises Misconfigured for a wrong address.
    """
    if given is not None:
        return _parsed(given, "proxy") if given else None
    host = door.hostname or ""
    if host in _LOOPBACK or host.startswith("127."):
        return None
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib import request  # slow to load

    found = request.getproxies_environment()
    address = found.get(door.scheme) or found.get("all")
    where = f"{host}:{door.port}" if door.port else host
    if not address or request.proxy_bypass_environment(where, found):  # type: ignore[attr-defined]
        return None
    return _parsed(address, f"{door.scheme.upper()}_PROXY")


def _parsed(address: str, name: str) -> Proxy:
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme != "http":
        raise Misconfigured(
            "is not the address of an HTTP proxy",  # which may hold a login, and is not shown
            code="invalid_proxy",
            field=name,
            fix="write http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT",
        )
    return Proxy(host=host, port=port or 80, headers=_login(parts))


def _login(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
