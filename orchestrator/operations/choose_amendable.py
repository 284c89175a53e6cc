"""Which events a fix or a recipe may amend: none that somebody else amended, or is amending."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.lifecycle import Move
from orchestrator.operations.select_events import left_alone
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.amendments import digests_of_amended
from orchestrator.store.views.last_acts import last_acts
from orchestrator.store.views.selection import reasons_among

Seen = Mapping[str, str]
"""Digests of the amended payloads when they were looked at, by event id."""


@dataclass(kw_only=True)
class Untouched:
    """What an amendment leaves as it is. Each has an id, and who did what when: done, by, at."""

    passed_over: list[dict[str, object]] = field(default_factory=list)  # somebody else amended it
    changed: list[dict[str, object]] = field(default_factory=list)  # amended while this ran
    skipped: list[dict[str, object]] = field(default_factory=list)  # with state: not standing here


def look_at_amended(store: Store, chunks: Iterable[Sequence[str]]) -> dict[str, str]:
    """How the amended among these events stand before anything is written."""
    seen: dict[str, str] = {}
    with store.read() as tx:
        for chunk in chunks:
            seen.update(digests_of_amended(tx, chunk))
    return seen


def choose_amendable(
    tx: Tx,
    ids: Sequence[str],
    report: Untouched,
    *,
    actor: str,
    again: bool = False,
    seen: Seen | None = None,
) -> list[str]:
    """Those of a chunk that `actor` may amend; the others are noted on the report.

    Somebody else's amendments are amended with `again` only. What differs from `seen` was amended
    meanwhile, by whomever, and is never amended: the caller holds these events.
    """
    standing = reasons_among(tx, ids)
    report.skipped += left_alone(tx, [one for one in ids if one not in standing])
    now = digests_of_amended(tx, ids)
    meanwhile = {one for one in standing if seen is not None and now.get(one) != seen.get(one)}
    acts = last_acts(tx, sorted({*now, *meanwhile}), [Move.AMEND])
    chosen = []
    for one in ids:
        if one not in standing:
            continue
        act = acts.get(one)
        told = {"id": one, **(act.as_json() if act else {})}
        others = one in now and act and act.done == "amended" and act.by != actor
        if one in meanwhile:
            report.changed.append(told)
        elif others and not again:
            report.passed_over.append(told)
        else:
            chosen.append(one)
    return chosen
