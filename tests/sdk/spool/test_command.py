"""`python -m meshline.spool`."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from meshline import Event
from meshline.spool import Spool
from meshline.spool.__main__ import main
from meshline.testing import RecordingTransport
from tests.sdk.conftest import WireDoor
from tests.sdk.spool.conftest import MakeProducer

KEYS = ("jo@shop.example", "form-12345")


@pytest.fixture(autouse=True)
def filled(spooling: MakeProducer, door: RecordingTransport, spool: Spool) -> None:
    """Two events: the first refused, the second waits."""
    door.cut_next()
    spooling().emit_many(
        Event("lead", {"email": "ada@shop.example"}, idempotency_key=key) for key in KEYS
    )
    spool.set_aside(spool.first(1)[0], "type: no live workflow takes it")


def _run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(arguments) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err if code else said.out


def test_a_listing_says_what_waits_and_why_and_shows_no_value(
    capsys: pytest.CaptureFixture[str], path: Path
) -> None:
    page = _run(capsys, "list", str(path))
    document = json.loads(_run(capsys, "list", str(path), "--json"))

    assert page.startswith("1 wait, 1 were refused, ")
    assert "no live workflow takes it" in page
    assert [one["state"] for one in document["events"]] == ["refused", "waiting"]
    assert document["waiting"] == document["refused"] == 1
    assert "shop.example" not in page + json.dumps(document)


def test_keys_that_look_alike_are_told_apart_and_one_is_found(
    capsys: pytest.CaptureFixture[str], path: Path, spooling: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next()
    keys = [f"order-2026-11-30-{number}" for number in range(9)]
    spooling().emit_many(Event("order", 1, idempotency_key=key) for key in keys)

    events = json.loads(_run(capsys, "list", str(path), "--json"))["events"]

    assert len({one["idempotency_key"] for one in events}) == len(events) == 11
    found = json.loads(_run(capsys, "list", "--key", keys[3], "--json", str(path)))["events"]
    assert [one["number"] for one in found] == [events[5]["number"]]


def test_a_listing_says_why_nothing_goes_out(
    capsys: pytest.CaptureFixture[str], path: Path, spooling: MakeProducer, door: RecordingTransport
) -> None:
    problem = {"code": "key_refused", "detail": "the key is not known"}
    door.answer_next(401, problem=problem, times=99)

    assert spooling().flush(600) == 1

    assert "they wait because: the key is not known\n" in _run(capsys, "list", str(path))
    assert json.loads(_run(capsys, "list", "--json", str(path)))["cause"] == problem["detail"]


def test_a_refused_event_waits_again(
    capsys: pytest.CaptureFixture[str], path: Path, spool: Spool
) -> None:
    assert _run(capsys, "retry", "--refused", str(path)) == "1 wait again\n"
    assert spool.state().waiting == 2


def test_only_a_named_event_is_dropped(
    capsys: pytest.CaptureFixture[str], path: Path, spool: Spool
) -> None:
    assert "--number" in _run(capsys, "drop", str(path), code=1)
    assert "77 is not the number" in _run(capsys, "drop", "--number", "77", str(path), code=1)

    (number,) = [str(one.seq) for one in spool.every("refused")]
    _run(capsys, "drop", "--number", number, str(path))

    assert [one.idempotency_key for one in spool.every()] == [KEYS[1]]


def test_an_export_holds_whole_events_and_is_its_owners_only(
    capsys: pytest.CaptureFixture[str], path: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.jsonl"
    _run(capsys, "export", "--to", str(target), str(path))

    events = [json.loads(line) for line in target.read_text().splitlines()]
    assert [one["idempotency_key"] for one in events] == list(KEYS)
    assert events[0]["data"] == {"email": "ada@shop.example"}
    assert events[0]["error"] and events[1]["error"] is None
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_an_export_onto_a_file_says_what_to_do_and_writes_over_it_when_it_is_told_to(
    capsys: pytest.CaptureFixture[str], path: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("mine")
    words = ("export", "--to", str(target), str(path))

    said = _run(capsys, *words, code=1)
    assert (
        said == f"to: {target} is there already; name another file, or write over it with --force\n"
    )
    assert target.read_text() == "mine"
    _run(capsys, *words, "--force")
    assert len(target.read_text().splitlines()) == 2
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(one.name for one in tmp_path.glob("*out*")) == ["out.jsonl"]
    assert "cannot be written" in _run(
        capsys, "export", "--to", str(tmp_path / "none" / "out"), str(path), code=1
    )


def test_a_cron_job_may_forward(
    capsys: pytest.CaptureFixture[str],
    path: Path,
    wire: WireDoor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MESHLINE_KEY", "k")
    _run(capsys, "retry", "--refused", str(path))

    assert _run(capsys, "forward", "--url", wire.url, str(path)).startswith("0 wait still")
    assert [one.idempotency_key for one in wire.door.events] == [KEYS[1], KEYS[0]]


def test_a_forwarder_that_waits_for_another_says_so(
    capsys: pytest.CaptureFixture[str],
    path: Path,
    spool: Spool,
    wire: WireDoor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MESHLINE_KEY", "k")
    spool.take_lease("another")
    words = ("forward", "--url", wire.url, "--seconds", "0.1", str(path))

    assert "another forwarder works" in _run(capsys, *words, code=1)
    assert wire.door.events == []

    spool.give_lease_back("another")
    assert "another" not in _run(capsys, *words, code=1)  # the refused one is there still
    assert len(wire.door.events) == 1


def test_a_path_that_is_not_there_makes_no_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "is not a spool" in _run(capsys, "list", str(tmp_path / "none"), code=1)
    assert not (tmp_path / "none").exists()
