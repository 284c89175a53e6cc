"""What a person can do to the model by commands."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.access.actor import login
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.repair.amend import fix_events
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.database.engine import Store
from orchestrator.store.views.quarantine.selection import Selection

_ALL = Selection(client="acme")


_UNKNOWN = Selection(client="acme", reason="unknown_outcome")


_CHANGES = parse_amendments(["colour=kind"], ["kind=found"], [])


COMMANDS: dict[str, Callable[[Store], object]] = {
    "replay": lambda store: replay_events(store, _ALL, actor=login("cli:ann"), anyway=True),
    "send again": lambda store: replay_events(store, _ALL, actor=login("cli:ann"), send_again=True),
    "fix": lambda store: fix_events(store, _ALL, _CHANGES, actor=login("cli:ann")),
    "discard": lambda store: discard_events(
        store, _UNKNOWN, why="it is there", actor=login("cli:bo")
    ),
}
"""What people do about all quarantined events."""
