"""Write down that somebody saw personal values of events, as they are.

A look is not refused because this cannot be written: whoever heals events while the store is
read-only has to see them. Then the log has it instead.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.store.database.engine import Store
from orchestrator.store.desk.sightings import add_sightings

_LOG = logging.getLogger("meshline.personal")
_MOST_NAMED = 20  # ids in one line of the log


def note_seen(store: Store, ids: Sequence[str], *, actor: str) -> bool:
    """False where the store did not take it. Nothing is written for those seen within an hour."""
    if not ids:
        return True
    try:
        with store.write() as tx:
            add_sightings(tx, ids, actor=actor)
    except StoreUnavailable as error:
        more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
        named = ", ".join(ids[:_MOST_NAMED])
        _LOG.warning("%s saw personal values of %s%s, not audited: %s", actor, named, more, error)
        return False
    return True
