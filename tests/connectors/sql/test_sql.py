"""A row in somebody's table: written once, read back, taken back, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.definition_file import parse_definition
from connectors.handoff.single import hand_over
from connectors.registry import load_connectors, unresolved
from orchestrator.domain.delivery.handoff import (
    Blame,
    Confirmed,
    Failed,
    Idempotency,
    Mismatched,
    Outcome,
    Outgoing,
    TakenBack,
)
from orchestrator.domain.errors import InvalidFile
from tests.systems.cutting import Wire

DEFINITION = """\
connector: ledger
kind: sql
title: The agency's ledger
url: env:LEDGER_URL
connections: 3
actions:
  add_lead:
    table: leads
    key_column: meshline_key
    columns:
      email: email
      amount: {at: total, as: number}
      due: due_at
      tags: tags
      vip: vip
    optional: [amount, due, tags, vip]
    timeout: 8s
  keep_contact:
    table: contacts
    write: upsert
    by: email
    columns: {email: email, tier: tier}
"""
TABLES = (
    """CREATE TABLE leads (
        meshline_key VARCHAR(200) NOT NULL UNIQUE, email VARCHAR(200) NOT NULL,
        total NUMERIC(10, 2), due_at {moment}, tags {json}, vip BOOLEAN, CHECK (email <> ''))""",
    "CREATE TABLE contacts (email VARCHAR(200) PRIMARY KEY, tier VARCHAR(20))",
)
LEAD: dict[str, object] = {
    "email": "o'brien@example.com",
    "amount": 5,
    "due": "2026-12-01T10:00:00Z",
    "tags": ["a", {"b": None}],
    "vip": True,
}

Ledger = Callable[..., Outcome]


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    """A database with the tables of somebody else."""
    engine = sa.create_engine(store_url.replace("postgresql:", "postgresql+psycopg:"))
    postgres = engine.dialect.name == "postgresql"
    kinds = {
        "moment": "TIMESTAMPTZ" if postgres else "TEXT",
        "json": "JSONB" if postgres else "TEXT",
    }
    with engine.begin() as connection:
        for statement in TABLES:
            connection.exec_driver_sql(statement.format(**kinds))
    yield engine
    engine.dispose()


@pytest.fixture
def folder(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEDGER_URL", store_url)
    folder = tmp_path / "connectors"
    folder.mkdir()
    (folder / "ledger.yaml").write_text(DEFINITION)
    return folder


@pytest.fixture
def ledger(folder: Path, engine: sa.Engine) -> Iterator[Ledger]:
    """Hand one row over, and confirm all of it."""
    with asyncio.Runner() as runner:
        connector = load_connectors(folder)["ledger"]

        def hand(
            key: str, fields: Mapping[str, object] = LEAD, action: str = "add_lead", **how: Any
        ) -> Outcome:
            call = Outgoing(key=key, action=action, fields=fields)
            how.setdefault("look_first", False)
            return runner.run(hand_over(connector, call, confirm=tuple(fields), **how))

        yield hand
        runner.run(connector.close())


def rows(engine: sa.Engine, table: str = "leads") -> list[Mapping[str, Any]]:
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT * FROM {table}").mappings().all()
        return [dict(one) for one in found]


def test_a_row_is_written_once_and_confirmed_field_by_field(
    ledger: Ledger, engine: sa.Engine
) -> None:
    first, again = ledger("evt-1.ledger"), ledger("evt-1.ledger", look_first=True)

    assert first == Confirmed(record_id="evt-1.ledger")
    assert isinstance(again, Confirmed)
    (row,) = rows(engine)
    assert (row["meshline_key"], row["email"]) == ("evt-1.ledger", "o'brien@example.com")


def test_a_table_may_stand_in_a_schema(folder: Path, engine: sa.Engine) -> None:
    schema = "main" if engine.dialect.name == "sqlite" else "public"
    named = DEFINITION.replace("table: leads", f"table: {schema}.leads")
    (folder / "ledger.yaml").write_text(named)

    assert isinstance(one_call(folder), Confirmed)

    assert len(rows(engine)) == 1


def test_what_was_not_sent_is_null(ledger: Ledger, engine: sa.Engine) -> None:
    assert isinstance(ledger("evt-1.ledger", {"email": "a@example.com"}), Confirmed)

    assert rows(engine)[0]["total"] is None


def test_a_row_that_somebody_changed_is_a_mismatch(ledger: Ledger, engine: sa.Engine) -> None:
    ledger("evt-1.ledger")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE leads SET total = 6")

    outcome = ledger("evt-1.ledger", look_first=True)

    assert isinstance(outcome, Mismatched)
    (difference,) = outcome.differences
    assert (difference.field, difference.sent, difference.stored) == ("amount", 5, 6)


def test_values_are_bound_and_never_a_part_of_the_statement(
    ledger: Ledger, engine: sa.Engine
) -> None:
    wicked = "x'); DELETE FROM leads; --"

    ledger("evt-1.ledger")
    assert isinstance(ledger(wicked, {"email": wicked}), Confirmed)

    assert [row["email"] for row in rows(engine)] == ["o'brien@example.com", wicked]


def test_many_calls_with_one_key_leave_one_row(folder: Path, engine: sa.Engine) -> None:
    connector = load_connectors(folder)["ledger"]
    call = Outgoing(key="evt-1.ledger", action="add_lead", fields=LEAD)

    async def all_at_once() -> list[Outcome]:
        calls = (hand_over(connector, call, confirm=("email",), look_first=False) for _ in range(8))
        try:
            return await asyncio.gather(*calls)
        finally:
            await connector.close()

    outcomes = asyncio.run(all_at_once())

    assert all(isinstance(one, Confirmed) for one in outcomes), outcomes
    assert len(rows(engine)) == 1


def test_an_upsert_changes_the_row_that_is_there(ledger: Ledger, engine: sa.Engine) -> None:
    for key, tier in (("evt-1.ledger", "pro"), ("evt-2.ledger", "enterprise")):
        outcome = ledger(key, {"email": "a@example.com", "tier": tier}, "keep_contact")
        assert outcome == Confirmed(record_id="a@example.com")

    assert rows(engine, "contacts") == [{"email": "a@example.com", "tier": "enterprise"}]


def test_an_upsert_never_changes_several_rows(ledger: Ledger, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE contacts")
        connection.exec_driver_sql("CREATE TABLE contacts (email VARCHAR(99), tier VARCHAR(20))")
        insert = "INSERT INTO contacts VALUES ('a@example.com', 'pro')"
        for _ in range(2):
            connection.exec_driver_sql(insert)

    fields = {"email": "a@example.com", "tier": "enterprise"}
    outcome = ledger("evt-1.ledger", fields, "keep_contact")

    assert isinstance(outcome, Failed) and outcome.permanent and not outcome.unknown
    assert {row["tier"] for row in rows(engine, "contacts")} == {"pro"}


def test_a_row_is_taken_back_by_its_key_and_that_twice(ledger: Ledger, engine: sa.Engine) -> None:
    ledger("evt-1.ledger")
    ledger("evt-2.ledger")

    for _ in range(2):
        undone = ledger("evt-1.ledger", known="evt-1.ledger", undo=True)
        assert undone == TakenBack(record_id="evt-1.ledger")

    assert [row["meshline_key"] for row in rows(engine)] == ["evt-2.ledger"]


def test_a_row_that_the_table_refuses_is_refused_for_good(
    ledger: Ledger, engine: sa.Engine
) -> None:
    outcome = ledger("evt-1.ledger", {"email": ""})

    assert isinstance(outcome, Failed) and outcome.permanent and not outcome.unknown
    assert "refuses the row" in outcome.error
    assert rows(engine) == []


def test_a_table_or_a_column_that_is_not_there_is_refused_for_good(
    folder: Path, engine: sa.Engine, ledger: Ledger
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE leads")

    outcome = ledger("evt-1.ledger")

    assert isinstance(outcome, Failed) and outcome.permanent and not outcome.unknown
    assert outcome.blame is Blame.CALL


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_call_that_is_given_up_may_still_store_its_row_and_that_is_the_only_one(
    ledger: Ledger, engine: sa.Engine
) -> None:
    with engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        given_up = ledger("evt-1.ledger", longest=0.3)
        other.rollback()

    assert isinstance(given_up, Failed) and given_up.unknown and not given_up.permanent
    assert isinstance(ledger("evt-1.ledger", look_first=True), Confirmed)
    assert len(rows(engine)) == 1


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_commit_whose_answer_is_lost_is_unknown_and_the_row_is_the_only_one(
    folder: Path, store_url: str, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = sa.make_url(store_url)
    assert address.port
    with Wire(address.port) as wire:
        through = address.set(port=wire.port)
        monkeypatch.setenv("LEDGER_URL", through.render_as_string(hide_password=False))
        wire.lose_answer_to("Q\0\0\0\x0bCOMMIT")
        lost = one_call(folder)
        again = one_call(folder, look_first=True)

    assert isinstance(lost, Failed) and lost.unknown and not lost.permanent
    assert "commit" in lost.error
    assert isinstance(again, Confirmed)
    assert len(rows(engine)) == 1


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_wrong_password_is_told_as_one_and_not_shown(
    folder: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = sa.make_url(store_url).set(password="not-the-password")
    monkeypatch.setenv("LEDGER_URL", address.render_as_string(hide_password=False))

    outcome = one_call(folder)

    assert isinstance(outcome, Failed) and outcome.blame is Blame.LOGIN
    assert "not-the-password" not in outcome.error


def test_a_database_that_is_away_has_stored_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_URL", "postgresql://u:not-the-password@127.0.0.1:1/none")

    outcome = one_call(folder)

    assert isinstance(outcome, Failed) and outcome.blame is Blame.SYSTEM
    assert (outcome.permanent, outcome.unknown) == (False, False)
    assert "not-the-password" not in outcome.error


def one_call(folder: Path, *, look_first: bool = False) -> Outcome:
    connector = load_connectors(folder)["ledger"]
    call = Outgoing(key="evt-1.ledger", action="add_lead", fields=LEAD)

    async def hand() -> Outcome:
        outcome = await hand_over(connector, call, confirm=("email",), look_first=look_first)
        await connector.close()
        return outcome

    return asyncio.run(hand())


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "env:LEDGER_URL is not set"),
        ("no address at all", "not a database address"),
        ("nosuchdb://u:pass-word@host/x", "nosuchdb is not installed"),
    ],
)
def test_an_address_that_cannot_be_used_is_said_by_its_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, problem: str
) -> None:
    (tmp_path / "ledger.yaml").write_text(DEFINITION)
    monkeypatch.setenv("LEDGER_URL", url)

    said = unresolved(tmp_path)["ledger"]

    assert problem in said
    assert "pass-word" not in said


def test_the_definition_on_its_page_is_right() -> None:
    page = Path(__file__).parents[3] / "docs" / "howto" / "write-into-a-database.md"
    (shown,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", page.read_text("utf-8"))

    assert load_connectors_of(shown).keys() == {"add_lead", "keep_contact"}


def test_an_action_says_what_its_table_can_do() -> None:
    actions = load_connectors_of(DEFINITION)

    assert actions["add_lead"].idempotency is Idempotency.NATIVE_KEY
    assert actions["add_lead"].required == {"email"}
    assert actions["add_lead"].can_undo
    assert not actions["keep_contact"].can_undo


def load_connectors_of(text: str) -> Any:
    from connectors.sql.connector import SqlConnector
    from connectors.sql.definition import SqlDefinition

    definition = parse_definition(text, name="ledger.yaml")
    assert isinstance(definition, SqlDefinition)
    return SqlConnector(definition, folder=None).actions


@pytest.mark.parametrize(
    ("said", "instead", "fault"),
    [
        ("key_column: meshline_key", "settle: 1s", "key_column"),
        ("key_column: meshline_key", "key_column: email", "key_column"),
        ("email: email\n", "email: 'email; --'\n", "columns.email"),
        ("table: leads", "table: 'leads; --'", "table"),
        ("by: email", "by: phone", "by"),
        ("by: email", "key_column: k", "by"),
        ("optional: [amount", "optional: [amont", "optional"),
        ("url: env:LEDGER_URL", "url: sqlite:///x.db", "url"),
    ],
)
def test_what_makes_no_sense_is_a_fault_of_the_definition(
    said: str, instead: str, fault: str
) -> None:
    with pytest.raises(InvalidFile) as refused:
        parse_definition(DEFINITION.replace(said, instead), name="ledger.yaml")

    assert any(fault in one.path for one in refused.value.faults)
