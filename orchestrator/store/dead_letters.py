"""Broker messages that no worker could read, kept as they were."""

from __future__ import annotations

import base64

import orjson
from sqlalchemy import Connection, func, select

from orchestrator.store.schema import dead_letters
from orchestrator.store.views import View, iso


def list_dead_letters(tx: Connection, *, limit: int = 1000) -> list[View]:
    """Dead letters without their bodies, the newest first."""
    table = dead_letters.c
    size = func.length(table.body).label("bytes")
    columns = (table.id, table.at, table.queue, table.task, table.error, size)
    rows = tx.execute(select(*columns).order_by(table.id.desc()).limit(limit)).mappings()
    return [{**row, "at": iso(row["at"])} for row in rows]


def show_dead_letter(tx: Connection, number: int) -> View | None:
    """One dead letter whole, or None; a body that is not UTF-8 stands in base64."""
    found = tx.execute(select(dead_letters).where(dead_letters.c.id == number)).mappings()
    row = found.one_or_none()
    return None if row is None else _whole(dict(row))


def _whole(row: View) -> View:
    body = row.pop("body")
    view = {**row, "at": iso(row["at"]), "headers": orjson.loads(row["headers"])}
    try:
        return {**view, "body": body.decode()}
    except UnicodeDecodeError:
        return {**view, "body_base64": base64.b64encode(body).decode()}
