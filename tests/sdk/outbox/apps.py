"""An application with a database of its own: leads that it keeps, and an outbox beside them."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymysql

from meshline.outbox import Database, OutboxTable

LEADS = "CREATE TABLE leads (id varchar(50) PRIMARY KEY, owner varchar(50), step integer)"


def open_connection(url: str) -> Any:
    """A connection of the database's own driver, which opens transactions by itself."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)
    if parts.scheme == "postgresql":
        return psycopg.connect(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 0,
        user=parts.username,
        password=parts.password or "",
        database=parts.path.lstrip("/"),
    )


def new_mysql_database(server: str) -> str:
    """The address of a new database on a MariaDB server."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with closing(open_connection(server)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    return f"{server.rpartition('/')[0]}/{name}"


def prepare(url: str) -> None:
    """Make the application's table and its outbox."""
    with opened(url) as table:
        table.create()
    run(url, LEADS)


@contextmanager
def opened(url: str) -> Iterator[OutboxTable]:
    """The outbox of an application, for the length of the block."""
    with closing(Database(url)) as database:
        yield OutboxTable(database)


def run(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement, and commit it."""
    with closing(open_connection(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(statement)
        rows = [tuple(one) for one in cursor.fetchall()] if cursor.description else []
        cursor.close()
        connection.commit()
    return rows


def rows(url: str) -> list[tuple[Any, ...]]:
    """What is in the outbox: id, aggregate's name and number, type, payload, client."""
    return run(
        url,
        "SELECT id, aggregatetype, aggregateid, type, payload, client FROM meshline_outbox"
        " ORDER BY position",
    )


def leads(url: str) -> list[str]:
    """The ids of the leads that the application has committed."""
    return [one for (one,) in run(url, "SELECT id FROM leads ORDER BY id")]
