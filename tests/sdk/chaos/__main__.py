"""`make chaos-producers`: kill producers, cut the door, fill the disk, and count what arrives."""

from __future__ import annotations

import argparse
import sys

from tests.sdk.chaos.plants import PLANTS
from tests.sdk.chaos.run import Asked, NotDone, run


def main() -> int:
    """0: nothing lost, doubled or disordered; 1: something was; 2: usage."""
    parser = argparse.ArgumentParser(prog="make chaos-producers")
    parser.add_argument("--events", type=int, default=5_000, metavar="N")
    parser.add_argument("--kills", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=["", *PLANTS], default="", metavar="|".join(PLANTS))
    asked = parser.parse_args()
    try:
        found = run(Asked(**vars(asked)), _say)
    except NotDone as error:
        sys.stderr.write(f"not done: {error}\n")
        return 1
    _say(str(found))
    return 0 if found.is_good else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
