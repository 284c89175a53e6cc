"""Questions whose answers would tell personal values, and what is written of who saw them."""

from __future__ import annotations

import pytest

from orchestrator.operations import note_seen as module
from orchestrator.presenting.personal.gate import NO_CLIENT
from orchestrator.store.views.audit import AuditRow, list_audit
from tests.cli.desk import CommandLine
from tests.marked import EMAIL, SECRET, Marked, fill_marked


@pytest.fixture
def marked(meshline: CommandLine) -> Marked:
    with meshline.store() as store:
        return fill_marked(store)


@pytest.fixture
def unseeing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person at the command line may not see personal values."""
    for name in ("terminal.personal", "quarantine.recipes"):
        monkeypatch.setattr(f"orchestrator.cli.{name}.clients_seen", lambda _store, _tx: NO_CLIENT)


def sightings(meshline: CommandLine) -> list[AuditRow]:
    with meshline.store() as store, store.read() as tx:
        return list_audit(tx, action="see_personal_data")


@pytest.mark.usefixtures("marked", "unseeing")
@pytest.mark.parametrize(
    "words",
    [
        ("quarantine", "list", "--text"),
        ("quarantine", "diagnose", "--text"),
        ("quarantine", "discard", "--why", "seen", "--dry-run", "--text"),
        ("quarantine", "replay", "--dry-run", "--text"),
        ("quarantine", "fix", "--dry-run", "--set", "tier=pro", "--text"),
        ("quarantine", "recipe", "--trim", "tier", "--text"),
        ("quarantine", "restore", "--why", "seen", "--dry-run", "--text"),
        ("incidents", "list", "--text"),
    ],
)
def test_words_are_not_looked_for_by_who_may_not_see_them(
    meshline: CommandLine, words: tuple[str, ...]
) -> None:
    there, not_there = meshline(*words, SECRET), meshline(*words, "nobody-is-called-so")

    assert there == not_there
    assert "acme/leads have personal fields that you may not see" in there.error


@pytest.mark.usefixtures("marked", "unseeing")
def test_words_of_workflows_without_personal_fields_are(meshline: CommandLine) -> None:
    meshline.publish_other()

    ran = meshline("quarantine", "list", "--text", "gold", "--client", "globex")

    assert (ran.code, ran.err) == (0, "")


@pytest.mark.usefixtures("unseeing")
@pytest.mark.parametrize("step", ["--map=email={}:x", "--drop-if=email={}"])
def test_no_recipe_compares_for_who_may_not_see(
    meshline: CommandLine, marked: Marked, step: str
) -> None:
    ran = meshline("quarantine", "recipe", marked.broken, step.format(EMAIL))

    assert "compares values" in ran.error


def test_that_somebody_saw_personal_values_is_written_once_an_hour(
    meshline: CommandLine, marked: Marked
) -> None:
    for _ in range(3):
        assert SECRET in meshline("events", "show", marked.broken, "--payload").out
    (row,) = sightings(meshline)

    assert (row.event_id, row.actor, row.client) == (marked.broken, actor_here(), "acme")
    assert SECRET not in repr(row)

    meshline("events", "show", marked.refused)
    assert {one.event_id for one in sightings(meshline)} == {marked.broken, marked.refused}


def test_a_look_at_nothing_personal_is_not_written(meshline: CommandLine, marked: Marked) -> None:
    meshline("events", "list", "--held")
    meshline("workflow", "show", "leads")
    meshline("incidents", "list")

    assert sightings(meshline) == []


def test_a_look_changes_nothing_but_the_audit(meshline: CommandLine, marked: Marked) -> None:
    before = _tables(meshline)

    meshline("quarantine", "show", marked.broken)
    after = _tables(meshline)

    assert after.pop("audit") == before.pop("audit") + 1
    assert after == before


def test_a_look_into_a_store_that_takes_nothing_is_answered_all_the_same(
    meshline: CommandLine, marked: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestrator.domain.errors import StoreUnavailable

    def refuse(*_: object, **__: object) -> int:
        raise StoreUnavailable("the store is read-only")

    monkeypatch.setattr(module, "add_sightings", refuse)
    ran = meshline("events", "show", marked.broken, "--payload")

    assert ran.code == 0
    assert SECRET in ran.out
    assert "that you saw personal values is not in the audit" in ran.err
    assert sightings(meshline) == []


def _tables(meshline: CommandLine) -> dict[str, int]:
    from sqlalchemy import func, select

    from orchestrator.store.database.schema import metadata

    with meshline.store() as store, store.read() as tx:
        return {
            name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }


def actor_here() -> str:
    from orchestrator.cli.terminal.who import machine_login

    return machine_login()
