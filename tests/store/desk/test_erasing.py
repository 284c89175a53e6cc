"""Erasing events: what they carried is nowhere any more, and what counts them stays."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import Blame, Confirmed, Failed, Seen
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.event import Trigger
from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.domain.recipes.amendment import Amendment
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.recipes.steps import Step
from orchestrator.operations.accept_triggers import RefusedAt, accept_batch
from orchestrator.operations.dispatch.admit_deliveries import Run
from orchestrator.operations.dispatch.settle_run import save_outcomes, settle_calls
from orchestrator.operations.erase_events import Wanted, erase_events
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.repair.amend import fix_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.database.audit_guards import look_at_audit
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.database.schema import deliveries, events, incidents, payloads
from orchestrator.store.desk.recipes import save_recipe
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.drive.deliveries import take_deliveries
from orchestrator.store.drive.stages import Saving
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.events.show import show_event
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.details import detail_of
from tests.leads import CATALOG, TEXT, claim_groups, drive_to_routed, lead, publish_leads
from tests.store.looking import columns_with, files_with

MAIL = "ada.lovelace@private.example"
OTHER_MAIL = "bob.babbage@private.example"
PHONE = "+49 170 5556677"
NAME = "Ada Lovelace"
PLANTED = (MAIL, PHONE, NAME, "5556677", "lovelace", "order-of-ada")

ACTOR = "cli:tester"


def person(number: int = 0, key: str | None = None, /, **fields: object) -> Trigger:
    """A trigger about somebody, in values and in a name."""
    payload: dict[str, object] = {"email": MAIL, "tier": "pro", **fields}
    return Trigger(
        client="acme",
        type="lead.created",
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
        idempotency_key=key or f"order-of-ada-{number}",
    )


def accepted(store: Store, *triggers: Trigger) -> list[str]:
    return [one.id for one in accept_batch(store, list(triggers), actor="key:test")]


def dispatched(store: Store, outcome: Any) -> list[str]:
    """Drive what is due through dispatch, each call with this outcome; the ids."""
    actions, shelf = {("fake", "record"): CATALOG["fake"]["record"]}, WorkflowShelf()
    ids: list[str] = []
    for group in claim_groups(store):
        drive_to_routed(store, group)
        saving = Saving(actor="worker:dispatch", epoch=group.epoch, lease_seconds=60)
        with store.write() as tx:
            taken = take_deliveries(tx, group.ids, epoch=group.epoch, run_id="r", run_seconds=60)
            workflow = shelf.take(tx, 1)
            answers = {one.key: outcome for one in taken}
            run = Run(id="r", workflow=workflow, saving=saving)
            done = settle_calls(run, taken, answers, actions)
            save_outcomes(tx, run, list(group.ids), done, actions)
        ids += group.ids
    return ids


def refused_event(store: Store) -> str:
    """An event that its destination refused, with an answer that repeats what was sent."""
    (event_id,) = accepted(store, person(1))
    dispatched(store, Failed(error=f"422: {MAIL} is taken", permanent=True, blame=Blame.CALL))
    return event_id


def delivered_event(store: Store, record_id: str) -> str:
    (event_id,) = accepted(store, person(2))
    dispatched(store, Confirmed(record_id=record_id))
    return event_id


def broken_event(store: Store) -> str:
    """An event that breaks the contract by values and by a name, was mended and given up."""
    (event_id,) = accepted(store, person(3, phone=PHONE, **{f"{NAME}": {"mail": MAIL}}))
    validate_leads(store)
    selection = Selection(ids=(event_id,))
    put = (
        Amendment(action="unset", path="phone"),
        Amendment(action="unset", path=f"/{NAME}"),
        Amendment(action="set", path="email", value=f"new.{MAIL}"),
    )
    assert fix_events(store, selection, put, actor=login(ACTOR)).ids == [event_id]
    return event_id


def plant_beside(store: Store, event_id: str) -> None:
    """What people write and systems answer, in texts that belong to no event."""
    with store.write() as tx:
        number = tx.execute(select(incidents.c.id)).scalars().first()
        assert number is not None
        move_incident(
            tx, number, IncidentMove.ACKNOWLEDGE, actor=ACTOR, why=f"{NAME} called {PHONE}"
        )
        tx.execute(update(incidents).where(incidents.c.id == number).values(title=f"`{MAIL}`"))
        pause_circuit(tx, "acme/leads/crm", why=f"until {MAIL} has answered", actor=ACTOR)
        steps = (Step(set="email", value=MAIL, reason=f"{NAME} said so"),)
        save_recipe(tx, Recipe(steps=steps, note=f"for {NAME}"), "acme", "leads", actor=ACTOR)
        body = {"body": base64.b64encode(f'[["{event_id}"], 3]'.encode()).decode()}
        for content in (json.dumps(body).encode(), f"what is {MAIL}?".encode()):
            letter = DeadLetter(
                queue="meshline", error=f"{MAIL} is not a message", body=content, headers="{}"
            )
            keep_dead_letter(tx, letter)
    with store.read() as tx:
        assert columns_with(store, [MAIL])


def planted_everywhere(store: Store) -> list[str]:
    """Events at their end that carried somebody's values, with traces all over the store."""
    publish_leads(store)
    broken = broken_event(store)
    selection = Selection(ids=(broken,))
    plan_replay(store, selection, catalog=CATALOG, actor=login(ACTOR))
    refused = refused_event(store)
    delivered = delivered_event(store, f"people/{MAIL}")
    plant_beside(store, broken)
    why = f"{NAME} <{MAIL}> asked for it"
    discard_events(store, Selection(ids=(broken, refused)), why=why, actor=login(ACTOR))
    return [broken, refused, delivered]


def erased(store: Store, ids: Sequence[str], **how: Any) -> list[str]:
    done = erase_events(store, Wanted(ids=tuple(ids)), why="asked", actor=login(ACTOR), **how)
    assert done.scrubbed
    return done.ids


def test_after_an_erasure_no_column_holds_what_the_events_carried(store: Store) -> None:
    ids = planted_everywhere(store)
    before = columns_with(store, PLANTED)
    assert {one.partition(".")[0] for one in before} >= {
        "events", "payloads", "deliveries", "quarantine", "incidents", "audit_values", "circuits",
        "recipes", "dead_letters",
    }  # fmt: skip
    assert not any(one.startswith("audit.") for one in before)

    assert erased(store, ids) == sorted(ids)

    assert columns_with(store, PLANTED) == []


def test_after_an_erasure_the_files_hold_nothing_either(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store, closing(open_store(url)) as others:
        with others.read() as tx:
            tx.execute(select(events.c.id)).all()
        ids = planted_everywhere(store)
        assert files_with(store, PLANTED)

        erased(store, ids)

        assert files_with(store, PLANTED) == []


def test_where_others_read_the_log_on_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.operations.erase_events._PATIENCE_SECONDS", 0.0)
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store, closing(open_store(url)) as others:
        ids = planted_everywhere(store)
        with others.read() as tx:
            tx.execute(select(events.c.id)).all()
            done = erase_events(store, Wanted(ids=tuple(ids)), why="asked", actor=login(ACTOR))
            assert not done.scrubbed

        again = erase_events(store, Wanted(ids=tuple(ids)), why="asked", actor=login(ACTOR))

        assert again.scrubbed
        assert files_with(store, PLANTED) == []


def test_what_counts_the_events_stays(store: Store) -> None:
    ids = planted_everywhere(store)

    erased(store, ids)

    with store.read() as tx:
        shown = [show_event(tx, one, with_payload=True) for one in ids]
        rows = list_audit(tx, action="erase")
        assert look_at_audit(tx).faults == ()
    for event in shown:
        assert event is not None
        assert event.erased_at and event.content and event.content.payload is None
        assert event.history[0].action == "accept"
        assert event.history[-1].action == "erase"
    assert [one.state for one in shown if one] == ["discarded", "discarded", "delivered"]
    given_up = [row for row in shown[0].history if row.action == "discard"]  # type: ignore[union-attr]
    assert detail_of(given_up[0])["why"].startswith("(erased on 20")
    assert {row.actor for row in rows} == {ACTOR}
    assert detail_of(rows[0]) | {"from": "", "to": ""} == {
        "events": 3, "from": "", "to": "", "why": "asked",
    }  # fmt: skip


def test_a_reason_that_names_the_person_is_kept_without_the_name(store: Store) -> None:
    ids = planted_everywhere(store)

    erase_events(store, Wanted(ids=tuple(ids)), why=f"{MAIL} asked", actor=login(ACTOR))

    assert columns_with(store, PLANTED) == []


def test_a_repeat_of_an_erased_key_is_a_duplicate_whatever_it_carries(store: Store) -> None:
    ids = planted_everywhere(store)
    erased(store, ids)

    again = accept_batch(
        store,
        [person(1), person(2, tier="enterprise"), lead(7, key="another")],
        actor="key:test",
    )

    assert [one.duplicate for one in again] == [True, True, False]
    assert [one.id for one in again[:2]] == [ids[1], ids[2]]
    assert columns_with(store, PLANTED) == []


def test_keys_of_other_events_conflict_as_before(store: Store) -> None:
    ids = planted_everywhere(store)
    kept = person(9, "kept")
    accepted(store, kept)
    erased(store, ids)

    with pytest.raises(RefusedAt, match="another payload"):
        accept_batch(store, [person(9, "kept", tier="enterprise")], actor="key:test")
    assert accept_batch(store, [kept], actor="key:test")[0].duplicate


def test_the_same_key_of_another_client_is_another(store: Store) -> None:
    ids = planted_everywhere(store)
    publish_leads(store, TEXT.replace("client: acme", "client: globex"))
    erased(store, ids)

    (one,) = accept_batch(store, [lead(1, key="order-of-ada-1", client="globex")], actor="key:test")

    assert not one.duplicate


def test_a_second_time_it_says_since_when(store: Store) -> None:
    ids = planted_everywhere(store)
    erased(store, ids)

    again = erase_events(store, Wanted(ids=tuple(ids)), why="asked", actor=login(ACTOR))

    assert again.ids == []
    assert sorted(str(one.id) for one in again.already) == sorted(ids)
    assert all(one.erased_at for one in again.already)


def test_a_run_that_is_cut_off_is_gone_on_with(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_leads(store)
    accepted(store, *(person(number) for number in range(5)))
    ids = dispatched(store, Confirmed(record_id="r-1"))
    monkeypatch.setattr("orchestrator.operations.erase_events._CHUNK", 2)

    class CutOffError(Exception):
        pass

    def cut_off(done: int) -> None:
        if done == 4:
            raise CutOffError

    with pytest.raises(CutOffError):
        erase_events(store, Wanted(ids=tuple(ids)), why="x", actor=login(ACTOR), tell=cut_off)
    rest = erase_events(store, Wanted(ids=tuple(ids)), why="x", actor=login(ACTOR))

    assert (len(rest.already), len(rest.ids)) == (4, 1)
    assert columns_with(store, PLANTED) == []


def test_a_dry_run_says_what_would_be_erased_and_changes_nothing(store: Store) -> None:
    ids = planted_everywhere(store)
    before = columns_with(store, PLANTED)

    done = erase_events(store, Wanted(ids=tuple(ids)), why="", actor=login(ACTOR), dry_run=True)

    assert done.ids == sorted(ids)
    assert columns_with(store, PLANTED) == before


def test_an_event_on_its_way_is_refused_unless_it_is_given_up(store: Store) -> None:
    publish_leads(store)
    (under_way,) = accepted(store, person(1))
    (group,) = claim_groups(store)
    drive_to_routed(store, group)

    refused = erase_events(store, Wanted(ids=(under_way,)), why="asked", actor=login(ACTOR))
    assert refused.ids == []
    assert "--discard" in str(refused.refused[0].detail)
    assert erased(store, [under_way], discard=True) == [under_way]

    with store.read() as tx:
        event = show_event(tx, under_way)
    assert event is not None
    assert event.state == "discarded"
    assert {one.state for one in event.deliveries} == {"failed"}
    assert columns_with(store, PLANTED) == []
    with store.write() as tx:
        late = take_deliveries(tx, group.ids, epoch=group.epoch, run_id="late", run_seconds=60)
    assert late == []


def test_while_a_call_is_out_not_even_giving_up_erases(store: Store) -> None:
    publish_leads(store)
    (calling,) = accepted(store, person(1))
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        take_deliveries(tx, group.ids, epoch=group.epoch, run_id="r", run_seconds=60)

    done = erase_events(store, Wanted(ids=(calling,)), why="x", actor=login(ACTOR), discard=True)
    assert "a call of it is out" in str(done.refused[0].detail)

    with store.write() as tx:
        tx.execute(update(deliveries).values(run_until=after(-1)))
    assert erased(store, [calling], discard=True) == [calling]


def test_an_event_in_quarantine_is_given_up_and_leaves_it(store: Store) -> None:
    publish_leads(store)
    broken = broken_event(store)

    assert erase_events(store, Wanted(ids=(broken,)), why="x", actor=login(ACTOR)).refused
    assert erased(store, [broken], discard=True) == [broken]

    with store.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM quarantine_words")).scalar_one() == 0
        stays = text("SELECT count(*) FROM quarantine WHERE released_at IS NULL")
        assert tx.execute(stays).scalar_one() == 0
    again = replay_events(store, Selection(ids=(broken,)), actor=login(ACTOR))
    assert again.events == []


def test_a_records_address_stays_unless_it_repeats_what_was_sent(store: Store) -> None:
    publish_leads(store)
    plain, telling = (
        Seen(url=f"https://crm.example/contacts/{one}")
        for one in ("0815", MAIL.replace("@", "%40"))
    )
    (first,) = accepted(store, person(4))
    dispatched(store, Confirmed(record_id="0815", seen=plain))
    (second,) = accepted(store, person(5))
    dispatched(store, Confirmed(record_id="0816", seen=telling))

    erased(store, [first, second])

    with store.read() as tx:
        rows = tx.execute(select(deliveries.c.event_id, deliveries.c.record_url)).all()
    assert {row.event_id: row.record_url for row in rows} == {first: plain.url, second: None}


def test_a_record_id_stays_unless_it_repeats_what_was_sent(store: Store) -> None:
    publish_leads(store)
    named = delivered_event(store, f"people/{MAIL}")
    numbered = accepted(store, person(5))[0]
    dispatched(store, Confirmed(record_id="crm-0815"))

    erased(store, [named, numbered])

    with store.read() as tx:
        rows = {
            row.event_id: row.record_id
            for row in tx.execute(select(deliveries.c.event_id, deliveries.c.record_id))
        }
    assert rows == {named: None, numbered: "crm-0815"}


@pytest.mark.parametrize(
    ("path", "value"),
    [("email", MAIL), ("email", f" {MAIL.upper()} "), ("/email", MAIL), ("*", MAIL)],
)
def test_events_are_found_by_what_a_payload_says(store: Store, path: str, value: str) -> None:
    publish_leads(store)
    mine = accepted(store, person(1), person(2), lead(3, key="another"))[:2]
    dispatched(store, Confirmed(record_id="r-1"))

    done = erase_events(
        store, Wanted(client="acme", path=path, value=value), why="asked", actor=login(ACTOR)
    )

    assert done.ids == sorted(mine)
    with store.read() as tx:
        assert len(tx.execute(select(payloads.c.event_id)).all()) == 1


def test_an_amended_payload_is_found_too(store: Store) -> None:
    publish_leads(store)
    broken = broken_event(store)

    wanted = Wanted(client="acme", path="email", value=f"new.{MAIL}")
    done = erase_events(store, wanted, why="asked", actor=login(ACTOR), discard=True)

    assert done.ids == [broken]


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        (Wanted(client="acme", path="email", value="nobody@example.com"), NotFound),
        (Wanted(client="globex", path="email", value=MAIL), Refused),
        (Wanted(client="acme", path="email"), Refused),
        (Wanted(), Refused),
        (Wanted(ids=("0" * 32,)), NotFound),
    ],
)
def test_what_finds_nothing_says_so(store: Store, wanted: Wanted, error: type[Exception]) -> None:
    publish_leads(store)
    accepted(store, person(1))

    with pytest.raises(error):
        erase_events(store, wanted, why="asked", actor=login(ACTOR))


def test_without_a_reason_nothing_is_erased(store: Store) -> None:
    with pytest.raises(Refused, match="reason"):
        erase_events(store, Wanted(ids=("x",)), why=" ", actor=login(ACTOR))


def test_what_others_carried_stays(store: Store) -> None:
    ids = planted_everywhere(store)
    (other,) = accepted(store, person(8, email=OTHER_MAIL))
    dispatched(store, Failed(error=f"503: {OTHER_MAIL}", permanent=False, blame=Blame.CALL))
    erased(store, ids)

    found = columns_with(store, [OTHER_MAIL])
    assert {one.partition(":")[0] for one in found} >= {"payloads.body", "deliveries.send"}
    with store.read() as tx:
        kept = select(events.c.idempotency_key).where(events.c.id == other)
        assert tx.execute(kept).scalar_one() == "order-of-ada-8"


def test_acknowledging_is_told_without_the_struck_words(store: Store) -> None:
    ids = planted_everywhere(store)
    erased(store, ids)

    with store.read() as tx:
        (row,) = list_audit(tx, action="acknowledge_incident")
    assert detail_of(row)["why"].startswith("(erased on 20")
