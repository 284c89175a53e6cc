"""`python -m tests.store.changes.governance`: count what goes live that nobody approved."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from tests.servers.postgres import FORGETFUL, embedded_postgres
from tests.store.changes.governance.chunks import play_chunk
from tests.store.changes.governance.plants import ALL_PLANTS
from tests.store.changes.governance.play import Outcome

_CHUNK = 200  # interleavings that are drawn together
_TELL_SECONDS = 10.0


def main() -> int:
    """Run it; 0 where no version went live that nobody else approved."""
    given = _parse()
    plant = os.environ.get("PLANT") or None
    if plant is not None and plant not in ALL_PLANTS:
        _say(f"governance: there is no plant {plant!r}; there are {', '.join(ALL_PLANTS)}")
        return 2
    played, live, stories, begun = 0, 0, [], time.monotonic()
    told = begun
    with _database(given.database) as server:
        for outcome in _outcomes(given.interleavings, given.seed, plant, server):
            played, live = played + outcome.played, live + outcome.live
            stories += [outcome.story] if outcome.story else []
            if (now := time.monotonic()) > told + _TELL_SECONDS:
                told = now
                rate = played / (now - begun)
                _say(f"{played} of {given.interleavings}, {rate:.0f}/s, {live} versions approved")
            if stories:
                break
    for story in stories:
        _say(story)
    _say(f"{live} versions went live by an approval, in {time.monotonic() - begun:.0f} s")
    _say(f"governance: interleavings {played} unapproved {len(stories)}")
    return 1 if stories else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="governance", description=__doc__)
    parser.add_argument("--interleavings", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    return parser.parse_args()


def _outcomes(
    interleavings: int, seed: int, plant: str | None, server: str | None
) -> Iterator[Outcome]:
    """What became of each chunk, on every core."""
    starts = range(0, interleavings, _CHUNK)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        work = [
            pool.submit(play_chunk, seed * 1_000_003 + start, min(_CHUNK, interleavings - start),
                        plant, server)
            for start in starts
        ]  # fmt: skip
        try:
            for one in work:
                yield one.result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _database(kind: str) -> Iterator[str | None]:
    if kind == "sqlite":
        yield None
        return
    with embedded_postgres(FORGETFUL) as server:
        yield server.url


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - who started it reads it


if __name__ == "__main__":
    sys.exit(main())
