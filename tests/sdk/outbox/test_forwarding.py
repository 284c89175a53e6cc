"""What waits in an outbox goes to the door: once, in order, and nothing is forgotten."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from meshline import Producer, outbox
from meshline.outbox import DatabaseFailed, Forwarder, OutboxTable
from meshline.outbox.table import Backlog
from meshline.testing import RecordingTransport
from tests.sdk.outbox.apps import open_connection, rows, run

WRONG = {"code": "invalid_trigger", "detail": "is not known", "field": "type"}
TOO_LARGE = {"code": "payload_too_large", "detail": "it is too large"}


def _add(url: str, *numbers: int, about: str = "a") -> None:
    with closing(open_connection(url)) as connection:
        for number in numbers:
            outbox.add(
                connection,
                "lead.created",
                {"number": number},
                idempotency_key=f"key-{number}",
                aggregate=("lead", about),
            )
        connection.commit()


def _numbers(door: RecordingTransport) -> list[int]:
    found: list[Any] = [event.data for event in door.events]
    return [one["number"] for one in found]


def test_events_are_sent_in_order_with_their_keys_and_deleted(
    app_url: str, forwarder: Forwarder, door: RecordingTransport
) -> None:
    _add(app_url, *range(450))

    done = forwarder.forward()

    assert (done.sent, done.refused, done.problem) == (450, 0, None)
    assert _numbers(door) == list(range(450))
    assert {event.idempotency_key for event in door.events} == {f"key-{n}" for n in range(450)}
    assert rows(app_url) == []


def test_the_door_hears_what_waits_and_at_the_end_that_nothing_does(
    app_url: str, table: OutboxTable, forwarder: Forwarder, door: RecordingTransport
) -> None:
    _add(app_url, *range(450))
    door.answer_next(403, problem=WRONG)
    assert forwarder.forward().sent == 0  # the key may not send at all: nothing goes

    forwarder.forward()

    said = [one.headers["Meshline-Spool"] for one in door.requests]
    counts = [one.partition(",")[0] for one in said]
    assert counts == ["waiting=250", "waiting=250", "waiting=50", "waiting=0"]
    assert said[-1] == f"waiting=0, oldest=0, refused=0, id={table.id}, kind=outbox"


def test_the_door_hears_at_the_end_that_an_event_was_refused_and_none_waits(
    app_url: str, table: OutboxTable, door: RecordingTransport
) -> None:
    _add(app_url, 1, 2, 3)
    door.answer_next(422, problem={"code": "invalid_trigger", "detail": "wrong", "index": 1})

    assert Forwarder(table, Producer("http://d", key="k", transport=door)).forward().refused == 1

    said = door.requests[-1].headers["Meshline-Spool"]
    assert said == f"waiting=0, oldest=0, refused=1, id={table.id}, kind=outbox"


class Counting(OutboxTable):
    """An outbox that knows how often all of it was counted."""

    counts = 0

    def backlog(self) -> Backlog:
        self.counts += 1
        return super().backlog()


def test_a_backlog_of_large_events_is_not_counted_for_each_batch(
    app_url: str, door: RecordingTransport
) -> None:
    producer = Producer("http://door.example", key="test", transport=door)
    with closing(open_connection(app_url)) as connection:
        for number in range(40):
            outbox.add(connection, "lead.created", {"number": number, "text": "x" * 200_000})
        connection.commit()
    with closing(outbox.Database(app_url)) as database:
        counting = Counting(database)
        assert Forwarder(counting, producer).forward().sent == 40

    assert len(door.requests) >= 4
    assert counting.counts == 2  # first, and at the end
    assert door.requests[-1].headers["Meshline-Spool"].startswith("waiting=0, ")


def test_what_is_dropped_is_deleted_and_written_down(app_url: str, table: OutboxTable) -> None:
    _add(app_url, 1, 2)
    table.refuse(table.due(1)[0], "it is wrong")

    backlog = table.backlog()
    assert (backlog.waiting, backlog.refused) == (1, 1) and backlog.oldest_seconds >= 0
    assert [one.state for one in table.listed(9)] == ["refused", "waiting"]
    assert table.drop(["key-1", "key-2"], by="ada@host", why="a test's") == 1
    assert table.drop(["key-1"], by="ada@host", why="again") == 0

    assert [one[0] for one in rows(app_url)] == ["key-2"]
    kept = run(app_url, "SELECT id, error, dropped_by, why FROM meshline_outbox_dropped")
    assert kept == [("key-1", "it is wrong", "ada@host", "a test's")]


@pytest.mark.parametrize("app_url", ["postgresql", "mariadb"], indirect=True)  # SQLite: one writes
def test_what_commits_late_is_sent_although_later_rows_went_before_it(
    app_url: str, forwarder: Forwarder, door: RecordingTransport
) -> None:
    with closing(open_connection(app_url)) as slow:
        outbox.add(slow, "lead.created", {"number": 1}, aggregate=("lead", "a"))
        _add(app_url, 2)
        assert forwarder.forward().sent == 1
        slow.commit()

    assert forwarder.forward().sent == 1
    assert _numbers(door) == [2, 1]


def test_a_refused_event_is_kept_with_its_reason_and_holds_up_nobody(
    app_url: str, forwarder: Forwarder, table: OutboxTable, door: RecordingTransport
) -> None:
    _add(app_url, 1, 2, 3)
    door.answer_next(422, problem={**WRONG, "index": 1})

    done = forwarder.forward()

    assert (done.sent, done.refused) == (2, 1)
    assert _numbers(door) == [1, 3]
    (refused,) = table.refused(10)
    assert (refused.id, refused.aggregate) == ("key-2", ("lead", "a"))
    assert "type: is not known" in refused.error
    assert table.retry("key-2") == 1
    assert forwarder.forward().sent == 1
    assert _numbers(door) == [1, 3, 2]


def test_a_batch_that_is_refused_without_saying_which_is_parted_until_it_is_known(
    app_url: str, forwarder: Forwarder, table: OutboxTable, door: RecordingTransport
) -> None:
    _add(app_url, 1, 2, 3, 4)
    door.answer_next(413, problem=TOO_LARGE, times=3)  # all four, the first two, the first

    forwarder.forward()

    assert [one.id for one in table.refused(10)] == ["key-1"]
    assert _numbers(door) == [2, 3, 4]


def test_an_event_that_is_too_large_for_a_proxy_is_kept_and_delays_its_own_line_only(
    app_url: str, forwarder: Forwarder, table: OutboxTable, door: RecordingTransport
) -> None:
    _add(app_url, 1, 2)
    _add(app_url, 3, about="b")
    door.answer_next(413, times=2)  # all three, the first

    done = forwarder.forward()

    assert (done.sent, done.delayed) == (1, 1)
    assert table.refused(10) == []
    assert _numbers(door) == [3]


def test_an_event_of_a_client_that_the_key_may_not_serve_delays_its_own_line_only(
    app_url: str, forwarder: Forwarder, table: OutboxTable, door: RecordingTransport
) -> None:
    _add(app_url, 1, 2)
    _add(app_url, 3, about="b")
    door.answer_next(403, problem={"code": "client_not_permitted", "detail": "no", "index": 0})

    done = forwarder.forward()

    assert (done.sent, done.delayed, done.refused) == (1, 1, 0)
    assert _numbers(door) == [3]
    status = table.status()
    assert (status.waiting, status.delayed, status.refused) == (2, 1, 0)
    run(app_url, "UPDATE meshline_outbox SET retry_at = NULL")
    forwarder.forward()
    assert _numbers(door) == [3, 1, 2]


@pytest.mark.parametrize(("status", "times"), [(503, 5), (401, 1), (302, 1), (404, 1)])
def test_everything_is_kept_while_the_door_or_the_key_fails(
    app_url: str,
    forwarder: Forwarder,
    table: OutboxTable,
    door: RecordingTransport,
    status: int,
    times: int,
) -> None:
    _add(app_url, 1, 2)
    door.answer_next(status, times=times)

    done = forwarder.forward()

    assert done.problem
    assert (done.sent, table.status().waiting) == (0, 2)
    assert table.status().error == done.problem
    assert forwarder.forward().sent == 2
    assert _numbers(door) == [1, 2]


def test_an_answer_that_is_lost_doubles_nothing(
    app_url: str, forwarder: Forwarder, door: RecordingTransport
) -> None:
    _add(app_url, 1, 2)
    door.cut_next(after_taking=True, times=5)

    assert forwarder.forward().problem
    _add(app_url, 3)
    forwarder.forward()

    assert _numbers(door) == [1, 2, 3]


def test_a_payload_that_is_not_json_for_the_door_is_refused_here(
    app_url: str, forwarder: Forwarder, table: OutboxTable, door: RecordingTransport
) -> None:
    columns = "id, aggregatetype, aggregateid, type, payload"
    values = "'twice', 'lead', 'a', 'lead.created', '{\"a\": 1, \"a\": 2}'"
    run(app_url, f"INSERT INTO meshline_outbox ({columns}) VALUES ({values})")
    _add(app_url, 1)

    assert forwarder.forward().refused == 1

    assert "holds a name twice" in table.refused(1)[0].error
    assert _numbers(door) == [1]


def test_one_forwarder_works_and_another_goes_on_when_the_lease_is_given_back_or_over(
    app_url: str, forwarder: Forwarder, table: OutboxTable, door: RecordingTransport
) -> None:
    second = Forwarder(table, Producer("http://door.example", key="test", transport=door))
    _add(app_url, 1)
    forwarder.forward()
    _add(app_url, 2)
    assert second.forward().elsewhere

    forwarder.release()
    assert second.forward().sent == 1

    _add(app_url, 3)
    assert forwarder.forward().elsewhere
    run(app_url, "UPDATE meshline_outbox_lease SET held_until = '2001-01-01 00:00:00'")
    assert forwarder.forward().sent == 1


def test_a_forwarder_that_lost_its_lease_between_two_batches_sends_no_more(
    app_url: str, forwarder: Forwarder, table: OutboxTable, door: RecordingTransport
) -> None:
    _add(app_url, 1, 2)
    held = table.take_lease("other", 30)

    done = forwarder.forward()

    assert held and done.elsewhere and done.sent == 0
    assert table.status().forwarder == "other"
    assert len(rows(app_url)) == 2


CRASH = {"code": "internal_error", "detail": "the door failed"}


@pytest.mark.parametrize("app_url", ["sqlite"], indirect=True)
def test_an_event_that_the_door_fails_over_holds_up_its_own_line_only(
    app_url: str, forwarder: Forwarder, door: RecordingTransport
) -> None:
    _add(app_url, 1, 2)
    _add(app_url, 3, about="b")
    door.answer_next(500, problem=CRASH, times=10)  # all three, then the first

    done = forwarder.forward()

    assert (done.sent, done.delayed, done.problem) == (1, 1, None)
    assert _numbers(door) == [3]


@pytest.mark.parametrize("app_url", ["sqlite"], indirect=True)
def test_a_door_that_fails_over_every_event_is_left_alone(
    app_url: str, forwarder: Forwarder, table: OutboxTable, door: RecordingTransport
) -> None:
    for number in range(64):
        _add(app_url, number, about=str(number))
    door.answer_next(500, problem=CRASH, times=1000)

    done = forwarder.forward()

    assert done.problem and done.delayed == 2
    assert table.status().waiting == 64
    assert len(door.requests) == 5 * 10  # 64 to 2, two alone, the next two, one of them


@pytest.mark.parametrize("app_url", ["sqlite"], indirect=True)
def test_events_stay_in_the_outbox_while_a_producer_only_spools_them(
    app_url: str, table: OutboxTable, door: RecordingTransport, tmp_path: Path
) -> None:
    _add(app_url, 1)
    door.cut_next(times=20)
    with Producer(
        "http://door.example", key="k", transport=door, spool=tmp_path / "spool", forward=False
    ) as producer:
        done = Forwarder(table, producer).forward()

    assert done.problem and "has a spool" in done.problem
    assert len(rows(app_url)) == 1


@pytest.mark.parametrize("app_url", ["postgresql", "mariadb"], indirect=True)
def test_a_connection_that_was_cut_is_opened_again(
    app_url: str, forwarder: Forwarder, door: RecordingTransport
) -> None:
    forwarder.forward()
    if app_url.startswith("postgresql"):
        others = "FROM pg_stat_activity WHERE datname = current_database()"
        run(app_url, f"SELECT pg_terminate_backend(pid) {others} AND pid <> pg_backend_pid()")
    else:
        others = "FROM information_schema.processlist WHERE db = database()"
        ((number,),) = run(app_url, f"SELECT id {others} AND id <> connection_id()")
        run(app_url, f"KILL {number}")
    _add(app_url, 1)

    with pytest.raises(DatabaseFailed, match="the database failed: "):
        forwarder.forward()

    assert forwarder.forward().sent == 1
    assert _numbers(door) == [1]


def test_a_database_without_an_outbox_says_how_it_is_made(app_url: str, table: OutboxTable) -> None:
    run(app_url, "DROP TABLE meshline_outbox")

    with pytest.raises(DatabaseFailed, match=r"meshline_outbox.*; `python -m .* create`"):
        table.status()


def test_status_counts_what_there_is(
    app_url: str, forwarder: Forwarder, table: OutboxTable, door: RecordingTransport
) -> None:
    assert table.status().oldest_seconds is None
    _add(app_url, 1, 2)
    door.answer_next(422, problem={**WRONG, "index": 0})
    door.cut_next(times=5)
    forwarder.forward()

    status = table.status()

    assert (status.waiting, status.delayed, status.refused) == (1, 0, 1)
    assert status.oldest_seconds is not None and 0 <= status.oldest_seconds < 600
    assert status.error and "attempts" in status.error
    assert status.forwarder
    assert 0 <= table.refused(1)[0].refused_seconds < 600
