"""`python -m meshline.outbox`: what it prints, what it answers, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from meshline import outbox
from meshline.outbox.__main__ import main
from tests.api.doors import LEAD, RunningDoor, leads_store, open_door
from tests.sdk.outbox.apps import open_connection, rows, run
from tests.waiting import wait_until

COMMAND = (sys.executable, "-m", "meshline.outbox")


@pytest.fixture(scope="module")
def real_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDoor]:
    with leads_store(tmp_path_factory.mktemp("door")) as store, open_door(store) as door:
        yield door


@pytest.fixture
def url(tmp_path: Path, real_door: RunningDoor, monkeypatch: pytest.MonkeyPatch) -> str:
    """An outbox on SQLite, named in the environment as the door is."""
    (tmp_path / "app.db").touch()
    url = f"sqlite:///{tmp_path / 'app.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("MESHLINE_URL", f"http://127.0.0.1:{real_door.port}")
    monkeypatch.setenv("MESHLINE_KEY", real_door.key)
    assert main(["create"]) == 0
    return url


def _add(url: str, type_: str = "lead.created", *, times: int = 1) -> None:
    with closing(open_connection(url)) as connection:
        for _ in range(times):
            outbox.add(connection, type_, LEAD)
        connection.commit()


def test_ddl_prints_what_a_database_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ddl", "sqlite", "--table", "out"]) == 0

    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(capsys.readouterr().out)
        assert connection.execute("SELECT count(*) FROM out_lease").fetchone() == (1,)


def test_once_sends_everything_and_says_what_was_refused(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _add(url, times=3)
    _add(url, "nobody.knows")

    assert main(["forward", "--once"]) == 0
    assert "sent 3, refused 1, delayed 0" in capsys.readouterr().out

    assert main(["status", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["waiting"], status["refused"], status["forwarder"]) == (0, 1, None)
    (refused,) = status["refused_events"]
    assert refused["type"] == "nobody.knows" and "type" in refused["error"]

    assert main(["status"]) == 0
    assert f"{refused['id']}  nobody.knows" in capsys.readouterr().out
    assert main(["retry", refused["id"]]) == 0
    assert main(["retry", "nothing"]) == 1
    said = capsys.readouterr()
    assert "1 will be sent again" in said.out
    assert "'nothing' is not a refused event" in said.err


def test_a_refused_event_is_dropped_with_a_reason_after_it_was_shown(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _add(url, "nobody.knows", times=2)
    assert main(["forward", "--once"]) == 0
    _add(url)
    capsys.readouterr()
    assert main(["list", "--json"]) == 0
    first, second, waiting = json.loads(capsys.readouterr().out)["events"]
    assert [one["state"] for one in (first, second, waiting)] == ["refused", "refused", "waiting"]
    assert first["error"] and waiting["error"] is None and "ada@" not in json.dumps(first)

    assert main(["drop", waiting["id"], "--why", "x"]) == 1  # it may be sent still
    assert main(["drop", first["id"], "--why", " "]) == 1
    assert main(["drop", first["id"], "--why", "a test's"]) == 0
    said = capsys.readouterr()
    assert "is not a refused event" in said.err and "why: it is empty" in said.err
    assert first["id"] in said.out and "1 would be deleted for good; do it with --yes" in said.out
    assert len(rows(url)) == 3

    assert main(["drop", first["id"], "--why", "a test's", "--yes"]) == 0
    assert [one[0] for one in rows(url)] == [second["id"], waiting["id"]]
    ((key, by, why),) = run(url, "SELECT id, dropped_by, why FROM meshline_outbox_dropped")
    assert (key, why) == (first["id"], "a test's") and "@" in by
    capsys.readouterr()
    assert main(["list", "--refused"]) == 0
    assert capsys.readouterr().out.count("nobody.knows  of") == 1


def test_once_fails_and_keeps_everything_where_the_key_is_wrong(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(url)
    monkeypatch.setenv("MESHLINE_KEY", "wrong")

    assert main(["forward", "--once"]) == 1

    assert "error: " in capsys.readouterr().err
    assert len(rows(url)) == 1


def test_once_fails_where_another_forwarder_works_and_events_wait(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(outbox.Database(url)) as database:
        table = outbox.OutboxTable(database)
        assert table.take_lease("another", 60)

        assert main(["forward", "--once"]) == 0  # nothing is left
        _add(url)
        capsys.readouterr()
        assert main(["forward", "--once"]) == 1
        assert capsys.readouterr().err == "another forwarder works on this outbox\n"
        assert len(rows(url)) == 1

        table.release_lease("another")
    assert main(["forward", "--once"]) == 0
    assert rows(url) == []


def test_once_fails_and_says_why_where_events_are_delayed(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _add(url)
    with closing(outbox.Database(url)) as database:
        table = outbox.OutboxTable(database)
        table.delay(table.due(1)[0], "client: the key may not act for it", seconds=60)

    assert main(["forward", "--once"]) == 1

    said = capsys.readouterr().err
    assert "error: 1 delayed, and tried again later: client: the key" in said
    assert len(rows(url)) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status", "--database", "oracle://x"], "'oracle' is not sqlite, postgresql"),
        (["status", "--database", "sqlite://"], "name its file"),
        (
            ["status", "--database", "sqlite:///nowhere/app.db"],
            "failed: there is no file nowhere/app.db",
        ),
        (
            ["status", "--table", "other"],
            "no such table: other; `python -m meshline.outbox",
        ),
        (["status", "--database", "mariadb://h:port/x"], "database: it is not an address: Port"),
        (["status", "--database", "postgresql://[::1/x"], "database: it is not an address"),
        (["status", "--database", "postgresql://127.0.0.1:1/x"], "the database failed: "),
        (["status", "--database", "mariadb://127.0.0.1:1/x"], "the database failed: Can't connect"),
        (["status", "--table", "a b"], "'a b' is not a plain name"),
        (["status", "--database", "mariadb://h/x?colour=1"], "colour is not an option here"),
        (["forward", "--door", "ftp://x"], "ftp"),
        (["forward", "--lease", "0"], "lease: it must be from 1 to 3600"),
        (["forward", "--lease", "nan"], "lease: it must be from 1 to 3600"),
    ],
)
def test_a_wrong_argument_is_one_clear_line(
    url: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1

    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


def test_what_is_missing_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "MESHLINE_URL", "MESHLINE_KEY"):
        monkeypatch.delenv(name, raising=False)

    assert main(["status"]) == 1
    assert main(["forward"]) == 1
    assert main(["forward", "--door", "http://127.0.0.1:1"]) == 1
    first, second, third = capsys.readouterr().err.splitlines()
    assert "give --database or DATABASE_URL" in first
    assert "give --door or MESHLINE_URL" in second
    assert "key: is missing" in third


@pytest.mark.processes
def test_a_reader_who_reads_no_further_sees_no_traceback() -> None:
    line = f"{sys.executable} -m meshline.outbox ddl sqlite | true"
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stderr == ""


@pytest.mark.processes
def test_it_sends_what_comes_until_it_is_stopped_and_gives_the_lease_back(url: str) -> None:
    _add(url)
    with subprocess.Popen((*COMMAND, "forward"), env=dict(os.environ)) as process:
        try:
            wait_until(lambda: not rows(url))
            _add(url)
            wait_until(lambda: not rows(url))
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()

    with closing(outbox.Database(url)) as database:
        assert outbox.OutboxTable(database).status().forwarder is None
