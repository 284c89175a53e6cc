"""The lifecycle: its table says all that can happen to an event."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import IllegalMove
from orchestrator.domain.lifecycle import (
    AT_END,
    DELIVERY_TRANSITIONS,
    DONE_DELIVERIES,
    STAGE_OF,
    TARGETS,
    TRANSITIONS,
    Move,
    State,
    moves_from,
)


def test_an_event_that_meets_no_trouble_is_delivered() -> None:
    state: State | None = None
    for move in (Move.ACCEPT, Move.VALIDATE, Move.ROUTE, Move.DELIVER):
        state = TARGETS[move, state]

    assert state is State.DELIVERED


def test_a_quarantined_event_is_fixed_and_replayed_or_given_up() -> None:
    fixed = TARGETS[Move.AMEND, State.QUARANTINED]

    assert fixed is State.QUARANTINED
    assert TARGETS[Move.REPLAY, fixed] is State.ACCEPTED
    assert TARGETS[Move.DISCARD, fixed] is State.DISCARDED
    assert TARGETS[Move.RESTORE, State.DISCARDED] is State.QUARANTINED


def test_every_move_from_every_state_is_in_the_table_or_refused() -> None:
    allowed = {(one.move, one.source): one.target for one in TRANSITIONS}

    for move in Move:
        for source in (None, *State):
            if (move, source) in allowed:
                assert TARGETS[move, source] is allowed[move, source]
            else:
                with pytest.raises(IllegalMove):
                    TARGETS[move, source]


def test_the_table_names_each_move_from_a_state_once() -> None:
    pairs = [(one.move, one.source) for one in TRANSITIONS]

    assert len(pairs) == len(set(pairs))
    assert {one.move for one in TRANSITIONS} == set(Move)


def test_every_state_can_be_reached_and_from_an_end_a_person_leads_on_or_nobody() -> None:
    reached = {one.target for one in TRANSITIONS}

    assert reached == set(State)
    by_a_person = {Move.RESTORE, Move.RECALL, Move.REPIN}
    assert {state for state in State if set(moves_from(state)) <= by_a_person} == AT_END
    assert set(moves_from(State.DELIVERED)) == {Move.RECALL, Move.REPIN}


def test_from_every_state_that_is_not_final_an_event_can_reach_an_end() -> None:
    for state in set(State) - AT_END:
        seen, todo = set(), [state]
        while todo:
            seen.add(one := todo.pop())
            todo += [
                each.target for each in TRANSITIONS if each.source == one if each.target not in seen
            ]
        assert seen >= AT_END


def test_an_unfinished_event_is_driven_by_the_stage_that_its_state_names() -> None:
    waiting = {State.QUARANTINED, State.AWAITING_APPROVAL}

    assert set(STAGE_OF) == set(State) - AT_END - waiting
    for state in STAGE_OF:
        assert {Move.RETRY, Move.QUARANTINE} <= set(moves_from(state))


def test_a_refused_move_says_what_can_be_done_instead() -> None:
    with pytest.raises(IllegalMove, match="delivered cannot replay; it can: recall, repin"):
        TARGETS[Move.REPLAY, State.DELIVERED]
    with pytest.raises(IllegalMove, match="it can: amend, replay, discard"):
        TARGETS[Move.DELIVER, State.QUARANTINED]
    with pytest.raises(IllegalMove, match="not accepted cannot request approval"):
        TARGETS[Move.REQUEST_APPROVAL, None]


def test_a_delivery_that_is_made_moves_only_to_be_taken_back_and_none_is_sent_untaken() -> None:
    from_done = [(one, when) for one, _, when in DELIVERY_TRANSITIONS if one in DONE_DELIVERIES]
    before_done = {source for source, to, _ in DELIVERY_TRANSITIONS if to in DONE_DELIVERIES}

    assert from_done == [
        ("confirmed", "another failed, or its version was rolled back: it is to be taken back")
    ]
    assert {source.value for source in before_done} == {"sending"}
