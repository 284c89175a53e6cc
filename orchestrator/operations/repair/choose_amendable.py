"""Which events a fix or a recipe may amend: none that somebody else amended, or is amending."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.access.actor import Actor, who
from orchestrator.domain.lifecycle import Move
from orchestrator.operations.quarantine.select import LeftAlone, left_alone
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.amendments import digests_of_amended
from orchestrator.store.views.events.last_acts import Act, last_acts
from orchestrator.store.views.quarantine.selection import reasons_among

Seen = Mapping[str, str]
"""Digests of the amended payloads when they were looked at, by event id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Amended:
    """An event that somebody else amended."""

    id: str
    act: Act | None  # who did it, and when; None: it is not known

    def as_json(self) -> dict[str, object]:
        """The event as a document: `done`, `by` and `at` are there where it is known who it was."""
        return {"id": self.id} | (self.act.as_json() if self.act else {})


@dataclass(kw_only=True)
class Untouched:
    """What an amendment leaves as it is."""

    passed_over: list[Amended] = field(default_factory=list)  # somebody else amended it before
    changed: list[Amended] = field(default_factory=list)  # amended while this ran
    skipped: list[LeftAlone] = field(default_factory=list)  # not in quarantine


def look_at_amended(store: Store, chunks: Iterable[Sequence[str]]) -> dict[str, str]:
    """The amended among these events as they are before anything is written."""
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
    actor: Actor,
    again: bool = False,
    seen: Seen | None = None,
) -> list[str]:
    """Those of a chunk that `actor` may amend; the others are noted on the report.

    Somebody else's amendments are amended with `again` only. An event that differs from `seen` was
    amended meanwhile, by whomever, and is never amended: the caller holds these events.
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
        told = Amended(id=one, act=act)
        others = one in now and act and act.done == "amended" and who(act.by) != who(actor.name)
        if one in meanwhile:
            report.changed.append(told)
        elif others and not again:
            report.passed_over.append(told)
        else:
            chosen.append(one)
    return chosen
