"""Broker messages that no worker could read, kept as they were."""

from __future__ import annotations

import base64
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from orchestrator.store.schema import dead_letters
from orchestrator.store.views import View, iso


def list_dead_letters(tx: Connection, *, limit: int = 1000) -> list[View]:
    """Dead letters without their bodies, the newest first."""
    table = dead_letters.c
    size = func.length(table.body).label("bytes")
    columns = (table.id, table.at, table.queue, table.task, table.error, size)
    rows = tx.execute(select(*columns).order_by(table.id.desc()).limit(limit))
    return [{**_head(row), "bytes": row.bytes} for row in rows]


def show_dead_letter(tx: Connection, number: int) -> View | None:
    """One dead letter whole, or None; a body that is not UTF-8 stands in base64."""
    row = tx.execute(select(dead_letters).where(dead_letters.c.id == number)).one_or_none()
    if row is None:
        return None
    return {
        **_head(row),
        "headers": orjson.loads(row.headers),
        "content_type": row.content_type,
        "content_encoding": row.content_encoding,
        **_body(row.body),
    }


def _head(row: Any) -> View:
    return {
        "id": row.id,
        "at": iso(row.at),
        "queue": row.queue,
        "task": row.task,
        "error": row.error,
    }


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
