"""The doctor's look at proxies: whether calls go out by one, and whether it can be reached."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from orchestrator.cli.doctor.findings import CheckResult, broken, ok

_SECONDS = 2.0
_PORTS = {"http": 80, "https": 443}


def look_at_proxies() -> Iterator[CheckResult]:
    """Each proxy that calls of connectors and alerts go out by; nothing where there is none."""
    from connectors.http.wire.proxies import Proxies, UnusableProxy, target_of

    proxies = Proxies()
    found: dict[str, list[str]] = {}
    for scheme in ("https", "http"):
        try:
            proxy = proxies.of(scheme, "", None)
        except UnusableProxy as error:
            yield broken("proxy", str(error), "correct it, or set MESHLINE_PROXY")
            return
        if proxy is not None:
            found.setdefault(proxy.url, []).append(f"{scheme}://")
    for url, schemes in found.items():
        told = f"calls to {' and '.join(schemes)} go out by {url}"
        scheme, host, port = target_of(url)
        try:
            socket.create_connection((host, port or _PORTS[scheme]), _SECONDS).close()
        except OSError:
            fix = "start it, or correct the variable that names it"
            yield broken("proxy", f"{told}, which cannot be reached", fix)
        else:
            yield ok("proxy", told)
