"""One INSERT in the application's own transaction: it stays or goes with the business row."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from meshline import MeshlineError, Refused, outbox, plain
from meshline.outbox import Forwarder
from tests.sdk.outbox.apps import open_connection, rows, run

DATA = {"email": "zoë@shop.example", "tier": "pro", "note": "100 % ? :x", "price": 1.5, "tags": []}
ROW = ("form-1", "lead", "17", "lead.created", DATA, "acme")


def _add(connection: Any) -> str:
    return outbox.add(
        connection,
        "lead.created",
        DATA,
        client="acme",
        idempotency_key="form-1",
        aggregate=("lead", 17),
    )


def _kept(url: str) -> list[tuple[Any, ...]]:
    return [(*one[:4], json.loads(one[4]), one[5]) for one in rows(url)]


def _engine(url: str) -> sqlalchemy.Engine:
    rest = url.partition("://")[2]
    drivers = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
    return sqlalchemy.create_engine(f"{drivers[urlsplit(url).scheme]}://{rest}")


def test_a_connection_of_the_driver_keeps_the_event_with_its_commit_alone(app_url: str) -> None:
    with closing(open_connection(app_url)) as connection:
        _add(connection)
        connection.rollback()
        assert rows(app_url) == []

        assert _add(connection) == "form-1"
        connection.commit()

    assert _kept(app_url) == [ROW]


def test_a_session_and_a_connection_of_sqlalchemy_do_the_same(app_url: str) -> None:
    engine = _engine(app_url)
    with orm.Session(engine) as session:
        _add(session)
        session.rollback()
    assert rows(app_url) == []

    scoped = orm.scoped_session(orm.sessionmaker(engine))
    with engine.begin() as connection:
        outbox.add(connection, "lead.created", {})
    outbox.add(scoped, "lead.created", {})
    scoped.commit()
    scoped.remove()
    pooled = engine.raw_connection()
    outbox.add(pooled, "lead.created", {})
    pooled.commit()
    pooled.close()
    with orm.Session(engine) as session:
        _add(session)
        session.commit()
    engine.dispose()

    assert _kept(app_url)[3:] == [ROW]


@pytest.mark.parametrize("app_url", ["postgresql"], indirect=True)
def test_an_asynchronous_session_is_refused_and_its_run_sync_is_taken(app_url: str) -> None:
    async def story() -> None:
        engine = create_async_engine(_engine(app_url).url)
        async with AsyncSession(engine) as session, session.begin():
            with pytest.raises(MeshlineError, match=r"AsyncSession is asynchronous; .*run_sync"):
                _add(session)
            await session.run_sync(_add)
        async with await psycopg.AsyncConnection.connect(app_url) as connection:
            with pytest.raises(MeshlineError, match="AsyncConnection is asynchronous"):
                _add(connection)
        await engine.dispose()

    asyncio.run(story())

    assert _kept(app_url) == [ROW]


def test_a_connection_of_django_does_the_same_and_asks_for_a_transaction(app_url: str) -> None:
    from django.db import transaction

    connection = _django(app_url)
    try:
        with pytest.raises(MeshlineError, match=r"transaction\.atomic"):
            _add(connection)
        with transaction.atomic("app"):
            _add(connection)
            transaction.set_rollback(True, "app")
        assert rows(app_url) == []

        with transaction.atomic("app"):
            _add(connection)
    finally:
        connection.close()

    assert _kept(app_url) == [ROW]


def _django(url: str) -> Any:
    import django
    import pymysql
    from django.conf import settings
    from django.db import connections

    pymysql.install_as_MySQLdb()
    if not settings.configured:
        settings.configure(USE_TZ=True, LOGGING_CONFIG=None)
        django.setup()
    parts = urlsplit(url)
    engine = {"mariadb": "mysql", "sqlite": "sqlite3"}.get(parts.scheme, parts.scheme)
    given = {
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": parts.path[1:],
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
    }
    if hasattr(connections._connections, "app"):
        del connections["app"]
    found = connections.configure_settings({"default": given, "app": given})
    connections.settings["app"] = found["app"]
    return connections["app"]


def test_two_events_with_one_key_are_refused_by_the_database(app_url: str) -> None:
    with closing(open_connection(app_url)) as connection:
        _add(connection)
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
            _add(connection)
        connection.rollback()


def test_any_program_may_insert_the_four_columns_that_have_no_default(app_url: str) -> None:
    columns = "aggregatetype, aggregateid, type, payload"
    run(app_url, f"INSERT INTO meshline_outbox ({columns}) VALUES ('lead', '17', 'lead.x', '{{}}')")

    ((key, *_),) = rows(app_url)
    assert len(key) >= 32
    with pytest.raises(Exception, match=r"(?i)check|constraint|json"):
        run(app_url, f"INSERT INTO meshline_outbox ({columns}) VALUES ('lead', '1', 'x', '{{oops')")


def test_the_tables_may_be_made_again_without_harm(app_url: str) -> None:
    with closing(open_connection(app_url)) as connection:
        _add(connection)
        connection.commit()

    for statement in outbox.ddl(urlsplit(app_url).scheme):
        run(app_url, statement)

    assert _kept(app_url) == [ROW]


def test_an_event_outside_of_a_transaction_is_refused_by_drivers_in_autocommit(
    app_url: str,
) -> None:
    connection = open_connection(app_url)
    scheme = urlsplit(app_url).scheme
    try:
        if scheme == "sqlite":
            connection.isolation_level = None
        elif scheme == "postgresql":
            connection.autocommit = True
        else:
            connection.autocommit(True)
        with pytest.raises(MeshlineError, match="no transaction is open"):
            _add(connection)

        cursor = connection.cursor()
        cursor.execute("BEGIN")
        _add(connection)
        cursor.execute("COMMIT")
        cursor.close()
    finally:
        connection.close()

    assert _kept(app_url) == [ROW]


def test_the_longest_key_of_the_door_is_kept(app_url: str, forwarder: Forwarder) -> None:
    key = "é" * 400
    with closing(open_connection(app_url)) as connection:
        outbox.add(connection, "lead.created", {}, idempotency_key=key)
        connection.commit()

    assert rows(app_url)[0][0] == key
    assert forwarder.forward().sent == 1


def test_an_event_without_an_aggregate_waits_for_no_other() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in outbox.ddl("sqlite"):
            connection.execute(statement)
        key = outbox.add(connection, "lead.created", {})

        (found,) = connection.execute("SELECT aggregatetype, aggregateid FROM meshline_outbox")

    assert found == ("lead.created", key)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": ""}, "type: it has 0"),
        ({"type": "x" * 256}, "type: it has 256 characters"),
        ({"client": "x" * 65}, "client: it has 65"),
        ({"idempotency_key": "x" * 401}, "idempotency_key: it has 401"),
        ({"idempotency_key": "a\0b"}, "idempotency_key: it holds a control"),
        ({"aggregate": ("", 1)}, "aggregatetype: '' is not a name"),
        ({"aggregate": ("lead", "x" * 256)}, "aggregateid: .* is not a name; it has 1 to 255"),
        ({"aggregate": ("lead", "")}, "aggregateid: '' is not a name"),
        ({"data": {"price": float("nan")}}, r"data\.price: nan is not JSON"),
    ],
)
def test_what_the_door_would_refuse_is_refused_before_it_is_inserted(
    given: dict[str, Any], said: str
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(Refused, match=said):
        outbox.add(connection, **{"type": "lead.created", "data": {}, **given})


@pytest.mark.parametrize(
    ("connection", "options", "said"),
    [
        (object(), {}, "object is not a connection of SQLAlchemy, Django or DB-API"),
        (object(), {"paramstyle": "dollar"}, "'dollar' is not one of qmark"),
        (object(), {"table": "out; DROP"}, "is not a plain name"),
    ],
)
def test_a_wrong_argument_is_named(connection: object, options: dict[str, Any], said: str) -> None:
    with pytest.raises(MeshlineError, match=said):
        outbox.add(connection, "lead.created", {}, **options)


def test_a_value_that_is_not_json_is_made_json_by_the_callers_function() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in outbox.ddl("sqlite"):
            connection.execute(statement)
        outbox.add(connection, "lead.created", {"price": Decimal("1.10")}, default=plain)
        (payload,) = connection.execute("SELECT payload FROM meshline_outbox").fetchone()

    assert json.loads(payload) == {"price": "1.10"}


def test_a_dialect_that_is_not_known_is_named_with_those_that_are() -> None:
    with pytest.raises(MeshlineError, match="'oracle' is not one of postgresql, mariadb, sqlite"):
        outbox.ddl("oracle")
