"""The share of its events that a workflow promises: how it is written, and when it is missed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from orchestrator.domain.workflows.promises import DeliveryRate, PromisedRate
from orchestrator.domain.workflows.sla import Sla, SuccessRate


def rate(delivered: int, quarantined: int) -> DeliveryRate:
    return DeliveryRate(delivered=delivered, quarantined=quarantined)


@pytest.mark.parametrize("percent", [f"{number}%" for number in range(1, 101)])
def test_a_share_that_is_just_kept_is_kept(percent: str) -> None:
    number = int(percent[:-1])
    promised = PromisedRate(at_least=percent, of=1)

    assert not promised.is_missed_by(rate(number, 100 - number))
    assert promised.is_missed_by(rate(number - 1, 101 - number))


def test_parts_of_a_percent_count() -> None:
    promised = PromisedRate(at_least="99.5%")

    assert not promised.is_missed_by(rate(199, 1))
    assert promised.is_missed_by(rate(198, 1))


def test_of_too_few_nothing_is_said() -> None:
    promised = PromisedRate(at_least="95%", of=20)

    assert not promised.is_missed_by(rate(0, 19))
    assert promised.is_missed_by(rate(0, 20))
    assert not promised.is_missed_by(rate(0, 0))


def test_what_is_promised_and_kept_is_one_sentence() -> None:
    told = PromisedRate(at_least="95%").told_of(rate(12, 28))

    assert told == "12 of 40 events that came within 1h are delivered; at least 95% are promised"


@pytest.mark.parametrize("text", ["95", "0%", "0.0%", "101%", "-5%", "95 %", "100.5%", "99.1234%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is not a share"):
        SuccessRate(at_least=text)


@pytest.mark.parametrize("text", ["deliver", "recover_within", ["deliver_with"], [1]])
def test_only_a_list_of_clocks_may_stop_for_a_pause(text: object) -> None:
    with pytest.raises(ValidationError):
        Sla.model_validate({"deliver_within": "1h", "recover_within": "1h", "pauses_stop": text})


def test_a_planned_pause_stops_the_recovery_clock_unless_the_workflow_says_otherwise() -> None:
    said = {"deliver_within": "1h", "recover_within": "1h"}

    assert Sla.model_validate(said).pauses_stop == ("recover_within",)
    assert Sla.model_validate(said | {"pauses_stop": []}).pauses_stop == ()
