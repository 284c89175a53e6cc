"""Short ids: an event named by the last digits of its id, as listings on a terminal show it.

Ids begin with their time, so events of one minute differ at the end only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import Connection, select

from orchestrator.domain.errors import NotFound, Refused
from orchestrator.store.database.schema import events, quarantine

LEAST_DIGITS = 6
"""What a person has to give at least."""

NEWEST = 1_000_000
"""Events that are looked through, beside all that were ever in quarantine."""

_WHOLE = 32  # digits
_HEX = re.compile(r"[0-9a-f]+")
_MOST_TOLD = 5


def whole_ids(tx: Connection, ids: Iterable[str]) -> tuple[str, ...]:
    """The ids in full, each once, in their order; what is not a short id stays as it is.

    Raises Refused for one that several events end with, and for one that is too short to look up.
    """
    return tuple(dict.fromkeys(whole_id(tx, one) for one in ids))


def whole_id(tx: Connection, text: str) -> str:
    """The whole id of the event that `text` names; `text` itself where it names none.

    A whole id costs no statement. Raises Refused.
    """
    digits = text.strip().lower()
    if len(digits) >= _WHOLE or not _HEX.fullmatch(digits):
        return text
    if len(digits) < LEAST_DIGITS:
        if digits.isdigit():  # as the number of a dead letter is
            return text
        raise Refused(
            f"{text!r} is too short for an event's id",
            field="id",
            fix=f"give at least its last {LEAST_DIGITS} digits",
        )
    found = _ending_with(tx, digits)
    if len(found) > 1:
        raise Refused(
            f"several events end with {text!r}: {', '.join(found[:_MOST_TOLD])}",
            field="id",
            fix="give more digits, or the whole id",
        )
    return found[0] if found else text


def known_id(tx: Connection, text: str) -> str:
    """The whole id of the event that `text` names. Raises Refused, and NotFound where none is."""
    known = whole_id(tx, text).strip().lower()
    if tx.execute(select(events.c.id).where(events.c.id == known)).first() is None:
        raise NotFound(f"there is no event {text!r}", fix="see `meshline events list`")
    return known


def _ending_with(tx: Connection, digits: str) -> list[str]:
    """The events whose ids end so, a few of them; digits hold nothing that LIKE reads otherwise."""
    newest = select(events.c.id).order_by(events.c.id.desc()).limit(NEWEST).subquery("newest")
    looked = (
        select(quarantine.c.event_id).where(quarantine.c.event_id.like(f"%{digits}")).distinct(),
        select(newest.c.id).where(newest.c.id.like(f"%{digits}")),
    )
    found: set[str] = set()
    for statement in looked:
        found.update(tx.execute(statement.limit(_MOST_TOLD + 1)).scalars())
    return sorted(found)
