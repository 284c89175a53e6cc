"""A version is tried on a few events first: it goes on, or back, by what becomes of them."""

from __future__ import annotations

import random
import threading

import pytest
from sqlalchemy import event, insert, select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.changes.rollout import MOST_AT_ONCE, read_rollout
from orchestrator.domain.errors import Forbidden, IllegalMove, Refused
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.changes.break_glass import break_glass
from orchestrator.operations.changes.freeze import freeze_changes, thaw_changes
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.changes.rollout.go_back import stop_rollout
from orchestrator.operations.changes.rollout.keep import keep_rollouts
from orchestrator.operations.changes.show import explain_change
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.retire_workflow import retire_workflow
from orchestrator.operations.rollback_workflow import rollback_workflow
from orchestrator.store.changes.changes import due_changes
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import (
    alerts,
    breaches,
    changes,
    events,
    ordered_events,
    rollout_events,
)
from orchestrator.store.drive.take_back import recall_events
from orchestrator.store.quarantine.actions import replay
from orchestrator.store.quarantine.workflows import live_workflow, require_live
from orchestrator.store.rollout.outcomes import count_base
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.values import iso_time, now_of
from tests.leads import TEXT, accept_leads, claim_groups, lead, lead_workflow, publish_leads
from tests.people import logged_in
from tests.store.changes.governed import (
    APPROVER,
    author,
    change,
    decide,
    govern,
    live_version,
    time_comes,
    version,
)
from tests.store.changes.rollout.rolling import (
    BROKEN,
    HARMLESS,
    drive,
    figures,
    pass_time,
    roll_out,
    states_by_version,
    work,
)


def _rolled(store: Store, text: str = HARMLESS, **steps: str | None) -> str:
    publish_leads(store)
    done = roll_out(store, text, **steps)
    assert done.change
    return done.change


def _keep(store: Store) -> int:
    return keep_rollouts(store)


def test_a_harmless_version_is_live_for_all_after_its_last_step(store: Store) -> None:
    token = _rolled(store, canary="50%,100%", each="6ev")
    assert (live_version(store), change(store, token).state) == (1, "canary")

    shares = []
    for _ in range(40):
        accept_leads(store, 2)
        work(store)
        _keep(store)
        shares.append(figures(store, token).steps[-1].share)
        if live_version(store) == 2:
            break

    assert live_version(store) == 2
    assert "50%" in shares and shares[-1] == "100%"
    shown = figures(store, token)
    assert shown.says == "every step passed"
    assert [one.bad for one in shown.steps] == [0, 0]
    assert min(one.events for one in shown.steps) >= 6
    assert (change(store, token).state, change(store, token).live_version) == ("live", 2)
    with store.read() as tx:
        told = {row.action for row in list_audit(tx, client="acme")}
    assert {"start_canary_change", "step_change", "go_live_change", "publish"} <= told
    accept_leads(store, 7)
    assert {len(one.ids) for one in work(store)} == {7}  # in groups as any other version


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_broken_field_in_a_hundred_events_stops_it_with_at_most_three_harmed(
    store: Store, seed: int
) -> None:
    chance = random.Random(seed)
    token = _rolled(store, BROKEN, each="10000ev")
    tiers = ["enterprise"] * 300
    for place in chance.sample(range(300), 3):
        tiers[place] = "pro"
    leads = [lead(number, tier=tier) for number, tier in enumerate(tiers)]
    accept_batch(store, leads, actor="key:test")

    groups = work(store)
    harmed = states_by_version(store).get((2, "quarantined"), 0)
    assert 1 <= harmed <= MOST_AT_ONCE
    assert max(len(one.ids) for one in groups) <= MOST_AT_ONCE
    _keep(store)

    assert (live_version(store), change(store, token).state) == (1, "rolled_back")
    assert "for a cause that the version before has not had" in figures(store, token).says
    _keep(store)  # what was not routed goes to the version before
    work(store)
    states = states_by_version(store)
    assert states.get((2, "accepted"), 0) == 0
    assert states[2, "quarantined"] == harmed
    assert sum(states.values()) == 300
    assert states[1, "delivered"] + states[2, "delivered"] == 300 - harmed
    assert accept_leads(store, 3) and states_by_version(store)[1, "accepted"] == 3


def test_the_next_group_waits_until_the_one_before_is_judged(store: Store) -> None:
    _rolled(store, BROKEN, each="100ev")
    accept_leads(store, 9, tier="enterprise")
    (first,) = claim_groups(store)
    assert len(first.ids) == MOST_AT_ONCE
    assert claim_groups(store) == []

    drive(store, first)
    (second,) = claim_groups(store)
    assert len(second.ids) == MOST_AT_ONCE and not set(second.ids) & set(first.ids)
    drive(store, second)
    accept_leads(store, 1)  # this one breaks
    assert len(work(store)) == 2

    accept_leads(store, 3, tier="enterprise")
    assert claim_groups(store) == []  # a keeper has to look at why it broke


def test_a_cause_that_the_version_before_has_too_does_not_stop_it(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 1, tier="none")
    work(store)
    token = roll_out(store, each="100ev").change or ""
    accept_leads(store, 1, tier="none")
    work(store)
    _keep(store)

    shown = figures(store, token)
    assert (shown.state, shown.steps[-1].bad, shown.base_bad) == ("canary", 1, 1)
    accept_leads(store, 2)
    assert len(work(store)) == 1


def test_a_known_cause_in_each_of_the_first_three_events_stops_it(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 1, tier="none")
    accept_leads(store, 12)
    work(store)
    token = roll_out(store, each="100ev").change or ""
    accept_leads(store, 9, tier="none")
    work(store)
    _keep(store)

    shown = figures(store, token)
    assert shown.state == "rolled_back"
    assert "each of its first 3 events failed or was late" in shown.says
    assert shown.taken.quarantined == MOST_AT_ONCE
    _keep(store)
    work(store)
    assert states_by_version(store)[2, "quarantined"] == MOST_AT_ONCE


def _send_again(store: Store, ids: list[str]) -> None:
    """As a plan of outcomes does, of which nothing has to be undone."""
    with store.write() as tx:
        moved = recall_events(
            tx,
            {one: [] for one in ids},
            stopped=(),
            live=require_live(tx, "acme", "leads"),
            predecessors={},
            because="version 2 was rolled back",
            plan="a plan",
            actor="cli:tester",
        )
    assert moved == len(ids)
    work(store)


def _make_late(store: Store, event_id: str) -> None:
    with store.write() as tx:
        late = {"event_id": event_id, "kind": "deliver_within", "client": "acme"}
        tx.execute(insert(breaches).values(**late, workflow="leads", due_at=1, at=2))


def test_what_a_plan_takes_back_and_sends_again_is_no_failure_of_the_version_before(
    store: Store,
) -> None:
    publish_leads(store)
    (failed,) = accept_leads(store, 1, tier="none")
    delivered = accept_leads(store, 12)
    work(store)
    _send_again(store, delivered[:5])
    _make_late(store, delivered[0])  # for it was sent again
    _make_late(store, delivered[-1])

    with store.read() as tx:
        base = count_base(tx, "acme", "leads", now_of(tx))

    assert (base.events, base.bad) == (12, 2)
    publish_leads(store, TEXT.replace("pro]", "pro, none]").replace('== "pro"', '== "none"'))
    with store.write() as tx:
        assert replay(tx, [failed], live=require_live(tx, "acme", "leads"), actor="cli:t")
    work(store)
    assert states_by_version(store)[2, "delivered"] == 1
    with store.read() as tx:
        assert count_base(tx, "acme", "leads", now_of(tx)).bad == 2  # it failed once


def test_too_few_events_are_told_with_how_long_the_rest_takes(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 4)
    work(store)
    token = roll_out(store, canary="10%,100%", each="100ev,2h").change or ""
    _keep(store)
    assert "100 more events and about 2 hours" in figures(store, token).says

    pass_time(store, token, 7_300)
    _keep(store)
    shown = figures(store, token)
    assert shown.state == "canary"
    assert shown.says.startswith("not enough yet: this step needs 100 more events; at ")


def test_a_rollout_without_an_end_goes_back_after_four_weeks(store: Store) -> None:
    token = _rolled(store, each="100ev")
    pass_time(store, token, 28 * 86_400 + 1)
    _keep(store)
    assert change(store, token).state == "rolled_back"
    assert change(store, token).because == "it did not come to its end within 28d"


def test_an_event_keeps_its_side_and_a_repeat_of_it_answers_the_same(store: Store) -> None:
    token = _rolled(store, canary="50%,100%", each="1000ev")
    first = accept_batch(store, [lead(n, key=f"k{n}") for n in range(60)], actor="key:test")
    before = states_by_version(store)
    assert 10 <= before[2, "accepted"] <= 50

    again = accept_batch(store, [lead(n, key=f"k{n}") for n in range(60)], actor="key:test")

    assert [one.id for one in again] == [one.id for one in first]
    assert all(one.duplicate for one in again)
    assert states_by_version(store) == before
    with store.read() as tx:
        kept = tx.execute(select(rollout_events.c.event_id)).scalars().all()
    assert len(kept) == before[2, "accepted"] == figures(store, token).taken.events


def test_a_governed_rollout_begins_when_it_is_approved_and_tells_when_it_goes_back(
    store: Store,
) -> None:
    govern(store)
    rollout = read_rollout(None, "100%", "5ev")
    done = publish_workflow(store, lead_workflow(BROKEN), actor=author(store), rollout=rollout)
    token = done.change or ""
    assert done.state == "proposed"
    plain = publish_workflow(store, lead_workflow(BROKEN), actor=author(store)).change or ""
    assert plain != token  # what is approved of the one is not approved of the other
    assert change(store, plain).digest != change(store, token).digest

    assert decide(store, token).state == "canary"
    waiting = decide(store, plain)
    assert (waiting.state, waiting.waits_for) == ("approved", token)
    accept_leads(store, 1)
    work(store)
    _keep(store)

    assert (live_version(store), change(store, token).state) == (1, "rolled_back")
    with store.read() as tx:
        told = tx.execute(select(alerts.c.recipient).where(alerts.c.kind == "rolled_back"))
        assert APPROVER in set(told.scalars())


def test_an_approval_that_does_not_hold_any_more_promotes_nothing(store: Store) -> None:
    govern(store)
    rollout = read_rollout(None, "100%", "1ev")
    done = publish_workflow(store, lead_workflow(HARMLESS), actor=author(store), rollout=rollout)
    token = done.change or ""
    decide(store, token)
    with store.write() as tx:
        tx.execute(update(changes).where(changes.c.token == token).values(round=2))
    accept_leads(store, 1)
    work(store)
    _keep(store)

    assert (live_version(store), change(store, token).state) == (1, "rolled_back")
    assert "nobody approved" in (change(store, token).because or "")


def test_a_freeze_holds_its_steps_back_and_a_thaw_lets_them_go_on(store: Store) -> None:
    from orchestrator.domain.access.roles import Role
    from tests.people import add

    govern(store)
    rollout = read_rollout(None, "100%", "1ev")
    done = publish_workflow(store, lead_workflow(HARMLESS), actor=author(store), rollout=rollout)
    token = done.change or ""
    decide(store, token)
    add(store, "steward@acme.example", Role.STEWARD, "acme")
    steward = logged_in(store, "steward@acme.example")
    freeze_changes(store, "acme", until="2d", why="holidays", actor=steward)
    accept_leads(store, 1)
    work(store)

    assert _keep(store) == 0
    assert (live_version(store), change(store, token).state) == (1, "canary")
    thaw_changes(store, "acme", why="over", actor=steward)
    _keep(store)
    assert live_version(store) == 2


@pytest.mark.parametrize("goes_back", [True, False])
def test_an_approved_change_waits_for_a_rollout_and_then_goes_live_or_is_stale(
    store: Store, goes_back: bool
) -> None:
    govern(store)
    text = BROKEN if goes_back else HARMLESS
    rollout = read_rollout(None, "100%", "1ev")
    done = publish_workflow(store, lead_workflow(text), actor=author(store), rollout=rollout)
    token = done.change or ""
    decide(store, token)
    timed = publish_workflow(store, lead_workflow(version(40)), actor=author(store), at="2h")
    due = timed.change or ""
    assert decide(store, due).waits_for == token
    time_comes(store, due)
    with store.write() as tx:  # also its approval would be over by now
        tx.execute(update(changes).where(changes.c.token == due).values(expires_at=after(-1)))

    for _ in range(2):
        keep_time_of_changes(store)
    with store.read() as tx:
        shown = explain_change(tx, due, None)
        assert (shown.state, shown.waits_for) == ("approved", token)
        assert shown.expires_at > iso_time(now_of(tx) + 80_000_000)  # most of a day from now
        assert due not in due_changes(tx, most=10)  # until then a keeper has nothing to do

    accept_leads(store, 1)
    work(store)
    _keep(store)
    keep_time_of_changes(store)

    then = (live_version(store), change(store, due).state)
    assert then == ((3, "live") if goes_back else (2, "stale"))


def test_break_glass_meanwhile_ends_it_and_is_not_overtaken(store: Store) -> None:
    from orchestrator.domain.access.roles import Role
    from tests.people import add, age_roles

    govern(store)
    add(store, "on-call@agency.example", Role.OPERATOR, "acme")
    age_roles(store)
    rollout = read_rollout(None, "100%", "1ev")
    done = publish_workflow(store, lead_workflow(HARMLESS), actor=author(store), rollout=rollout)
    token = done.change or ""
    decide(store, token)
    accept_leads(store, 2)
    urgent = publish_workflow(store, lead_workflow(version(40)), actor=author(store)).change or ""
    break_glass(store, urgent, why="now", actor=logged_in(store, "on-call@agency.example"))

    assert (live_version(store), change(store, token).state) == (3, "stale")
    _keep(store)
    work(store)
    _keep(store)
    assert live_version(store) == 3
    assert states_by_version(store) == {(3, "delivered"): 2}


def test_somebody_stops_it_by_hand_and_only_who_may(store: Store) -> None:
    govern(store)
    rollout = read_rollout(None, "100%", "5ev")
    done = publish_workflow(store, lead_workflow(HARMLESS), actor=author(store), rollout=rollout)
    token = done.change or ""
    with pytest.raises(IllegalMove, match="nothing of change"):
        stop_rollout(store, token, why="no", actor=author(store))
    decide(store, token)
    accept_leads(store, 5)
    (group,) = claim_groups(store)

    with pytest.raises(Refused, match="reason"):
        stop_rollout(store, token, why=" ", actor=author(store))
    with pytest.raises(Forbidden):
        stop_rollout(store, token, why="no", actor=login("cli:somebody"))
    done_ = stop_rollout(store, token, why="it looks odd", actor=author(store))

    assert (done_.state, live_version(store)) == ("rolled_back", 1)
    assert figures(store, token).not_routed == 5
    assert claim_groups(store) == []  # nothing new of the candidate goes out
    _keep(store)
    assert figures(store, token).not_routed == 0
    with pytest.raises(AssertionError):
        drive(store, group)  # the worker that had them finds none of its epoch
    work(store)
    assert states_by_version(store) == {(1, "delivered"): 5}


def test_who_comes_late_to_a_version_that_went_back_is_brought_over(store: Store) -> None:
    token = _rolled(store, each="50ev")
    with store.read() as tx:
        seen = live_workflow(tx, "acme", "leads")
    assert seen and seen.canary_text
    stop_rollout(store, token, why="no", actor=login("cli:tester"))
    # A door that had read the share before writes its event after the commit.
    from orchestrator.store.drive.accept import Arrival, accept

    with store.write() as tx:
        accept(tx, [Arrival(id="f" * 32, trigger=lead(), workflow=seen, actor="key:test")])
    assert states_by_version(store) == {(2, "accepted"): 1}

    _keep(store)
    work(store)
    assert states_by_version(store) == {(1, "delivered"): 1}


def test_a_keeper_that_is_killed_between_two_moves_leaves_it_to_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = _rolled(store, canary="50%,100%", each="1ev")
    for _ in range(20):
        accept_leads(store, 2)
        work(store)
        if figures(store, token).taken.delivered or figures(store, token).taken.events:
            break

    from orchestrator.operations.changes.rollout import keep

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(keep, "move_change", killed)
        with pytest.raises(KeyboardInterrupt):
            _keep(store)
    shown = figures(store, token)
    assert [one.share for one in shown.steps] == ["50%"]
    assert shown.steps[0].events == 0  # nothing counts by half

    _keep(store)
    assert [one.share for one in figures(store, token).steps] == ["50%", "100%"]


def test_nothing_else_goes_live_beside_it_and_nothing_rolls_back_to_it(store: Store) -> None:
    token = _rolled(store)
    me = login("cli:tester")
    with pytest.raises(Refused, match="is rolled out"):
        publish_leads(store, version(50))
    with pytest.raises(Refused, match="is rolled out"):
        retire_workflow(store, "acme", "leads", why="no", actor=me)
    with pytest.raises(Refused, match="only tried in a rollout"):
        rollback_workflow(store, "acme", "leads", why="no", actor=me, to=2)
    stop_rollout(store, token, why="no", actor=me)
    with pytest.raises(Refused, match="only tried in a rollout"):
        rollback_workflow(store, "acme", "leads", why="no", actor=me, to=2)
    publish_leads(store, version(50))
    assert live_version(store) == 3


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("lead.created", "lead.made"),
        TEXT.replace("title: New", "ordering_key: data.email\ntitle: New"),
    ],
)
def test_a_version_that_cannot_share_the_events_is_refused(store: Store, text: str) -> None:
    publish_leads(store)
    with pytest.raises(Refused, match="cannot share the events"):
        roll_out(store, text)


def test_a_first_version_has_nothing_to_be_compared_with(store: Store) -> None:
    with pytest.raises(Refused, match="no version of 'leads' is live"):
        roll_out(store)


def test_a_look_at_the_change_has_its_steps_and_figures(store: Store) -> None:
    token = _rolled(store, canary="5%,100%", each="100ev,2h")
    with store.read() as tx:
        shown = explain_change(tx, token, None)
    assert shown.rollout == "canary of 5%, 100%, each for 100 events and 2h"
    assert shown.figures and shown.figures.version == 2


def _said(store: Store, number: int) -> list[str]:
    """Every statement from the acceptance of one event of the other client to its delivery."""
    said: list[str] = []

    def keep(*given: object) -> None:
        said.append(str(given[2]))

    event.listen(store.engine, "before_cursor_execute", keep)
    try:
        accept_batch(store, [lead(number, client="globex")], actor="key:test")
        work(store)
    finally:
        event.remove(store.engine, "before_cursor_execute", keep)
    return said


@pytest.mark.parametrize(("shadow", "canary"), [(None, "100%"), ("1h", None)])
def test_a_workflow_without_a_rollout_pays_no_statement(
    store: Store, shadow: str | None, canary: str | None
) -> None:
    """Beside another client's rollout its statements are the same ones as without."""
    publish_leads(store)
    publish_leads(store, TEXT.replace("client: acme", "client: globex"))
    _said(store, 1)  # what a process does only once
    without = _said(store, 2)
    roll_out(store, shadow=shadow, canary=canary, each=canary and "5ev")

    assert without
    assert [one for one in without if "rollout_" in one] == []
    assert _said(store, 3) == without


def test_relays_that_claim_at_once_take_three_together(store: Store) -> None:
    _rolled(store, each="100ev")
    accept_leads(store, 30)
    ready = threading.Barrier(4)
    taken: list[str] = []

    def claim_once() -> None:
        ready.wait()
        for group in claim_groups(store):
            taken.extend(group.ids)

    relays = [threading.Thread(target=claim_once) for _ in range(4)]
    for one in relays:
        one.start()
    for one in relays:
        one.join()

    assert len(taken) == len(set(taken)) == MOST_AT_ONCE


def test_events_of_one_ordering_key_are_on_one_side_and_in_order(store: Store) -> None:
    ordered = TEXT.replace("title: New", "ordering_key: data.email\ntitle: New")
    publish_leads(store, ordered)
    roll_out(store, ordered.replace("15m", "20m"), canary="50%,100%", each="1000ev")
    for _ in range(2):
        accept_leads(store, 20)
    with store.read() as tx:
        rows = tx.execute(
            select(ordered_events.c.line, events.c.workflow_id).join(
                events, events.c.id == ordered_events.c.event_id
            )
        ).all()
    sides: dict[str, set[int]] = {}
    for line, version_id in rows:
        sides.setdefault(line, set()).add(version_id)
    assert len(sides) == 20
    assert all(len(one) == 1 for one in sides.values())
    assert len(set.union(*sides.values())) == 2
