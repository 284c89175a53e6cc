"""What every connector must do, whatever it speaks and however it proves a handoff."""

from __future__ import annotations

import pytest

from orchestrator.domain.handoff import Confirmed, Failed, Idempotency, Proof, Receipted
from tests.connectors.rigs import SECRET, Bench


def test_a_handoff_is_proven_as_its_action_declares(bench: Bench) -> None:
    outcome = bench.hand_over("key-1")

    if bench.action.proof is Proof.READ_BACK:
        assert isinstance(outcome, Confirmed)
        assert outcome.record_id
        assert not outcome.found
    else:
        assert isinstance(outcome, Receipted)
        assert outcome.receipt_id
    assert bench.rig.effects("key-1") == 1


def test_two_deliveries_have_two_effects(bench: Bench) -> None:
    bench.hand_over("key-1", _another(bench, 1))
    bench.hand_over("key-2", _another(bench, 2))

    assert [bench.rig.effects("key-1"), bench.rig.effects("key-2")].count(0) == 0


def test_a_lost_answer_is_an_unknown_outcome_and_no_failure_for_good(bench: Bench) -> None:
    bench.rig.lose_next_answer()

    outcome = bench.hand_over("key-1")

    assert isinstance(outcome, Failed)
    assert outcome.unknown
    # Where nothing can find out what became of it, only a person can go on.
    assert outcome.permanent == (bench.action.idempotency is Idempotency.NONE)
    assert bench.rig.effects("key-1") == 1


def test_after_a_lost_answer_there_is_still_one_effect(bench: Bench) -> None:
    bench.rig.lose_next_answer()
    bench.hand_over("key-1")

    outcome = bench.hand_over("key-1", look_first=True)

    if bench.action.idempotency is Idempotency.NONE:
        assert isinstance(outcome, Failed)
        assert outcome.unknown
        assert outcome.permanent
    else:
        assert isinstance(outcome, Confirmed)
        assert outcome.found == (bench.action.idempotency is Idempotency.LOOKUP)
    assert bench.rig.effects("key-1") == 1


def test_what_never_went_out_is_sent_after_a_look(bench: Bench) -> None:
    outcome = bench.hand_over("key-1", look_first=True)

    if bench.action.idempotency is Idempotency.NONE:
        assert isinstance(outcome, Failed)
        assert bench.rig.effects("key-1") == 0
    else:
        assert isinstance(outcome, Confirmed)
        assert bench.rig.effects("key-1") == 1


def test_a_refusal_is_for_good_and_has_no_effect(bench: Bench) -> None:
    bench.rig.refuse_next()

    outcome = bench.hand_over("key-1")

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (True, False)
    assert bench.rig.effects("key-1") == 0


def test_a_destination_that_is_busy_is_asked_again(bench: Bench) -> None:
    bench.rig.limit_next(7)

    outcome = bench.hand_over("key-1")

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (False, False)
    assert outcome.retry_after == (7.0 if bench.rig.limits_rates else None)
    assert bench.rig.effects("key-1") == 0
    assert not isinstance(bench.hand_over("key-1"), Failed)


def test_a_destination_that_is_not_there_has_certainly_stored_nothing(bench: Bench) -> None:
    bench.run(bench.rig.go_away())

    outcome = bench.hand_over("key-1")

    assert isinstance(outcome, Failed)
    assert (outcome.permanent, outcome.unknown) == (False, False)
    assert bench.rig.effects("key-1") == 0


@pytest.mark.parametrize("bench", ["http-lookup", "http-native-key", "mail"], indirect=True)
def test_a_call_that_lacks_a_required_field_does_not_go_out(bench: Bench) -> None:
    left_out = min(bench.action.required)
    fields = bench.rig.fields
    bench.rig.fields = {name: value for name, value in fields.items() if name != left_out}

    outcome = bench.hand_over("key-1")

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert left_out in outcome.error
    assert bench.rig.effects("key-1") == 0


@pytest.mark.parametrize("bench", ["http-lookup", "http-native-key", "mail"], indirect=True)
def test_a_call_with_a_field_that_nobody_takes_does_not_go_out(bench: Bench) -> None:
    outcome = bench.hand_over("key-1", {"customer_tier": "pro"})

    assert isinstance(outcome, Failed)
    assert outcome.permanent
    assert "customer_tier" in outcome.error
    assert bench.rig.effects("key-1") == 0


def test_an_error_names_the_connector_and_no_secret(bench: Bench) -> None:
    for go_wrong in (bench.rig.lose_next_answer, bench.rig.refuse_next):
        go_wrong()
        outcome = bench.hand_over("key-1")
        assert isinstance(outcome, Failed)
        assert outcome.error.startswith(f"{bench.rig.connector.name}: ")
        assert SECRET not in outcome.error
        assert "\n" not in outcome.error


def test_an_action_tells_the_truth_about_its_name_and_its_fields(bench: Bench) -> None:
    for name, action in bench.rig.connector.actions.items():
        assert action.name == name
        assert not action.required & action.optional
        assert action.timeout_seconds > 0
        assert action.max_in_flight > 0


def test_a_connector_can_be_used_after_it_was_closed(bench: Bench) -> None:
    bench.hand_over("key-1")
    bench.run(bench.rig.connector.close())

    assert not isinstance(bench.hand_over("key-2", _another(bench, 2)), Failed)


def _another(bench: Bench, number: int) -> dict[str, object]:
    """Fields that make another record: the CRM folds contacts of one address."""
    return {"email": f"lead-{number}@example.com"} if "email" in bench.rig.fields else {}
