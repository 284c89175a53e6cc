"""docs/reference/http.md: every address, and what it takes."""

from __future__ import annotations

import re

from orchestrator.api.desk.table import ROUTES
from tools.docs.tables import table

_CIRCUIT = re.compile(r":circuit\}")


def addresses() -> str:
    """The table of addresses."""
    rows = [
        [
            f"`{route.method} {_CIRCUIT.sub('}', route.path)}`",
            route.says,
            "no key" if route.act is None else f"`{route.act}`",
        ]
        for route in ROUTES
    ]
    return table(["address", "what it does", "act"], rows)
