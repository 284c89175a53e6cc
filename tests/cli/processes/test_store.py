"""What a command says of a store that is not there, or is not this release's."""

from __future__ import annotations

import sqlite3

import pytest

from tests.cli.desk import CommandLine

LOOKS = [
    ("events", "list"),
    ("events", "show", "x"),
    ("quarantine", "list"),
    ("quarantine", "replay", "x"),
    ("workflow", "list"),
    ("dead-letters", "list"),
    ("audit",),
    ("keys", "list"),
    ("keys", "revoke", "x"),
    ("emit", "lead.created", "--client", "acme", "--data", "{}"),
]


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_a_look_from_the_wrong_folder_makes_no_store(
    meshline: CommandLine, words: tuple[str, ...]
) -> None:
    error = meshline(*words).error

    assert error.startswith(f"there is no store at {meshline.folder}/.meshline/meshline.db: ")
    assert "MESHLINE_DATABASE_URL" in error
    assert not (meshline.folder / ".meshline").exists()


def test_a_database_that_does_not_answer_is_one_line(meshline: CommandLine) -> None:
    ran = meshline("events", "list", MESHLINE_DATABASE_URL="postgresql://who:secret@127.0.0.1:1/x")

    assert ran.error.startswith("the store does not answer: ")
    assert "secret" not in ran.error


def test_a_database_of_another_kind_is_refused(meshline: CommandLine) -> None:
    ran = meshline("events", "list", MESHLINE_DATABASE_URL="mysql://127.0.0.1/x")

    assert "'mysql' is not a database" in ran.error


def test_a_file_that_is_no_database_is_one_line(meshline: CommandLine) -> None:
    (meshline.folder / ".meshline").mkdir()
    (meshline.folder / ".meshline" / "meshline.db").write_text("not a database " * 100)

    assert "file is not a database" in meshline("events", "list").error


def test_a_schema_of_a_newer_release_is_refused(meshline: CommandLine) -> None:
    meshline.leads(1)
    database = meshline.folder / ".meshline" / "meshline.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    error = meshline("events", "list").error

    assert "schema 9999" in error
    assert "newer release" in error


def test_a_setting_that_is_wrong_is_named(meshline: CommandLine) -> None:
    assert meshline("events", "list", MESHLINE_PORT="high").error.startswith("MESHLINE_PORT: ")
