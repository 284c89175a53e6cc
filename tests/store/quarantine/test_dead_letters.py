"""Dead letters: kept once, closed once, and never between two chairs."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import BrokerUnavailable, NotFound, Refused
from orchestrator.operations.quarantine.close_dead_letters import (
    SkippedLetter,
    drop_dead_letters,
    requeue_dead_letters,
)
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.dead_letters import DeadLetter
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.quarantine.dead_letters import list_dead_letters, show_dead_letter
from orchestrator.store.views.quarantine.messages import count_poison, list_poison
from orchestrator.store.views.quarantine.selection import Selection
from tests.details import detail_of
from tests.store.quarantine.letters import LETTER, keep


def states(store: Store) -> list[str]:
    with store.read() as tx:
        return [one.state for one in reversed(list_dead_letters(tx))]


def test_a_message_that_comes_again_is_the_same_dead_letter(store: Store) -> None:
    number = keep(store)

    again = keep(store, replace(LETTER, error="another word for it"))

    assert number is not None and again is None
    assert states(store) == ["standing"]


@pytest.mark.parametrize(
    "other",
    [
        replace(LETTER, body=b"[]"),
        replace(LETTER, headers=None),
        replace(LETTER, headers="{}"),
        replace(LETTER, content_type=None),
        replace(LETTER, queue="another"),
        replace(LETTER, content_type="utf-8", content_encoding="application/json"),
    ],
)
def test_another_message_is_another_dead_letter(store: Store, other: DeadLetter) -> None:
    keep(store)

    assert keep(store, other) is not None


def test_what_no_database_takes_as_text_is_kept_readable(store: Store) -> None:
    number = keep(store, replace(LETTER, error="\0 and \ud800", task="\0", headers='"\ud800'))

    with store.read() as tx:
        shown = show_dead_letter(tx, number or 0)
    assert shown
    assert shown.error == "\ufffd and \\ud800"
    assert shown.headers == '"\\ud800'


def test_a_requeued_letter_goes_out_as_it_came(store: Store) -> None:
    number = keep(store) or 0
    posted: list[DeadLetter] = []

    done = requeue_dead_letters(
        store, [number], posted.append, actor=login("cli:ada"), why="mended"
    )

    assert posted == [LETTER]
    assert done.ids == [number]
    assert states(store) == ["requeued"]
    with store.read() as tx:
        (row,) = list_audit(tx, action="requeue")
    assert (row.actor, row.reason) == ("cli:ada", "poison_message")
    assert detail_of(row)["dead_letter"] == number
    assert (detail_of(row)["queue"], detail_of(row)["why"]) == ("meshline", "mended")


def test_a_requeued_letter_that_still_cannot_be_read_stands_again(store: Store) -> None:
    number = keep(store) or 0
    requeue_dead_letters(store, [number], lambda _: None, actor=login("cli:ada"))

    assert keep(store) is not None
    assert states(store) == ["requeued", "standing"]


def test_a_letter_that_the_broker_does_not_take_stands_on(store: Store) -> None:
    first, second = keep(store) or 0, keep(store, replace(LETTER, body=b"2")) or 0

    def post(letter: DeadLetter) -> None:
        if letter.body == b"2":
            raise BrokerUnavailable("gone")

    with pytest.raises(BrokerUnavailable):
        requeue_dead_letters(store, [first, second], post, actor=login("cli:ada"))

    assert states(store) == ["requeued", "standing"]
    with store.read() as tx:
        assert len(list_audit(tx, action="requeue")) == 1


def test_poison_that_comes_back_while_it_is_requeued_is_not_lost(store: Store) -> None:
    number = keep(store) or 0
    kept: list[int | None] = []

    def post(_: DeadLetter) -> None:
        worker.start()
        worker.join(timeout=0.3)  # it waits for this transaction; else it would be done by now

    worker = threading.Thread(target=lambda: kept.append(keep(store)))
    requeue_dead_letters(store, [number], post, actor=login("cli:ada"))
    worker.join()

    assert kept != [None]
    assert states(store) == ["requeued", "standing"]


def test_a_letter_that_was_closed_is_left_alone(store: Store) -> None:
    number = keep(store) or 0
    drop_dead_letters(store, [number], why="junk", actor=login("cli:ada"))
    posted: list[DeadLetter] = []

    done = requeue_dead_letters(store, [number], posted.append, actor=login("cli:ada"))

    assert (done.ids, posted) == ([], [])
    assert done.skipped == [SkippedLetter(id=number, state="dropped")]


def test_a_dropped_letter_says_who_and_why(store: Store) -> None:
    number = keep(store) or 0

    drop_dead_letters(store, [number], why=" junk ", actor=login("cli:ada"))

    with store.read() as tx:
        shown = show_dead_letter(tx, number)
        (row,) = list_audit(tx, action="drop")
    assert shown
    assert (shown.state, shown.closed_by, shown.why) == ("dropped", "cli:ada", "junk")
    assert shown.closed_at
    assert detail_of(row)["why"] == "junk"


def test_a_drop_without_a_reason_is_refused(store: Store) -> None:
    with pytest.raises(Refused, match="needs a reason"):
        drop_dead_letters(store, [keep(store) or 0], why=" ", actor=login("cli:ada"))

    assert states(store) == ["standing"]


def test_one_number_that_does_not_exist_stops_all(store: Store) -> None:
    number = keep(store) or 0

    with pytest.raises(NotFound, match=f"no dead letter {number + 1}"):
        drop_dead_letters(store, [number, number + 1], why="junk", actor=login("cli:ada"))

    assert states(store) == ["standing"]


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(), 1),
        (Selection(reason="poison_message"), 1),
        (Selection(reason="no_route"), 0),
        (Selection(client="acme"), 0),
        (Selection(workflow="leads"), 0),
        (Selection(ids=("x",)), 0),
        (Selection(since=0, until=2**50), 1),
        (Selection(since=2**50), 0),
        (Selection(until=1), 0),
    ],
)
def test_the_quarantine_has_what_stands_and_nobodys_else(
    store: Store, selection: Selection, found: int
) -> None:
    keep(store)
    drop_dead_letters(
        store, [keep(store, replace(LETTER, body=b"2")) or 0], why="junk", actor=login("cli:ada")
    )

    with store.read() as tx:
        listed = list_poison(tx, selection)
        counted = count_poison(tx, selection)

    assert len(listed) == found
    assert [one.events for one in counted] == [1] * found
