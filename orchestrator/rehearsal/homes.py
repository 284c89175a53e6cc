"""The throw-away homes of rehearsals, one folder each below the home of whoever runs them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.home import hold_home

HOMES = "rehearsals"
GIVEN = "given.json"


@contextmanager
def new_home(home: Path) -> Iterator[Path]:
    """A folder for one rehearsal, which is gone afterwards. Raises StartupFailed.

    What is left of rehearsals that were killed together with their process goes first.
    """
    homes = home.absolute() / HOMES
    try:
        homes.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(homes)
        mine = Path(tempfile.mkdtemp(dir=homes))
    except OSError as error:
        raise StartupFailed(f"{homes} cannot be used: {error.strerror}") from None
    try:
        yield mine
    finally:
        _remove(mine)
        with suppress(OSError):  # another one is there
            homes.rmdir()


def _sweep(homes: Path) -> None:
    for one in homes.iterdir():
        if (one / GIVEN).exists():  # else it is being made
            _remove(one)


def _remove(home: Path) -> None:
    """Unless a rehearsal runs there; of one that was killed its processes end first."""
    if not home.exists():
        return
    with suppress(StartupFailed), hold_home(home):
        shutil.rmtree(home, ignore_errors=True)
