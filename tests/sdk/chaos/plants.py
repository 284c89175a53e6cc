"""Faults that are planted into the SDK, to see that the count finds them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from meshline.event import new_key
from meshline.spool.queue import Addition, Spool


def _forget_before_sending() -> None:
    """Lost: the forwarder takes events out before the door has committed them."""
    first = Spool.first

    def forgetful(self: Spool, *arguments: Any, **options: Any) -> Any:
        rows = first(self, *arguments, **options)
        self.forget(rows)
        return rows

    Spool.first = forgetful  # type: ignore[method-assign]


def _another_key_in_the_spool() -> None:
    """Doubled: an event whose answer was lost is spooled under another idempotency key."""
    add = Spool.add

    def renaming(self: Spool, additions: Sequence[Addition]) -> None:
        renamed = []
        for one in additions:
            key = new_key()
            body = json.dumps({**json.loads(one.body), "idempotency_key": key}).encode()
            renamed.append(replace(one, idempotency_key=key, body=body))
        add(self, renamed)

    Spool.add = renaming  # type: ignore[method-assign]


def _blind_for_what_waits() -> None:
    """Disordered: an event overtakes those of its line that wait in the spool."""

    def nothing(self: Spool, lines: Collection[str]) -> set[str]:
        return set()

    Spool.waits_in = nothing  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {
    "lost": _forget_before_sending,
    "doubled": _another_key_in_the_spool,
    "disordered": _blind_for_what_waits,
}
