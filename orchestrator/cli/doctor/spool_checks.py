"""The doctor's look at producers' spools: those in which events wait too long, as doors heard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, attention

if TYPE_CHECKING:
    from orchestrator.settings import Settings
    from orchestrator.store.database.engine import Store

_MOST_NAMED = 5


def look_at_spools(store: Store, config: Settings) -> Iterator[CheckResult]:
    """Each spool that grew old, and whether somebody owns it. Nothing where none is known."""
    from orchestrator.store.clocks.old_spools import list_old_spools

    with store.read() as tx:
        old = list_old_spools(tx)
    fix = "see `meshline incidents list --reason old_spool`"
    if old and config.steward is None:
        fix += "; nobody owns it: set MESHLINE_STEWARD for keepers to who runs Meshline"
    for title in old[:_MOST_NAMED]:
        yield attention("spools", title, fix)
    if (more := len(old) - _MOST_NAMED) > 0:
        yield attention("spools", f"events wait too long in {more} more", fix)
