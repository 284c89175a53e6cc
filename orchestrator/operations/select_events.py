"""Turn a selection of quarantined events into chunks that one transaction can take."""

from __future__ import annotations

from orchestrator.domain.errors import NotFound, Refused
from orchestrator.store.engine import Store
from orchestrator.store.selection import Selection, chunks, states_of


def selected_chunks(
    store: Store, selection: Selection, *, discarded: bool = False
) -> tuple[list[list[str]], list[dict[str, object]]]:
    """The selected ids that stand in quarantine, and what was named but stands elsewhere.

    With `discarded` the ids of those that were given up, and what was named but was not.

    Raises NotFound for an id that does not exist, Refused for a selection without a condition.
    """
    if selection.is_empty:
        raise Refused(
            "nothing was selected",
            field="selection",
            fix="give event ids, or a filter such as --workflow or --reason",
        )
    with store.read() as tx:
        found = list(chunks(tx, selection, discarded=discarded))
        states = states_of(tx, selection.ids)
    for event_id in selection.ids:
        if event_id not in states:
            raise NotFound(f"there is no event {event_id!r}", field="id",
                           fix="see `meshline quarantine list`")  # fmt: skip
    standing = {one for chunk in found for one in chunk}
    skipped: list[dict[str, object]] = [
        {"id": one, "state": state} for one, state in states.items() if one not in standing
    ]
    return found, skipped
