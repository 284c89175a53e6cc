"""Messages in a real Matrix room: the server folds a second one by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.delivery.handoff import Blame, Confirmed, Failed, Mismatched, TakenBack
from tests.systems.cutting import Wire
from tests.systems.rigs import Bench, bench_at
from tests.systems.synapse import BURST, Account, Synapse


@pytest.fixture(scope="module")
def account(synapse: Synapse) -> Account:
    return synapse.register("bot")


@pytest.fixture
def bench(
    tmp_path: Path, account: Account, synapse_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    monkeypatch.setenv("MESHLINE_MATRIX_TOKEN", account.token)
    fields: dict[str, object] = {"room": account.room, "text": "A new lead: Ana & Söhne <3"}
    with bench_at(
        tmp_path, "matrix", synapse_wire.url, action="send_message", fields=fields
    ) as bench:
        yield bench


def said(synapse: Synapse, account: Account, text: str) -> int:
    """How often something is in the room."""
    return sum(one["content"].get("body") == text for one in synapse.messages(account))


def test_a_message_is_sent_and_confirmed_field_by_field(
    bench: Bench, synapse: Synapse, account: Account
) -> None:
    outcome = bench.hand_over("evt-1.chat")

    assert isinstance(outcome, Confirmed)
    assert bench.read("evt-1.chat", outcome.record_id) == bench.fields
    assert said(synapse, account, str(bench.fields["text"])) == 1


def test_a_message_that_is_sent_again_is_the_same_one(
    bench: Bench, synapse: Synapse, account: Account
) -> None:
    outcomes = [bench.hand_over("evt-2.chat", text="Once") for _ in range(3)]

    assert len(set(outcomes)) == 1
    assert isinstance(outcomes[0], Confirmed)
    assert said(synapse, account, "Once") == 1


def test_after_a_lost_answer_it_is_sent_again_and_is_still_one_message(
    bench: Bench, synapse: Synapse, account: Account, synapse_wire: Wire
) -> None:
    # The first loss is not even seen: HTTP lets a client repeat a PUT by itself, and ours does.
    synapse_wire.lose_answer_to("PUT ", times=2)

    lost = bench.hand_over("evt-3.chat", text="Lost")
    again = bench.hand_over("evt-3.chat", look_first=True, text="Lost")

    assert isinstance(lost, Failed) and lost.unknown and not lost.permanent
    assert synapse_wire.lost == 2
    assert isinstance(again, Confirmed)
    assert said(synapse, account, "Lost") == 1


def test_its_rate_limit_says_when_to_come_back(
    tmp_path: Path, synapse: Synapse, monkeypatch: pytest.MonkeyPatch
) -> None:
    talker = synapse.register("talker")
    monkeypatch.setenv("MESHLINE_MATRIX_TOKEN", talker.token)
    fields: dict[str, object] = {"room": talker.room, "text": "Again and again"}

    limited = None
    with (
        Wire(synapse.port) as wire,
        bench_at(tmp_path, "matrix", wire.url, action="send_notice", fields=fields) as bench,
    ):
        for number in range(BURST * 5):
            outcome = bench.hand_over(f"evt-4-{number}.chat")
            if not isinstance(outcome, Confirmed):
                limited = outcome
                break

    assert isinstance(limited, Failed) and limited.blame is Blame.PACE
    assert not limited.permanent and not limited.unknown
    assert limited.retry_after is not None and 0 < limited.retry_after <= 10
    assert len(synapse.messages(talker)) == number


def test_a_wrong_token_is_told_as_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, synapse: Synapse, account: Account
) -> None:
    monkeypatch.setenv("MESHLINE_MATRIX_TOKEN", "not-the-token")

    outcome = bench.hand_over("evt-5.chat", text="Unheard")

    assert isinstance(outcome, Failed) and outcome.blame is Blame.LOGIN
    assert not outcome.unknown
    assert "not-the-token" not in outcome.error
    assert said(synapse, account, "Unheard") == 0


@pytest.mark.parametrize("room", ["!nowhere:loopback.test", "#alias:loopback.test"])
def test_a_room_that_is_not_ours_is_refused_at_once(bench: Bench, room: str) -> None:
    outcome = bench.hand_over("evt-6.chat", room=room)

    assert isinstance(outcome, Failed) and outcome.permanent and not outcome.unknown
    assert outcome.blame is Blame.CALL


def test_a_renamed_field_is_refused_and_nothing_is_said(
    bench: Bench, tmp_path: Path, account: Account, synapse: Synapse
) -> None:
    before = len(synapse.messages(account))
    more = """\
actions:
  send_message:
    idempotency: native_key
    proof: read_back
    required: [room, text]
    create:
      method: put
      path: /_matrix/client/v3/rooms/{send.room}/send/m.room.message/{key}
      json: {msgtype: m.text, boddy: "{send.text}"}
      record_id: event_id
    read:
      path: /_matrix/client/v3/rooms/{send.room}/event/{record_id}
      fields: {room: room_id, text: content.body}
"""
    with (
        Wire(synapse.port) as wire,
        bench_at(
            tmp_path / "wrong", "matrix", wire.url,
            action="send_message", fields=bench.fields, more=more,
        ) as wrong,
    ):  # fmt: skip
        outcome = wrong.hand_over("evt-7.chat")

    assert isinstance(outcome, Failed) and outcome.permanent and not outcome.unknown
    assert len(synapse.messages(account)) == before


def test_a_message_that_was_taken_back_says_nothing_any_more(
    bench: Bench, synapse: Synapse, account: Account
) -> None:
    made = bench.hand_over("evt-8.chat", text="Too early")
    assert isinstance(made, Confirmed)

    undone = [
        bench.hand_over("evt-8.chat", known=made.record_id, undo=True, text="Too early")
        for _ in range(2)
    ]

    assert undone == [TakenBack(record_id=made.record_id)] * 2
    assert said(synapse, account, "Too early") == 0
    gone = bench.hand_over("evt-8.chat", known=made.record_id, text="Too early")
    assert isinstance(gone, Mismatched)
