"""Rollouts: how people write one, who is in a share, and what follows from figures."""

from __future__ import annotations

import random

import pytest

from orchestrator.domain.changes.betting import ALPHA, Wealth, events_to_see, highest_rate
from orchestrator.domain.changes.canary import Canary, canary_from
from orchestrator.domain.changes.rollout import Mode, Rollout, read_rollout
from orchestrator.domain.changes.verdict import (
    Base,
    Looked,
    Progress,
    Stopped,
    alarm_of,
    alarm_of_first,
    judge_shadow,
    judge_step,
)
from orchestrator.domain.errors import Refused

BASE = Base(events=1_000, bad=10, seconds=28 * 86_400)


def rollout(shadow: str | None = None, canary: str | None = "5%,100%", each: str = "") -> Rollout:
    found = read_rollout(shadow, canary, each or "100ev,2h")
    assert found
    return found


def progress(**given: object) -> Progress:
    said: dict[str, object] = {
        "share": 500,
        "judged": 0,
        "lasted": 0,
        "whole": 0,
        "wealth": Wealth(),
        "base": BASE,
    }
    return Progress(**said | given)  # type: ignore[arg-type]


def test_a_rollout_is_read_as_people_write_it_and_kept_as_one_text() -> None:
    found = rollout("24h", "5%, 25%,100%")
    assert found.shares == (500, 2_500, 10_000)
    assert (found.shadow_seconds, found.each_events, found.each_seconds) == (86_400, 100, 7_200)
    assert Rollout.from_text(found.text()) == found
    assert found.told() == "shadow for 1d, then canary of 5%, 25%, 100%, each for 100 events and 2h"
    assert [one.mode for one in found.steps()] == [Mode.SHADOW, *[Mode.CANARY] * 3]
    last = found.steps()[-1]
    assert found.step_after(0) == found.steps()[1] and found.step_after(last.number) is None
    assert read_rollout(None, None, None) is None


@pytest.mark.parametrize(
    ("shadow", "canary", "each", "field"),
    [
        ("soon", None, None, "shadow"),
        (None, "25%,5%", "1ev", "canary"),
        (None, "5%,5%", "1ev", "canary"),
        (None, "0%", "1ev", "canary"),
        (None, "101%", "1ev", "canary"),
        (None, "five", "1ev", "canary"),
        (None, "5%", None, "each"),
        (None, "5%", "2h,3h", "each"),
        (None, "5%", "0ev", "each"),
        (None, None, "5ev", "each"),
        (None, "5%,100%", "15d", "each"),
        ("29d", None, None, "shadow"),
        (None, ",".join(f"{one}%" for one in range(1, 12)), "1ev", "canary"),
    ],
)
def test_what_is_not_a_rollout_is_refused_with_its_field(
    shadow: str | None, canary: str | None, each: str | None, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        read_rollout(shadow, canary, each)
    assert refused.value.field == field
    assert refused.value.fix


def test_a_share_takes_that_share_and_all_of_each_smaller_one() -> None:
    keys = [f"event-{one}" for one in range(20_000)]
    small, large = (Canary(version=2, change=7, share=share) for share in (500, 2_500))
    taken, more = ({one for one in keys if arm.takes(one)} for arm in (small, large))
    assert 0.04 < len(taken) / len(keys) < 0.06
    assert 0.23 < len(more) / len(keys) < 0.27
    assert taken < more
    assert not any(Canary(version=2, change=7, share=0).takes(one) for one in keys[:100])
    assert all(Canary(version=2, change=7, share=10_000).takes(one) for one in keys[:100])
    assert canary_from(small.text()) == small


def _is_found_out(rate: float, base: float, chance: random.Random, events: int) -> bool:
    """Whether a candidate is taken for worse, at a look after each event."""
    wealth = Wealth()
    for _ in range(events):
        wealth = wealth.after(is_bad=chance.random() < rate, base_rate=base)
        if wealth.is_worse:
            return True
    return False


def test_a_candidate_that_is_no_worse_is_stopped_less_often_than_is_said() -> None:
    alarms = 0
    for seed in range(200):
        chance = random.Random(seed)
        bad = sum(chance.random() < 0.02 for _ in range(500))
        alarms += _is_found_out(0.02, highest_rate(500, bad), chance, 1_000)
    assert alarms <= 200 * ALPHA


def test_a_candidate_that_is_much_worse_is_found_out() -> None:
    base = highest_rate(1_000, 10)
    found = sum(_is_found_out(0.10, base, random.Random(seed), 600) for seed in range(50))
    assert found == 50
    assert 0 < (events_to_see(base, 0.10) or 0) < 100
    assert events_to_see(base, base) is None


def test_a_base_without_events_says_nothing() -> None:
    assert highest_rate(0, 0) == 1.0
    assert not _is_found_out(1.0, 1.0, random.Random(1), 100)
    assert highest_rate(5, 5) == pytest.approx(1.0)


def test_one_unseen_cause_or_one_mismatch_is_an_alarm_and_a_known_cause_is_none() -> None:
    unseen = alarm_of(Stopped(event="e1", reason="contract_violation", seen=False))
    mismatch = alarm_of(Stopped(event="e1", reason="handoff_mismatch", seen=True))
    assert unseen and "e1" in unseen and "28 days" in unseen
    assert mismatch and "read back" in mismatch
    assert alarm_of(Stopped(event="e1", reason="contract_violation", seen=True)) is None


def _all_bad(events: int) -> Wealth:
    return Wealth(events=events, bad=events)


def test_a_candidate_whose_first_three_events_all_failed_goes_back_for_a_known_cause() -> None:
    few = Base(events=8, bad=0, seconds=86_400)  # so few that the bets say nothing after three
    wealth = Wealth()
    for _ in range(3):
        wealth = wealth.after(is_bad=True, base_rate=few.rate)
    assert not wealth.is_worse and few.rate < 0.5

    says = alarm_of_first(wealth, 3, few)

    assert says and says.startswith("each of its first 3 events failed or was late, 3 of them")


@pytest.mark.parametrize(
    ("wealth", "quarantined", "base"),
    [
        (_all_bad(2), 2, BASE),
        (Wealth(events=4, bad=3), 3, BASE),
        (_all_bad(3), 2, BASE),  # the third was late, which a slow canary may be
        (_all_bad(3), 3, Base(events=10, bad=6, seconds=86_400)),
        (_all_bad(3), 3, Base(events=0, bad=0, seconds=0)),
    ],
)
def test_fewer_or_other_events_or_a_base_that_fails_as_often_are_left_to_the_rate(
    wealth: Wealth, quarantined: int, base: Base
) -> None:
    assert alarm_of_first(wealth, quarantined, base) is None


def test_a_step_passes_after_its_events_and_its_time_and_not_before() -> None:
    steps = rollout()
    assert not judge_step(steps, progress(judged=100, lasted=7_199)).passed
    assert not judge_step(steps, progress(judged=99, lasted=7_200)).passed
    assert judge_step(steps, progress(judged=100, lasted=7_200)).passed


def test_what_is_not_enough_says_how_much_is_missing_and_for_how_long() -> None:
    base = Base(events=1_120, bad=11, seconds=28 * 86_400)  # 40 a day
    says = judge_step(rollout(), progress(judged=37, lasted=9_000, base=base)).says
    assert says.startswith(
        "not enough yet: this step needs 63 more events; at 2.0 events a day, about 32 days"
    )
    assert "; a rise from 1.0% to 5.0% shows in about " in says
    nobody = judge_step(rollout(), progress(base=Base(events=0, bad=0, seconds=0)))
    assert "nobody knows how long" in nobody.says and not nobody.passed


def test_a_rate_that_is_worse_fails_and_so_does_an_endless_step() -> None:
    wealth = Wealth()
    for _ in range(20):
        wealth = wealth.after(is_bad=True, base_rate=BASE.rate)
    worse = judge_step(rollout(), progress(judged=100, lasted=7_200, wealth=wealth))
    assert worse.failed and worse.says.startswith("20 of 20 events failed or were late")
    assert judge_step(rollout(), progress(whole=28 * 86_400)).failed


def looked(lasted: int, events: int, left: int = 0) -> Looked:
    return Looked(lasted=lasted, events=events, left=left, is_through=not left and lasted >= 7_200)


def test_a_shadow_ends_when_its_time_is_over_and_everything_of_it_was_looked_at() -> None:
    steps = rollout("2h")
    early = judge_shadow(steps, looked(3_600, 3, 1))
    assert not early.passed and "about 60 minutes" in early.says
    assert early.says.endswith("and so far it has looked at 3 of 4 events (75%)")
    assert judge_shadow(steps, looked(7_200, 0)).passed
    assert judge_shadow(steps, looked(9_000, 10)).passed

    behind = judge_shadow(steps, looked(7_200, 999, 1))
    assert not behind.passed and not behind.failed
    assert "looked at 999 of 1,000 events (99%); the others take about" in behind.says
    assert "nobody knows how long" in judge_shadow(steps, looked(7_200, 0, 5)).says
    assert "or more" in judge_shadow(steps, looked(7_200, 5, 100_000)).says
    assert not judge_shadow(steps, looked(28 * 86_400, 5, 5)).failed
    assert judge_shadow(steps, looked(29 * 86_400, 5, 5)).failed
