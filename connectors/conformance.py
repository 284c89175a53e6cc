"""What every connector must do, as tests that pytest collects: for ours and for anybody's.

A package that brings a connector writes a `connectors.rigging.Rig`, a destination that
can be counted in and broken, and a test module with these lines:

    class TestMine(Conformance):
        @pytest.fixture
        def bench(self):
            with set_up(MyRig()) as bench:
                yield bench

`pytest.register_assert_rewrite("connectors.conformance")` in its conftest.py lets a failure show
its values.
"""

# ruff: noqa: S101 -- these are tests

from __future__ import annotations

from unittest import SkipTest

from connectors.rigging import Bench
from orchestrator.domain.delivery.handoff import (
    Blame,
    Confirmed,
    Failed,
    Idempotency,
    Proof,
    Receipted,
    TakenBack,
)


class Conformance:
    """The suite: a subclass whose name begins with Test gives the fixture `bench`."""

    def test_a_handoff_is_proven_as_its_action_declares(self, bench: Bench) -> None:
        """A record that was read back, or a receipt; one effect."""
        outcome = bench.hand_over("key-1")

        if bench.action.proof is Proof.READ_BACK:
            assert isinstance(outcome, Confirmed)
            assert outcome.record_id
            assert not outcome.found
        else:
            assert isinstance(outcome, Receipted)
            assert outcome.receipt_id
        assert bench.rig.effects("key-1") == 1

    def test_two_deliveries_have_two_effects(self, bench: Bench) -> None:
        """Nothing of one delivery is taken for the other's."""
        bench.hand_over("key-1", bench.rig.another(1))
        bench.hand_over("key-2", bench.rig.another(2))

        assert [bench.rig.effects("key-1"), bench.rig.effects("key-2")].count(0) == 0

    def test_a_lost_answer_is_an_unknown_outcome_and_no_failure_for_good(
        self, bench: Bench
    ) -> None:
        """What may have been stored is never taken for not stored."""
        bench.rig.lose_next_answer()

        outcome = bench.hand_over("key-1")

        assert isinstance(outcome, Failed)
        assert outcome.unknown
        # Where nothing can find out what became of it, only a person can go on.
        assert outcome.permanent == (bench.action.idempotency is Idempotency.NONE)
        assert bench.rig.effects("key-1") == 1

    def test_after_a_lost_answer_there_is_still_one_effect(self, bench: Bench) -> None:
        """The heart of it: what the action promises about doing a thing once."""
        bench.rig.lose_next_answer()
        bench.hand_over("key-1")

        outcome = bench.hand_over("key-1", look_first=True)

        if bench.action.idempotency is Idempotency.NONE:
            assert isinstance(outcome, Failed)
            assert outcome.unknown
            assert outcome.permanent
        else:
            assert isinstance(outcome, Confirmed | Receipted)
            finds = bench.action.idempotency in (Idempotency.LOOKUP, Idempotency.CONFLICT)
            if isinstance(outcome, Confirmed):
                assert outcome.found == finds
        assert bench.rig.effects("key-1") == 1

    def test_what_never_went_out_is_sent_after_a_look(self, bench: Bench) -> None:
        """A look-up that finds nothing is believed."""
        outcome = bench.hand_over("key-1", look_first=True)

        if bench.action.idempotency is Idempotency.NONE:
            assert isinstance(outcome, Failed)
            assert bench.rig.effects("key-1") == 0
        else:
            assert isinstance(outcome, Confirmed | Receipted)
            assert bench.rig.effects("key-1") == 1

    def test_a_known_record_is_read_and_never_made_again(self, bench: Bench) -> None:
        """What an earlier call made is only proven."""
        record_id = _made(bench)

        outcome = bench.hand_over("key-1", known=record_id)

        assert isinstance(outcome, Confirmed | Receipted)
        assert bench.rig.effects("key-1") == 1

    def test_a_refusal_is_for_good_and_has_no_effect(self, bench: Bench) -> None:
        """A request that is wrong stays wrong."""
        bench.rig.refuse_next()

        outcome = bench.hand_over("key-1")

        assert isinstance(outcome, Failed)
        assert (outcome.permanent, outcome.unknown) == (True, False)
        assert outcome.blame is Blame.CALL
        assert bench.rig.effects("key-1") == 0

    def test_a_refused_login_is_told_from_a_refused_request(self, bench: Bench) -> None:
        """No call can succeed, so it is not this one's fault."""
        bench.rig.refuse_login()

        outcome = bench.hand_over("key-1")

        assert isinstance(outcome, Failed)
        assert (outcome.permanent, outcome.unknown) == (True, False)
        assert outcome.blame is Blame.LOGIN
        assert bench.rig.effects("key-1") == 0

    def test_a_destination_that_is_busy_is_asked_again(self, bench: Bench) -> None:
        """It says when, if it can; nothing is stored before."""
        bench.rig.limit_next(7)

        outcome = bench.hand_over("key-1")

        assert isinstance(outcome, Failed)
        assert (outcome.permanent, outcome.unknown) == (False, False)
        assert outcome.retry_after == (7.0 if bench.rig.says_when else None)
        assert bench.rig.effects("key-1") == 0
        assert not isinstance(bench.hand_over("key-1"), Failed)

    def test_a_destination_that_is_not_there_has_certainly_stored_nothing(
        self, bench: Bench
    ) -> None:
        """Without a connection there is no unknown outcome."""
        bench.run(bench.rig.go_away())

        outcome = bench.hand_over("key-1")

        assert isinstance(outcome, Failed)
        assert (outcome.permanent, outcome.unknown) == (False, False)
        assert bench.rig.effects("key-1") == 0

    def test_what_was_made_is_taken_back_as_often_as_it_is_asked_for(self, bench: Bench) -> None:
        """A record that is gone is taken back."""
        if not bench.action.can_undo:
            raise SkipTest("the action cannot be taken back")
        record_id = _made(bench)

        for _ in range(2):
            outcome = bench.hand_over("key-1", known=record_id, undo=True)
            assert outcome == TakenBack(record_id=record_id)

        assert bench.rig.effects("key-1") == 0

    def test_what_cannot_be_taken_back_stays(self, bench: Bench) -> None:
        """An action without an undo says so and does nothing."""
        if bench.action.can_undo:
            raise SkipTest("the action can be taken back")
        record_id = _made(bench)

        outcome = bench.hand_over("key-1", known=record_id, undo=True)

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert bench.rig.effects("key-1") == 1

    def test_a_call_that_lacks_a_required_field_does_not_go_out(self, bench: Bench) -> None:
        """The error names the field."""
        if not bench.action.required:
            raise SkipTest("the action requires no field")
        left_out = min(bench.action.required)

        outcome = bench.hand_over(
            "key-1", {name: value for name, value in bench.rig.fields.items() if name != left_out}
        )

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert left_out in outcome.error
        assert bench.rig.effects("key-1") == 0

    def test_a_call_with_a_field_that_nobody_takes_does_not_go_out(self, bench: Bench) -> None:
        """The error names the field."""
        if bench.action.open_fields:
            raise SkipTest("the action takes any field")

        outcome = bench.hand_over("key-1", {**bench.rig.fields, "nobody_takes_this": "pro"})

        assert isinstance(outcome, Failed)
        assert outcome.permanent
        assert "nobody_takes_this" in outcome.error
        assert bench.rig.effects("key-1") == 0

    def test_an_error_names_the_connector_and_no_secret(self, bench: Bench) -> None:
        """Errors go into the audit, where people read them."""
        rig = bench.rig
        for go_wrong in (rig.lose_next_answer, rig.refuse_next, rig.refuse_login):
            go_wrong()
            outcome = bench.hand_over("key-1")
            assert isinstance(outcome, Failed)
            assert outcome.error.startswith(f"{rig.connector.name}: ")
            assert not rig.secret or rig.secret not in outcome.error
            assert "\n" not in outcome.error

    def test_an_action_tells_the_truth_about_its_name_and_its_fields(self, bench: Bench) -> None:
        """What publish checks workflows against."""
        for name, action in bench.rig.connector.actions.items():
            assert action.name == name
            assert not action.required & action.optional
            assert action.compare.keys() <= action.readable
            assert action.timeout_seconds > action.confirm_seconds
            assert action.max_in_flight > 0

    def test_what_the_system_is_spared_can_be_kept_to(self, bench: Bench) -> None:
        """A budget that lets nothing through would hold everything for ever."""
        limits = bench.rig.connector.limits

        assert limits.breaker.failures > 0
        assert limits.breaker.cooldown_seconds > 0
        if limits.rate is not None:
            assert limits.rate.burst >= 1
            assert limits.rate.interval_ms > 0

    def test_a_connector_can_be_used_after_it_was_closed(self, bench: Bench) -> None:
        """A worker closes connectors between two lives."""
        bench.hand_over("key-1", bench.rig.another(1))
        bench.run(bench.rig.connector.close())

        assert not isinstance(bench.hand_over("key-2", bench.rig.another(2)), Failed)


def _made(bench: Bench) -> str:
    """The id of what a handoff made."""
    outcome = bench.hand_over("key-1")
    assert isinstance(outcome, Confirmed | Receipted)
    return outcome.record_id if isinstance(outcome, Confirmed) else outcome.receipt_id
