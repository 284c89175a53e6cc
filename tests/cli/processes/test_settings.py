"""A setting that is wrong ends a command with one line, and a home may be anywhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.settings import Settings
from orchestrator.store.database.migrate import open_store
from orchestrator.variables import SETTINGS, plain_store_url, unknown_variables

HOMES = [
    "My%20Clients",
    "with blanks",
    "what?",
    "number#1",
    "a%2Fb",
    "a:b@c",
    "Ünïcode-客户",
    "100%",
    "quo'te\"d",
    "x" * 120,
]


@pytest.mark.parametrize("name", HOMES)
def test_the_store_lies_in_the_home_that_was_named(tmp_path: Path, name: str) -> None:
    home = tmp_path / name

    open_store(Settings(home=home).store_url).close()

    assert (home / "meshline.db").is_file()
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_home_that_is_relative_or_a_link_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)

    open_store(Settings(home=Path("link")).store_url).close()

    assert (tmp_path / "real" / "meshline.db").is_file()


def test_a_migration_runs_where_the_package_lies_under_a_percent_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import orchestrator.store.database.migrate as module

    package = tmp_path / "100%" / "store"
    shutil.copytree(Path(module.__file__).parents[1], package)
    monkeypatch.setattr(module, "__file__", str(package / "database" / "migrate.py"))

    open_store(f"sqlite:///{tmp_path / 'store.db'}").close()

    assert (tmp_path / "store.db").is_file()


WRONG = {
    "MESHLINE_BROKER_URL": ("kafka://user:hunter2@broker.example", "not a broker"),
    "MESHLINE_DATABASE_URL": ("mysql://user:hunter2@db.example/x", "not a database"),
    "MESHLINE_TOKEN_KEY": ("hunter2", "not 32 bytes in base64; make one with `openssl"),
    "MESHLINE_HOME": ("/etc/hostname", "not a folder"),
    "MESHLINE_DATABSE_URL": ("postgresql://db.example/x", "write MESHLINE_DATABASE_URL"),
    "MESHLINE_BROKER": ("redis://broker.example", "write MESHLINE_BROKER_URL"),
    "MESHLINE_LEASE_SECOND": ("5", "write MESHLINE_LEASE_SECONDS"),
    "MESHLINE_LEASE_SECONDS": ("inf", "finite"),
    "MESHLINE_URL_DATABASE": ("5", "write MESHLINE_DATABASE_URL"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_setting_that_cannot_work_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from orchestrator.cli.main import app
    from orchestrator.cli.terminal.failures import run
    from orchestrator.settings import settings

    value, why = WRONG[name]
    monkeypatch.setenv(name, value)
    settings.cache_clear()

    code = run(app, ["events", "list"])

    settings.cache_clear()
    said = capsys.readouterr()
    assert code == 1 and said.out == ""
    assert name in said.err and why in said.err
    assert said.err.count("\n") == 1 and "hunter2" not in said.err


def test_a_variable_that_a_definition_names_is_known(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text("base_url: env:MESHLINE_BROKER_URI\n")
    there = {"MESHLINE_BROKER_URI": "x", "MESHLINE_SLACK_TOKEN": "x", "MESHLINE_FOO": "x"}

    found = unknown_variables(Settings.model_fields, files=[tmp_path], environment=there)

    assert found == ["MESHLINE_FOO"]  # the one a definition of ours names, the other a shipped one


def test_what_a_listing_knows_of_settings_are_all_there_are() -> None:
    assert Settings.model_fields.keys() == SETTINGS


def test_a_listing_reads_its_address_as_the_settings_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESHLINE_HOME", str(tmp_path / "a%20b"))

    assert plain_store_url() == Settings().store_url
    assert plain_store_url({"MESHLINE_LEASE_SECONDS": "5"}) is None
    assert plain_store_url({"MESHLINE_BROKER_URL": "kafka://x"}) is None
