"""The proxy of alerts: the library that carries them reads the environment and no setting."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from orchestrator.domain.text.endpoints import NO_PROXY_AT_ALL

_THIS_MACHINE = "localhost,127.0.0.0/8,::1"


def show_proxy(environment: MutableMapping[str, str] = os.environ) -> None:
    """Write down for the library what MESHLINE_PROXY says, and that this machine needs no proxy."""
    said = environment.get("MESHLINE_PROXY")
    if said:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            environment.pop(name.upper(), None)
            environment.pop(name, None)
            if said != NO_PROXY_AT_ALL and name != "all_proxy":
                environment[name] = said if "://" in said else f"http://{said}"
    direct = environment.get("no_proxy") or environment.get("NO_PROXY", "")
    if _THIS_MACHINE not in direct:
        environment["no_proxy"] = f"{direct},{_THIS_MACHINE}".lstrip(",")
