"""Whose steps are in a change: whoever is among them never approves it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import orjson
from sqlalchemy import Connection, select

from orchestrator.domain.access.actor import Actor, Proof, who
from orchestrator.domain.documents import strict_json
from orchestrator.domain.text.addresses import is_address
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import change_authors, keys, recipes
from orchestrator.store.database.upserts import upsert


class Part(StrEnum):
    """What of a change is somebody's."""

    PROPOSED = "proposed"
    EDITED = "edited"
    STEPS = "steps"  # a recipe that it adds, or a part of one
    KEY = "key"  # made the key that proposed it


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """One author."""

    name: str  # an actor without its way, such as `person:ada@acme.example`
    part: str  # a Part: the first
    proven: bool  # by a session or a key; False: only named on a command line


def add_author(tx: Connection, change: int, actor: Actor, part: Part) -> None:
    """Whoever acts is an author of it; and where a program does, who made its key."""
    _add(tx, change, who(actor.name), part, proven=actor.proof in (Proof.SESSION, Proof.KEY))
    if actor.key is not None:
        made = select(keys.c.created_by).where(keys.c.id == actor.key)
        if by := tx.execute(made).scalar_one_or_none():
            _add(tx, change, who(by), Part.KEY, proven=True)


def share_authors(tx: Connection, change: int, others: Collection[int]) -> None:
    """Let changes that say the same have the same authors, so that nobody approves their own words.

    Whoever is one already stays so in the way they are.
    """
    if not others:
        return
    every = (change, *others)
    rows = tx.execute(select(change_authors).where(change_authors.c.change_id.in_(every))).all()
    for target in every:
        for row in rows:
            _add(tx, target, row.name, Part(row.part), proven=bool(row.proven))


def add_authors_of_steps(
    tx: Connection, change: int, client: str, workflow: str, steps: Collection[object]
) -> None:
    """Whoever wrote or saved a recipe with one of these steps, as `Step.describe` gives them."""
    if not steps:
        return
    table = recipes.c
    saved = select(table.author, table.saved_by, table.steps).where(
        table.client == client, table.workflow == workflow
    )
    wanted = {strict_json.dumps(one) for one in steps}
    for row in tx.execute(saved):
        if wanted & {strict_json.dumps(one) for one in orjson.loads(row.steps)}:
            # What a file of recipes calls its author proves nothing, so who saved it is one too.
            name = f"person:{row.author.lower()}" if is_address(row.author) else who(row.author)
            _add(tx, change, name, Part.STEPS, proven=False)
            if row.saved_by is not None:
                _add(tx, change, who(row.saved_by), Part.STEPS, proven=False)


def list_authors(tx: Connection, change: int) -> tuple[Author, ...]:
    """The authors of all rounds, the first one first."""
    return authors_of(tx, [change]).get(change, ())


def authors_of(tx: Connection, changes: Collection[int]) -> dict[int, tuple[Author, ...]]:
    """The same for several changes, by their numbers, in one statement."""
    table = change_authors.c
    rows = tx.execute(
        select(table.change_id, table.name, table.part, table.proven)
        .where(table.change_id.in_(changes))
        .order_by(table.at, table.name)
    )
    found: dict[int, tuple[Author, ...]] = {}
    for row in rows:
        one = Author(name=row.name, part=row.part, proven=bool(row.proven))
        found[row.change_id] = (*found.get(row.change_id, ()), one)
    return found


def _add(tx: Connection, change: int, name: str, part: Part, *, proven: bool) -> None:
    insert = upsert(tx.dialect.name, change_authors)
    values = {"change_id": change, "name": storable(name)[:255], "part": part.value}
    tx.execute(insert.values(**values, proven=proven, at=now_ms()).on_conflict_do_nothing())
