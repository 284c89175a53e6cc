"""The suite that every connector passes, with a table of a real PostgreSQL behind it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.conformance import Conformance
from connectors.registry import load_connectors
from connectors.rigging import Bench, Rig, set_up
from orchestrator.embedded.child import EmbeddedServer
from tests.stores import new_database
from tests.systems.cutting import Wire

DEFINITION = """\
connector: ledger
kind: sql
url: env:LEDGER_URL
actions:
  add_lead:
    table: leads
    key_column: meshline_key
    columns: {email: email}
"""
# A sequence keeps its count though the statement fails, so that only the next insert goes wrong.
TABLES = """\
CREATE TABLE leads (meshline_key VARCHAR(200) UNIQUE, email TEXT NOT NULL);
CREATE TABLE mishap (state TEXT);
CREATE SEQUENCE inserts;
CREATE FUNCTION go_wrong() RETURNS trigger AS $$ BEGIN
  IF EXISTS (SELECT FROM mishap) AND nextval('inserts') = 1 THEN
    RAISE EXCEPTION 'no' USING ERRCODE = (SELECT state FROM mishap);
  END IF;
  RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER mishaps BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION go_wrong();
CREATE ROLE {role} LOGIN PASSWORD '{password}';
GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role};
"""


class TableRig(Rig):
    """A table, a login of its own, and a wire to the server."""

    action = "add_lead"
    fields: Mapping[str, object] = {"email": "lead@example.com"}
    says_when = False

    def __init__(self, url: str, folder: Path, environment: pytest.MonkeyPatch) -> None:
        self.address = sa.make_url(url).set(drivername="postgresql+psycopg")
        self.owner = sa.create_engine(self.address, isolation_level="AUTOCOMMIT")
        self.role, self.secret = f"r{secrets.token_hex(6)}", secrets.token_hex(8)
        (folder / "ledger.yaml").write_text(DEFINITION)
        self.folder, self.environment = folder, environment

    async def start(self) -> None:
        self.sql(TABLES.format(role=self.role, password=self.secret))
        assert self.address.port
        self.wire = Wire(self.address.port).__enter__()
        login = self.address.set(username=self.role, password=self.secret, port=self.wire.port)
        self.environment.setenv("LEDGER_URL", login.render_as_string(hide_password=False))
        self.connector = load_connectors(self.folder)["ledger"]

    async def stop(self) -> None:
        await self.connector.close()
        self.wire.__exit__()
        self.owner.dispose()

    def sql(self, statement: str) -> int:
        with self.owner.connect() as connection:
            return connection.exec_driver_sql(statement).rowcount

    def effects(self, key: str) -> int:
        return self.sql(f"SELECT 1 FROM leads WHERE meshline_key = '{key}'")

    def lose_next_answer(self) -> None:
        self.wire.lose_answer_to("Q\0\0\0\x0bCOMMIT")

    def refuse_next(self) -> None:
        self._let_next_fail("22023")  # a value that the table does not take

    def limit_next(self, seconds: int) -> None:
        self._let_next_fail("55P03")  # a lock that is not free

    def _let_next_fail(self, state: str) -> None:
        self.sql("ALTER SEQUENCE inserts RESTART")
        self.sql(f"INSERT INTO mishap VALUES ('{state}')")

    def refuse_login(self) -> None:
        self.sql(f"ALTER ROLE {self.role} PASSWORD 'another'")
        sessions = f"FROM pg_stat_activity WHERE usename = '{self.role}'"
        self.sql(f"SELECT pg_terminate_backend(pid) {sessions}")

    async def go_away(self) -> None:
        self.wire.__exit__()


class TestATable(Conformance):
    """A row in a table is held to what every other record is held to."""

    @pytest.fixture
    def bench(
        self, postgres: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Bench]:
        with set_up(TableRig(new_database(postgres), tmp_path, monkeypatch)) as bench:
            yield bench
