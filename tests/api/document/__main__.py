"""`python -m tests.api.document`: hold the door's answers against /openapi.json for longer."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.api.desk.stories import open_desk
from tests.api.document.holding import NEVER_DONE, hold


def main() -> int:
    """Run it; 0 where the document holds."""
    parser = argparse.ArgumentParser(prog="fuzz-api", description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="by route and phase, at most")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="meshline-fuzz-") as folder,
        open_desk(Path(folder)) as desk,
    ):
        found = hold(desk, seed=given.seed, examples=given.examples)
    for failure in found.failures:
        _say(f"{failure}\n")
    for label, statuses in sorted(found.statuses.items()):
        counts = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
        _say(f"{label:45} {counts}")
    _say(f"fuzz-api: requests {found.requests} failures {len(found.failures)}")
    never = sorted(found.never_done - NEVER_DONE)
    for label in never:
        _say(f"no request did what it is for: {label}")
    return 1 if found.failures or never else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - who started it reads it


if __name__ == "__main__":
    sys.exit(main())
