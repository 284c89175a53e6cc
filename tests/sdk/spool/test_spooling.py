"""What no door takes is kept, and goes out in order."""

from __future__ import annotations

import itertools
import json
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from meshline import Event, Misconfigured, Observation, Producer, Refused, SpoolFull
from meshline.spool import Spool
from meshline.testing import RecordingTransport
from meshline.transport import Request, Response
from tests.sdk.conftest import WireDoor
from tests.sdk.spool.conftest import MakeProducer
from tests.waiting import wait_until

PLAIN_404 = {"status": 404, "body": b"<h1>nginx</h1>"}


def _numbers(door: RecordingTransport) -> list[Any]:
    return [one.data for one in door.events]


def test_what_the_door_takes_is_not_spooled(
    spooling: MakeProducer, door: RecordingTransport, spool: Spool
) -> None:
    emitted = spooling().emit("lead", 1)

    assert emitted.accepted and emitted.id == "event-1"
    assert spool.state().waiting == 0


def test_what_nobody_takes_is_kept_and_sent_later_with_the_same_key(
    spooling: MakeProducer, door: RecordingTransport, spool: Spool
) -> None:
    door.cut_next(after_taking=True)
    producer = spooling()

    emitted = producer.emit("lead", 1, client="acme", idempotency_key="form-1")

    assert emitted.spooled and not emitted.accepted
    (kept,) = spool.every()
    assert (kept.client, kept.type, kept.idempotency_key) == ("acme", "lead", "form-1")
    assert producer.flush() == 0
    assert door.events == [Event("lead", 1, client="acme", idempotency_key="form-1")]
    assert spool.every() == []


@pytest.mark.parametrize("answer", [PLAIN_404, {"status": 401}, {"status": 302}])
def test_an_event_survives_a_door_that_is_misconfigured(
    spooling: MakeProducer, door: RecordingTransport, answer: dict[str, Any]
) -> None:
    door.answer_next(**answer)
    producer = spooling()

    assert producer.emit("lead", 1).spooled
    assert producer.flush() == 0
    assert _numbers(door) == [1]


def test_a_wrong_event_is_refused_at_once_and_not_kept(
    spooling: MakeProducer, door: RecordingTransport, spool: Spool
) -> None:
    door.answer_next(422, problem={"code": "unknown_trigger", "detail": "no"})

    with pytest.raises(Refused) as refused:
        spooling().emit("lead", 1, idempotency_key="form-1")

    assert refused.value.idempotency_key == "form-1"
    assert spool.every() == []


def test_a_later_event_goes_behind_an_earlier_one_of_its_line_and_others_do_not_wait(
    spooling: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next()
    spooling().emit("lead", 1, ordering_key="jo")
    producer = spooling()  # another one, that has not seen the door fail

    behind = producer.emit("lead", 2, ordering_key="jo")
    beside = producer.emit("lead", 3, ordering_key="ada")

    assert behind.spooled and beside.accepted
    assert producer.flush() == 0
    assert _numbers(door) == [3, 1, 2]


def test_without_an_ordering_key_the_events_of_one_client_and_type_are_one_line(
    spooling: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next()
    spooling().emit("lead", 1, client="acme")
    producer = spooling()

    assert producer.emit("lead", 2, client="acme").spooled
    assert producer.emit("lead", 3, client="other").accepted
    assert producer.emit("order", 4, client="acme").accepted


def test_a_door_that_did_not_answer_is_not_waited_for_by_the_next_request(
    spooling: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit("lead", 1, ordering_key="jo")

    assert producer.emit("lead", 2, ordering_key="ada").spooled
    assert len(door.requests) == 1


def test_of_many_those_that_must_wait_are_kept_and_the_answers_are_in_order(
    spooling: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next()
    spooling().emit("lead", 1, ordering_key="jo")
    producer = spooling()
    events = [Event("lead", number, ordering_key=key) for number, key in ((2, "jo"), (3, "ada"))]

    emitted = producer.emit_many(events)

    assert [one.spooled for one in emitted] == [True, False]
    assert producer.flush() == 0
    assert _numbers(door) == [3, 1, 2]


def test_a_batch_that_nobody_takes_is_kept_whole(
    spooling: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next()
    producer = spooling()

    emitted = producer.emit_many(Event("lead", number) for number in range(5))

    assert all(one.spooled for one in emitted)
    assert producer.flush() == 0
    assert _numbers(door) == list(range(5))


def test_an_event_that_the_door_refuses_later_is_kept_aside_and_holds_up_nobody(
    spooling: MakeProducer, door: RecordingTransport, spool: Spool
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit_many(Event("lead", number) for number in range(3))
    door.answer_next(422, problem={"code": "unknown_trigger", "detail": "no", "index": 1})

    assert producer.flush() == 0

    assert _numbers(door) == [0, 2]
    (kept,) = spool.every()
    assert (kept.state, json.loads(kept.body)["data"]) == ("refused", 1)
    assert "no" in str(kept.error)
    assert spool.retry([kept.seq]) == 1
    assert producer.flush() == 0
    assert _numbers(door) == [0, 2, 1]


def test_a_client_that_the_key_may_not_send_for_delays_its_own_line_only(
    spooling: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit_many([Event("lead", 1, client="a"), Event("lead", 2, client="b")])
    problem = {"code": "client_not_permitted", "detail": "no", "index": 0}
    door.answer_next(403, problem=problem)

    assert producer.flush(0.1) == 1  # its time is over after the first pass
    assert _numbers(door) == [2]
    assert producer.flush(10) == 0


NOT_PERMITTED = {"code": "client_not_permitted", "detail": "no", "index": 0}


@pytest.mark.parametrize(("wrong", "longest"), [(True, 60.0), (False, 10.0)])
def test_a_door_that_takes_nothing_is_asked_more_and_more_seldom_and_said_once(
    spooling: MakeProducer,
    door: RecordingTransport,
    caplog: pytest.LogCaptureFixture,
    wrong: bool,
    longest: float,
) -> None:
    told: list[str] = []
    door.cut_next()
    producer = spooling(observe=lambda one: told.append(one.what))
    producer.emit("lead.created", 1)
    problem = {"code": "key_refused", "detail": "the key is not known"}
    if wrong:
        door.answer_next(401, problem=problem, times=99)
    else:
        door.cut_next(times=99)
    del door.pauses[:], door.requests[:]

    assert producer.flush(600) == 1

    assert len(door.requests) < 600 / longest * 2 + 12
    assert longest / 2 <= max(door.pauses) <= longest and max(door.pauses[:3]) < 1
    assert told.count("stuck") == caplog.text.count("nothing goes out") == 1


def test_a_blocked_line_is_tried_again_more_and_more_seldom_and_its_cause_is_said_once(
    spooling: MakeProducer,
    door: RecordingTransport,
    spool: Spool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit("lead", 1, client="a")
    door.answer_next(403, problem=NOT_PERMITTED, times=9)

    assert producer.flush(60) == 1

    assert len(door.requests) == 1 + 4  # the one that was cut; then at 0, 5, 15 and 35 seconds
    (said,) = [one.getMessage() for one in caplog.records if "waits in" in one.getMessage()]
    (kept,) = spool.every("waiting")
    assert kept.error and kept.error in said


def test_a_blocked_line_does_not_hold_up_what_is_spooled_later(
    spooling: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit("lead", 1, client="a")
    door.answer_next(403, problem=NOT_PERMITTED)
    producer.flush(0.1)
    door.cut_next()
    producer.emit("lead", 2, client="b")

    assert producer.flush(1) == 1
    assert _numbers(door) == [2]


def test_the_door_hears_of_what_was_tried_in_vain_also_while_it_is_tried_again(
    spooling: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit("lead", 1, client="a")
    door.answer_next(403, problem=NOT_PERMITTED, times=9)

    producer.flush(10)
    producer.close()
    spooling().flush(0.1)  # the next process knows it too

    said = [one.headers["Meshline-Spool"].split(",")[0] for one in door.requests]
    assert said == ["waiting=0", "waiting=0", "waiting=1", "waiting=1"]


def test_a_producer_that_is_closed_gives_the_lease_back_with_what_is_blocked(
    spooling: MakeProducer, door: RecordingTransport, spool: Spool
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit("lead", 1, client="a")
    door.answer_next(403, problem=NOT_PERMITTED)
    assert producer.flush(0.1) == 1
    assert spool.is_leased()

    producer.close()

    assert not spool.is_leased()
    assert spool.take_lease("another")


def test_a_batch_that_is_too_large_for_a_proxy_is_parted(
    spooling: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit_many(Event("lead", number) for number in range(8))
    door.answer_next(413, times=2)

    assert producer.flush() == 0
    assert _numbers(door) == list(range(8))
    assert [len(json.loads(one.body)) for one in door.requests[1:]][:3] == [8, 4, 2]


@pytest.mark.parametrize("bounds", [{"most_events": 2}, {"most_bytes": 200}])
def test_a_full_spool_is_an_error_and_drops_nothing(
    spooling: MakeProducer, door: RecordingTransport, path: Path, bounds: dict[str, int]
) -> None:
    door.cut_next()
    producer = spooling(spool=Spool(path, **bounds))
    producer.emit("lead", 1)
    producer.emit("lead", 2)

    with pytest.raises(SpoolFull, match="full") as full:
        producer.emit("lead", 3, idempotency_key="form-3")

    assert full.value.idempotency_key == "form-3"
    assert producer.flush() == 0
    assert _numbers(door) == [1, 2]


def test_the_same_key_again_is_kept_once_and_with_another_payload_refused(
    spooling: MakeProducer, door: RecordingTransport, spool: Spool
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit("lead", 1, idempotency_key="form-1")
    producer.emit("lead", 1, idempotency_key="form-1")

    for other in (2, True, 1.0):  # Python holds the last two for equal
        with pytest.raises(Refused) as refused:
            producer.emit("lead", other, idempotency_key="form-1")
        assert refused.value.code == "idempotency_conflict"
    assert spool.state().waiting == 1

    assert producer.flush() == 0
    with pytest.raises(Refused, match="another payload"):  # the recording door's word
        producer.emit("lead", True, idempotency_key="form-1")


def test_what_was_refused_and_is_emitted_again_waits_again_at_the_end(
    spooling: MakeProducer, door: RecordingTransport, spool: Spool
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit_many(Event("lead", one, idempotency_key=f"form-{one}") for one in range(2))
    spool.set_aside(spool.first(1)[0], "no workflow yet")

    producer.emit("lead", 0, idempotency_key="form-0")

    assert [json.loads(one.body)["data"] for one in spool.first(9)] == [1, 0]
    producer.emit("lead", 2)
    assert [json.loads(one.body)["data"] for one in spool.first(9)] == [1, 0, 2]


def test_the_door_hears_what_waits(
    spooling: MakeProducer, door: RecordingTransport, path: Path
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit("lead", 1)
    door.pause(60)

    producer.flush()

    said = [one.headers["Meshline-Spool"] for one in door.requests]
    assert said[0].startswith("waiting=0, oldest=0, refused=0, id=")
    assert said[1] == said[0]  # what it carries itself does not wait any more
    assert str(path) not in said[0]


def test_an_observer_hears_of_the_spool(spooling: MakeProducer, door: RecordingTransport) -> None:
    seen: list[Observation] = []
    door.cut_next()
    producer = spooling(observe=seen.append)

    producer.emit("lead", 1)
    producer.flush()

    assert [one.what for one in seen] == ["unreachable", "spooled", "forwarded"]


def test_the_file_is_its_owners_only_and_survives_a_crash(
    spooling: MakeProducer, door: RecordingTransport, path: Path
) -> None:
    script = (
        "import os, sys, meshline\n"
        "producer = meshline.Producer('http://127.0.0.1:9', key='k', spool=sys.argv[1],"
        " attempts=1, forward=False)\n"
        "for number in range(20): assert producer.emit('lead', number).spooled\n"
        "os.kill(os.getpid(), 9)\n"
    )
    os.umask(0)
    try:
        done = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    finally:
        os.umask(0o022)

    assert done.returncode == -9
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert spooling().flush() == 0
    assert _numbers(door) == list(range(20))


def test_a_thread_forwards_as_soon_as_the_door_is_back(wire: WireDoor, path: Path) -> None:
    wire.door.answer_next(503, times=3)
    with Producer(wire.url, key="k", spool=path, attempts=1) as producer:
        for number in range(10):
            assert producer.emit("lead", number).spooled

        wait_until(lambda: len(wire.door.events) == 10)

    assert _numbers(wire.door) == list(range(10))


def test_what_waits_goes_out_at_once_when_the_door_takes_something(
    wire: WireDoor, path: Path
) -> None:
    wire.door.answer_next(503, headers={"Retry-After": "600"}, times=2)
    with Producer(wire.url, key="k", spool=path, attempts=1) as producer:
        assert producer.emit("a", 0).spooled
        wait_until(lambda: len(wire.door.requests) == 2)  # the forwarder was told to wait for long
        others = (f"other-{number}" for number in itertools.count())  # each a line of its own
        wait_until(lambda: producer.emit(next(others), 1).accepted, within=30)

        wait_until(lambda: any(one.type == "a" for one in wire.door.events), within=60)


@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
def test_what_an_earlier_process_left_goes_out_soon_once_the_door_takes_something(
    wire: WireDoor, path: Path, many: bool
) -> None:
    """Its own requests never failed, so only the forwarder's wait has to end."""
    wire.door.answer_next(503, times=1)
    with Producer(wire.url, key="k", spool=path, attempts=1, forward=False) as before:
        assert before.emit("a", 0).spooled
    wire.door.answer_next(503, headers={"Retry-After": "600"}, times=1)
    with Producer(wire.url, key="k", spool=path, attempts=1) as producer:
        wait_until(lambda: len(wire.door.requests) == 2)  # the forwarder's: it waits for long
        [taken] = producer.emit_many([Event("b", 1)]) if many else [producer.emit("b", 1)]
        assert taken.accepted

        wait_until(lambda: any(one.type == "a" for one in wire.door.events), within=60)


def test_what_the_spool_itself_sent_does_not_shorten_the_wait_that_the_door_asks_for(
    wire: WireDoor, path: Path
) -> None:
    wire.door.answer_next(503, times=2)
    with Producer(wire.url, key="k", spool=path, attempts=1, forward=False) as before:
        before.emit_many([Event("a", 0), Event("b", 1)])
    wire.door.requests.clear()
    wire.door._planned.clear()
    wire.door.answer_next(413)  # a proxy's: they go out one by one
    takes = wire.door._take

    def take_and_be_busy(request: Request) -> Response:
        wire.door.answer_next(503, headers={"Retry-After": "600"})
        return takes(request)

    wire.door._take = take_and_be_busy  # type: ignore[method-assign]
    with Producer(wire.url, key="k", spool=path, attempts=1):
        wait_until(lambda: len(wire.door.requests) == 3)
        time.sleep(2.0)  # longer than the least pause

    assert [len(wire.door.requests), len(wire.door.events)] == [3, 1]


def test_what_an_earlier_process_left_is_forwarded_by_the_next(
    wire: WireDoor, spooling: MakeProducer, door: RecordingTransport, path: Path
) -> None:
    door.cut_next()
    spooling().emit("lead", 1)

    with Producer(wire.url, key="k", spool=path):
        wait_until(lambda: len(wire.door.events) == 1)


def test_while_another_process_has_the_lease_nobody_else_forwards(
    spooling: MakeProducer, door: RecordingTransport, path: Path
) -> None:
    other = Spool(path, lease_seconds=3600)
    door.cut_next()
    producer = spooling(spool=Spool(path, lease_seconds=3600))
    producer.emit("lead", 1)
    assert other.take_lease("another")

    assert producer.flush(1) == 1
    other.give_lease_back("another")
    other.close()
    assert producer.flush(1) == 0


_FORKING = """
import os, sys, threading
from meshline import Producer
from meshline.spool import Spool

spool = Spool(sys.argv[2], lease_seconds=0.5)
with Producer(sys.argv[1], key="k", spool=spool, attempts=1) as producer:
    stop = threading.Event()
    def busy():
        number = 0
        while not stop.wait(0.005):
            number += 1
            producer.emit("lead", {"from": "thread", "number": number})
    thread = threading.Thread(target=busy)
    thread.start()
    children = []
    for child in range(6):
        pid = os.fork()
        if pid == 0:
            for number in range(10):
                producer.emit("lead", {"from": child, "number": number})
            os._exit(0)
        children.append(pid)
    codes = [os.waitpid(pid, 0)[1] for pid in children]
    stop.set()
    thread.join()
    while producer.flush(1):
        pass
sys.exit(any(codes))
"""


def test_threads_and_forked_children_share_one_spool(wire: WireDoor, path: Path) -> None:
    wire.door.answer_next(503, times=5)

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FORKING, wire.url, str(path)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip

    # It may say that nothing went out for a moment, where a forwarder met the door that was down.
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    for child in range(6):
        found = [one.data["number"] for one in wire.door.events if one.data["from"] == child]  # type: ignore[index]
        assert found == list(range(10))


def test_many_processes_write_at_once_and_none_is_lost(
    spooling: MakeProducer, door: RecordingTransport, path: Path
) -> None:
    script = (
        "import sys, meshline\n"
        "with meshline.Producer('http://127.0.0.1:9', key='k', spool=sys.argv[1], attempts=1,"
        " forward=False) as producer:\n"
        "    for number in range(50):\n"
        "        producer.emit('lead', [sys.argv[2], number], ordering_key=sys.argv[2])\n"
    )
    many = [subprocess.Popen([sys.executable, "-c", script, path, str(one)]) for one in range(3)]
    assert [one.wait() for one in many] == [0, 0, 0]

    assert spooling().flush() == 0

    for one in range(3):
        assert [n for of, n in _numbers(door) if of == str(one)] == list(range(50))


def test_a_fork_that_python_does_not_know_of_is_an_error_and_no_corruption(
    spooling: MakeProducer, door: RecordingTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.cut_next()
    producer = spooling()
    producer.emit("lead", 1)
    real = os.getpid()

    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: real + 1)
        with pytest.raises(Exception, match="after the fork"):
            producer.emit("lead", 2)

    assert producer.flush() == 0


def test_a_file_that_is_not_a_spool_is_named(door: RecordingTransport, path: Path) -> None:
    path.write_bytes(b"something else entirely" * 100)

    with pytest.raises(Exception, match=r"events\.spool cannot be used"):
        Producer("http://door.example", key="k", spool=path, transport=door).emit("lead", 1)


def test_a_slow_door_is_given_up_after_the_patience(wire: WireDoor, path: Path) -> None:
    released = threading.Event()
    wire.misdeeds.append(lambda _: released.wait(30))
    with Producer(wire.url, key="k", spool=path, patience=0.2, forward=False) as producer:
        began = time.monotonic()
        assert producer.emit("lead", 1).spooled
        assert time.monotonic() - began < 20
    released.set()


def test_an_environment_may_name_the_spool(
    door: RecordingTransport, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESHLINE_URL", "http://door.example")
    monkeypatch.setenv("MESHLINE_KEY", "k")
    monkeypatch.setenv("MESHLINE_SPOOL", str(path))
    door.answer_next(503, times=9)

    with Producer.from_env(transport=door, forward=False) as producer:
        assert producer.emit("lead", 1).spooled


def test_a_wrong_key_is_an_error_when_the_producer_is_made(path: Path) -> None:
    with pytest.raises(Misconfigured):
        Producer("http://door.example", key="two words", spool=path)
