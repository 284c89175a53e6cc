"""Faults that are planted on purpose: a run that does not count each of them proves nothing.

`MESHLINE_…` is the product's; a plant is named by PLANT, which only the fuzzer's processes read.
A door is started by `python -m tests.fuzz.plants COMMAND…`, which plants and then runs the command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

PLANT = "PLANT"
SECRET = "FUZZ_SECRET"


def slow_validation() -> None:
    """Some payloads keep the validator busy."""
    import time

    from orchestrator.domain.contracts.contract import Contract

    honest = Contract.violations

    def slow(self: Contract, payload: object) -> object:
        if isinstance(payload, dict) and "message" in payload:
            end = time.process_time() + 2.5
            while time.process_time() < end:
                pass
        return honest(self, payload)

    Contract.violations = slow  # type: ignore[method-assign,assignment]


def traceback() -> None:
    """Some bodies are met by an error that nobody expected."""
    from orchestrator.domain.documents import strict_json

    honest = strict_json.loads

    def broken(raw: bytes | str, **options: object) -> object:
        found = honest(raw, **options)  # type: ignore[arg-type]
        if isinstance(found, list) or (
            isinstance(found, dict) and found.get("type", "lead.created") != "lead.created"
        ):
            raise KeyError("planted")
        return found

    strict_json.loads = broken


def leaked_secret() -> None:
    """A refusal says more than it should."""
    from orchestrator.domain import errors

    honest = errors.Refused.__init__

    def telling(self: errors.Refused, detail: str, **more: str | None) -> None:
        honest(self, f"{detail} ({os.environ.get(SECRET)})", **more)

    errors.Refused.__init__ = telling  # type: ignore[method-assign]


PLANTS: Mapping[str, Callable[[], None]] = {
    "slow-validation": slow_validation,
    "traceback": traceback,
    "leaked-secret": leaked_secret,
}


def plant_here() -> None:
    """Plant in this process what PLANT names, if anything."""
    if name := os.environ.get(PLANT):
        PLANTS[name]()


def main() -> None:
    """Plant, then be the `meshline` command."""
    plant_here()
    from orchestrator.cli.main import main as meshline

    meshline()


if __name__ == "__main__":
    sys.argv[0] = "meshline"
    main()
