"""Recipes as rows: saved when first used, once per workflow; the audit says who used them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, func, select, update

from orchestrator.domain.documents import strict_json
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import recipes
from orchestrator.store.database.upserts import upsert
from orchestrator.store.views.values import iso, iso_time, of_clients

if TYPE_CHECKING:
    from orchestrator.domain.recipes.recipe import Recipe


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedRecipe:
    """A recipe of a workflow, with what became of it. Times are ISO 8601 in UTC."""

    recipe: int  # its number
    client: str
    workflow: str
    steps: tuple[Mapping[str, object], ...]  # as a file of recipes has them
    note: str | None  # of its author
    author: str  # an actor, such as `cli:dana`, or whom its file names
    saved_at: str  # when it was first used
    used_at: str | None  # when it last amended events or was published
    events: int  # that it amended, in all
    version: int | None  # of its workflow that it was last published in


def save_recipe(tx: Connection, recipe: Recipe, client: str, workflow: str, *, actor: str) -> int:
    """The number of a recipe; it is saved with its author where the workflow has none like it."""
    steps = [one.describe() for one in recipe.steps]
    values = {
        "client": client,
        "workflow": workflow,
        "digest": strict_json.digest(steps),
        "steps": strict_json.dumps(steps),
        "note": storable(recipe.note) if recipe.note else None,
        "author": storable(recipe.author or actor)[:255],
        "saved_by": storable(actor)[:255],
        "saved_at": now_ms(),
    }
    insert: Any = upsert(tx.dialect.name, recipes)
    new = tx.execute(
        insert.values(**values).on_conflict_do_nothing().returning(recipes.c.id)
    ).scalar_one_or_none()
    if new is None:
        return int(tx.execute(_like(values)).scalar_one())
    audit.record(
        tx,
        actor=actor,
        action="save_recipe",
        client=client,
        workflow=workflow,
        detail={"recipe": new, **recipe.describe()},
    )
    return int(new)


def _like(values: dict[str, Any]) -> Any:
    same = (recipes.c[name] == values[name] for name in ("client", "workflow", "digest"))
    return select(recipes.c.id).where(*same)


def note_amended(tx: Connection, recipe: int, events: int) -> None:
    """The recipe amended so many events, in this transaction."""
    values = {"events": recipes.c.events + events, "used_at": now_ms()}
    tx.execute(update(recipes).where(recipes.c.id == recipe).values(values))


def note_published(tx: Connection, recipe: int, version: int) -> None:
    """The recipe is in this version of its workflow."""
    values = {"version": version, "used_at": now_ms()}
    tx.execute(update(recipes).where(recipes.c.id == recipe).values(values))


def find_recipe(tx: Connection, recipe: int) -> SavedRecipe | None:
    """A saved recipe; None where there is none of this number."""
    row = tx.execute(select(recipes).where(recipes.c.id == recipe)).one_or_none()
    return None if row is None else _shown(row)


def list_recipes(
    tx: Connection,
    *,
    client: str | None = None,
    workflow: str | None = None,
    clients: frozenset[str] | None = None,
    limit: int = 100,
) -> list[SavedRecipe]:
    """Saved recipes, those used last first."""
    table = recipes.c
    last = func.coalesce(table.used_at, table.saved_at)
    found = select(recipes).order_by(last.desc(), table.id.desc()).limit(limit)
    found = of_clients(found, table.client, clients)
    for column, value in ((table.client, client), (table.workflow, workflow)):
        if value is not None:
            found = found.where(column == value)
    return [_shown(row) for row in tx.execute(found)]


def _shown(row: AnyRow) -> SavedRecipe:
    return SavedRecipe(
        recipe=row.id,
        client=row.client,
        workflow=row.workflow,
        steps=tuple(orjson.loads(row.steps)),
        note=row.note,
        author=row.author,
        saved_at=iso_time(row.saved_at),
        used_at=iso(row.used_at),
        events=row.events,
        version=row.version,
    )
