"""Texts that belong to no event and may repeat what an erased one carried."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Column, Connection, Table, func, select, update

from orchestrator.domain.recipes.personal_values import STRUCK, Strike
from orchestrator.store.database.audit_values import empty_values_at, values_about_no_event
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import (
    alerts,
    change_decisions,
    changes,
    circuits,
    dead_letters,
    gate_waivers,
    incidents,
    jobs,
    plans,
    recipes,
    workflow_versions,
)
from orchestrator.store.quarantine.dead_letters import LetterState

_PAGE = 1_000  # rows that are read at once

_TEXTS: tuple[tuple[Table, str], ...] = (
    (incidents, "title"),
    (circuits, "error"),
    (alerts, "error"),
    (alerts, "news"),
    (recipes, "note"),
    (dead_letters, "error"),
    (dead_letters, "why"),
    (jobs, "why"),
    (jobs, "error"),
    (changes, "why"),
    (changes, "ended_why"),
    (change_decisions, "why"),
    (gate_waivers, "why"),
)
_DOCUMENTS: tuple[tuple[Table, str], ...] = (
    (recipes, "steps"),
    (plans, "selection"),
    (jobs, "asked"),
)


def strike_elsewhere(tx: Connection, strike: Strike, ids: Sequence[str], *, actor: str) -> int:
    """Take values of erased events out of every text that belongs to no event; how many texts."""
    struck = _strike_letters(tx, strike, ids, actor)
    if not strike.values:
        return struck
    for table, name in _TEXTS:
        struck += _strike_column(tx, table, table.c[name], strike)
    for table, name in _DOCUMENTS:
        struck += _strike_documents(tx, table, table.c[name], strike)
    return struck + _strike_audit(tx, strike)


def versions_that_name(tx: Connection, strike: Strike) -> list[str]:
    """Published versions whose definition names such a value: they are never changed."""
    table = workflow_versions.c
    columns = (table.client, table.name, table.version, table.definition)
    return [
        f"{row.client}/{row.name} version {row.version}"
        for row in tx.execute(select(*columns).order_by(table.id))
        if strike.hits(row.definition)
    ]


def _strike_column(tx: Connection, table: Table, column: Column[Any], strike: Strike) -> int:
    key = next(iter(table.primary_key))
    rows = tx.execute(select(key, column).where(column.is_not(None))).all()
    hit = [(row[0], strike.text(row[1])) for row in rows if strike.hits(row[1])]
    for number, text in hit:
        tx.execute(update(table).where(key == number).values({column.name: text}))
    return len(hit)


def _strike_documents(tx: Connection, table: Table, column: Column[Any], strike: Strike) -> int:
    key = next(iter(table.primary_key))
    struck = 0
    for row in tx.execute(select(key, column)).all():
        kept = orjson.loads(row[1])
        if (left := strike.document(kept)) == kept:
            continue
        values = {column.name: orjson.dumps(left).decode()}
        if "digest" in table.c:  # of what was there: it would prove a guess
            values["digest"] = secrets.token_hex(16)
        tx.execute(update(table).where(key == row[0]).values(values))
        struck += 1
    return struck


def _strike_audit(tx: Connection, strike: Strike) -> int:
    struck, after = 0, (0, "")
    while rows := values_about_no_event(tx, after=after, most=_PAGE):
        hit = [(row[0], row[1]) for row in rows if _hits_json(strike, row[2])]
        empty_values_at(tx, hit)
        struck, after = struck + len(hit), (rows[-1][0], rows[-1][1])
    return struck


def _hits_json(strike: Strike, text: str) -> bool:
    value = orjson.loads(text)
    return bool(strike.document(value) != value)


def _strike_letters(tx: Connection, strike: Strike, ids: Sequence[str], actor: str) -> int:
    """Empty and drop dead letters that name one of the events or hold one of the values."""
    table = dead_letters.c
    wanted = [one.encode() for one in (*ids, *strike.values)]
    struck, last = 0, 0
    while rows := tx.execute(
        select(table.id, table.body, table.headers)
        .where(table.id > last, func.length(table.body) > 0)
        .order_by(table.id)
        .limit(_PAGE)
    ).all():
        hit = [row.id for row in rows if _holds(bytes(row.body), row.headers, wanted)]
        for number in hit:
            _empty_letter(tx, number, actor)
        struck, last = struck + len(hit), rows[-1].id
    return struck


def _empty_letter(tx: Connection, number: int, actor: str) -> None:
    row = update(dead_letters).where(dead_letters.c.id == number)
    empty = {"body": b"", "headers": "{}", "error": STRUCK, "digest": None}
    tx.execute(row.values(empty))
    closed = {"closed_at": now_ms(), "closed_by": actor, "why": "erased"}
    standing = row.where(dead_letters.c.state == LetterState.STANDING)
    tx.execute(standing.values(state=LetterState.DROPPED, **closed))


def _holds(body: bytes, headers: str, wanted: Sequence[bytes]) -> bool:
    texts = (body, headers.encode(), _unwrapped(body))
    return any(one in text for one in wanted for text in texts)


def _unwrapped(body: bytes) -> bytes:
    """The body inside a message of Redis, which is base64 in JSON; nothing where it is not one."""
    try:
        inner = orjson.loads(body)["body"]
        return base64.b64decode(inner)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, binascii.Error):
        return b""
