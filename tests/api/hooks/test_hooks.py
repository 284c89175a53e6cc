"""A source's request is proven, committed, and only then answered; nothing of it is lost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.operations.erase_events import Wanted, erase_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, events, hook_requests, workflow_versions
from orchestrator.store.quarantine.workflows import kept_version
from orchestrator.store.views.events.show import EventView, RequestOfSource, show_event
from orchestrator.store.views.incidents.list import Sought, list_incidents
from orchestrator.store.views.quarantine.selection import Selection
from tests.api.doors import LEAD, RunningDoor, open_door, problem
from tests.hooks import REQUESTS, SECRET, source_text
from tests.leads import TEXT, publish_leads

ME = login("cli:tester")


def signed(body: bytes) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json", "x-signature": f"sha256={digest}"}


def send(door: RunningDoor, source: str = "leads", **fields: object) -> httpx.Response:
    """One signed request of a lead, whose fields are its own type and id."""
    body = json.dumps({"type": "lead.created", "id": "1", **LEAD, **fields}).encode()
    return door.ask("POST", f"/v1/hooks/{source}", content=body, headers=signed(body))


def replay_saved(door: RunningDoor, name: str, **headers: str) -> httpx.Response:
    head, _, body = (REQUESTS / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    said = dict(one.split(": ", 1) for one in rest if not one.startswith(("Host", "Content-L")))
    return door.ask("POST", line.split(" ")[1], content=body, headers={**said, **headers})


def shown(store: Store, event_id: str) -> EventView:
    with store.read() as tx:
        event = show_event(tx, event_id, with_payload=True)
    assert event is not None
    return event


def kept(store: Store, event_id: str) -> tuple[str, str | None, str, dict[str, str], bytes | None]:
    table = hook_requests.c
    with store.read() as tx:
        row = tx.execute(select(hook_requests).where(table.event_id == event_id)).one()
    body = None if row.body is None else bytes(row.body)
    return row.source, row.type, row.verified_by, json.loads(row.headers), body


def test_a_proven_request_is_an_event_of_the_workflow_that_takes_its_type(
    hooked: RunningDoor, store: Store
) -> None:
    answer = send(hooked)

    assert answer.status_code == 202
    event = shown(store, answer.json()["id"])
    assert (event.client, event.workflow, event.state) == ("acme", "leads", "accepted")
    assert (event.idempotency_key, event.history[0].actor) == ("leads:1", "source:leads")
    assert event.request == RequestOfSource(
        source="leads", type="lead.created", verified_by="hmac-sha256, secret 1", kept=True
    )
    source, type_, by, headers, body = kept(store, event.id)
    assert (source, type_, by) == ("leads", "lead.created", "hmac-sha256, secret 1")
    assert {*headers} == {"content-type", "user-agent", "x-signature"}
    assert event.content and json.loads(body or b"") == event.content.payload


def test_its_event_is_kept_in_the_trace_of_the_request(hooked: RunningDoor, store: Store) -> None:
    body = json.dumps({"type": "lead.created", "id": "1", **LEAD}).encode()
    traced = signed(body) | {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}

    answer = hooked.ask("POST", "/v1/hooks/leads", content=body, headers=traced)

    trace = shown(store, answer.json()["id"]).trace
    assert trace is not None and (trace.trace_id, trace.parent_id) == ("a" * 32, "b" * 16)
    headers = kept(store, answer.json()["id"])[3]
    assert "traceparent" not in headers  # what is not signed is not kept as the vendor's


def test_the_same_request_again_is_the_same_event(hooked: RunningDoor) -> None:
    first, again = send(hooked), send(hooked)

    assert again.json() == {"id": first.json()["id"], "duplicate": True}


def test_a_type_that_no_workflow_takes_is_kept_in_quarantine_under_the_sources_owners(
    hooked: RunningDoor, store: Store
) -> None:
    answer = send(hooked, type="order.paid", id="2")
    again = send(hooked, type="order.paid", id="2")

    assert (answer.status_code, again.json()["duplicate"]) == (202, True)
    event = shown(store, answer.json()["id"])
    assert (event.state, event.reason, event.workflow) == (
        "quarantined",
        "no_workflow",
        "leads-unclaimed",
    )
    assert event.quarantine is not None
    assert event.quarantine.owner == "ops@acme.example"
    assert event.quarantine.recovery_lead == "triage@acme.example"
    assert event.detail == "no live workflow of client 'acme' takes 'order.paid'"
    with store.read() as tx:
        (incident,) = list_incidents(tx, Sought())
        live = tx.execute(
            select(workflow_versions.c.live).where(workflow_versions.c.name == "leads-unclaimed")
        ).scalars()
        never = kept_version(tx, "acme", "leads-unclaimed", 1)
    assert (incident.reason, incident.events) == ("no_workflow", 1)
    assert ([*live], never) == ([False], None)  # and no rollback makes it live


def test_a_request_without_a_type_is_kept_too(hooked: RunningDoor, store: Store) -> None:
    event = shown(store, send(hooked, type=None).json()["id"])

    assert (event.reason, event.detail) == ("no_workflow", "the request does not say a type")


def test_what_no_workflow_took_goes_by_a_replay_to_the_one_that_takes_it_now(
    hooked: RunningDoor, store: Store
) -> None:
    event_id = send(hooked, type="call.made").json()["id"]
    chosen = Selection(ids=(event_id,))
    before = replay_events(store, chosen, actor=ME)
    publish_leads(store, TEXT.replace("leads", "calls").replace("lead.created", "call.made"))
    looked = replay_events(store, chosen, actor=ME, dry_run=True, anyway=True)
    stays = shown(store, event_id)
    after = replay_events(store, chosen, actor=ME, anyway=True)

    assert [(one.reason, one.detail) for one in before.left_out] == [
        ("no_workflow", "no live workflow takes 'call.made'")
    ]
    assert [one.workflow for one in looked.events] == ["calls"]
    assert (stays.state, stays.workflow) == ("quarantined", "leads-unclaimed")
    assert [one.workflow for one in after.events] == ["calls"]
    event = shown(store, event_id)
    assert (event.state, event.workflow, event.type) == ("accepted", "calls", "call.made")
    assert send(hooked, type="call.made").json() == {"id": event_id, "duplicate": True}


def test_a_plan_sends_them_there_too_and_leaves_out_what_still_nobody_takes(
    hooked: RunningDoor, store: Store
) -> None:
    known = send(hooked, type="call.made").json()["id"]
    unknown = send(hooked, type="order.paid", id="2").json()["id"]
    calls = TEXT.replace("leads", "calls").replace("lead.created", "call.made")
    publish_leads(store, calls.replace("additionalProperties: false", "additionalProperties: true"))

    chosen = Selection(ids=(known, unknown))
    plan = plan_replay(store, chosen, catalog=catalog(load_connectors(None)), actor=ME)
    ran = run_plan(store, plan.token, actor=ME)

    assert [(one.id, one.reason) for one in plan.left_out] == [(unknown, "no_workflow")]
    assert (ran.replayed, shown(store, known).workflow) == (1, "calls")
    assert shown(store, unknown).state == "quarantined"


def test_a_key_that_the_workflow_knows_already_is_left_out_and_not_doubled(
    hooked: RunningDoor, store: Store
) -> None:
    before = send(hooked, type="call.made").json()["id"]
    publish_leads(store, TEXT.replace("leads", "calls").replace("lead.created", "call.made"))
    after = send(hooked, type="call.made").json()["id"]

    replayed = replay_events(store, Selection(ids=(before,)), actor=ME, anyway=True)

    assert before != after
    assert [(one.id, one.reason) for one in replayed.left_out] == [
        (before, "conflicting_duplicate")
    ]
    assert shown(store, before).state == "quarantined"


def test_the_same_key_with_another_payload_is_kept_in_quarantine_and_never_refused(
    hooked: RunningDoor, store: Store
) -> None:
    first = send(hooked).json()["id"]
    other = send(hooked, tier="starter")
    again = send(hooked, tier="starter")
    third = send(hooked, tier="enterprise")

    assert other.status_code == 202
    assert again.json() == {"id": other.json()["id"], "duplicate": True}
    assert len({first, other.json()["id"], third.json()["id"]}) == 3
    event = shown(store, other.json()["id"])
    assert (event.state, event.reason) == ("quarantined", "conflicting_duplicate")
    assert event.workflow == "leads"
    assert first in (event.detail or "")
    assert shown(store, first).state == "accepted"

    replayed = replay_events(store, Selection(ids=(event.id,)), actor=ME, anyway=True)
    assert [one.id for one in replayed.events] == [event.id]


def test_a_bad_signature_is_refused_and_nothing_is_kept(hooked: RunningDoor, store: Store) -> None:
    body = json.dumps({"type": "lead.created", **LEAD}).encode()

    answer = hooked.ask("POST", "/v1/hooks/leads", content=body, headers=signed(body + b" "))
    unsigned = hooked.ask("POST", "/v1/hooks/leads", content=body)

    problem(answer, 401, "signature_refused")
    problem(unsigned, 401, "signature_refused")
    with store.read() as tx:
        assert tx.execute(select(events.c.id)).all() == []
        assert list_incidents(tx, Sought()) == []


def test_bad_signatures_where_good_ones_passed_are_one_incident_of_the_day(
    hooked: RunningDoor, store: Store
) -> None:
    send(hooked)
    body = b"{}"
    for _ in range(3):
        hooked.ask("POST", "/v1/hooks/leads", content=body, headers=signed(b"other"))
        hooked.ask("POST", "/v1/hooks/hmac", content=body, headers=signed(b"other"))

    with store.read() as tx:
        (incident,) = list_incidents(tx, Sought())
    assert (incident.reason, incident.kind) == ("bad_signatures", "contract")
    assert incident.title.endswith("was the secret rotated?")
    assert (incident.owner, incident.workflow) == ("triage@acme.example", "leads-unclaimed")


def test_a_source_without_its_secret_is_closed_and_never_open(
    hooked: RunningDoor, store: Store, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = send(hooked, source="closed")

    assert answer.headers["retry-after"] == "60"
    assert "NOT_THERE" not in problem(answer, 503, "source_closed")["detail"]
    problem(send(hooked, source="nobody"), 404, "not_found")
    with store.read() as tx:
        assert tx.execute(select(events.c.id)).all() == []
    assert sources.is_dir()


def test_a_secret_never_stays_with_an_event(hooked: RunningDoor, store: Store) -> None:
    for name in ("basic", "secret-path", "gitlab"):
        event_id = replay_saved(hooked, name, cookie=f"a={SECRET}").json()["id"]
        assert SECRET not in str(kept(store, event_id))
        assert SECRET not in str(shown(store, event_id))
    with store.read() as tx:
        assert SECRET not in str(tx.execute(select(audit)).all())


def test_a_handshake_is_answered_and_is_no_event(hooked: RunningDoor, store: Store) -> None:
    body = b'{"type":"url_verification","challenge":"3eZbrw1a"}'
    now = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-slack-signature": f"v0={digest}", "x-slack-request-timestamp": now}

    answer = hooked.ask("POST", "/v1/hooks/slack", content=body, headers=headers)
    unproven = hooked.ask("POST", "/v1/hooks/slack", content=body)

    assert (answer.status_code, answer.text) == (200, "3eZbrw1a")
    problem(unproven, 401, "signature_refused")
    with store.read() as tx:
        assert tx.execute(select(events.c.id)).all() == []


def test_each_saved_request_whose_time_does_not_count_is_taken(
    hooked: RunningDoor, store: Store
) -> None:
    for name in ("github", "gitlab", "hmac", "basic", "secret-path"):
        answer = replay_saved(hooked, name)
        assert answer.status_code == 202, answer.text
        assert shown(store, answer.json()["id"]).reason == "no_workflow"


def test_twilio_gets_the_document_that_it_reads(hooked: RunningDoor, store: Store) -> None:
    answer = replay_saved(hooked, "twilio")

    assert (answer.status_code, answer.text) == (200, "<Response/>")
    assert answer.headers["content-type"].startswith("text/xml")
    with store.read() as tx:
        (type_,) = tx.execute(select(hook_requests.c.type)).scalars()
    assert type_ == "twilio.message"


def test_an_array_is_committed_whole_and_answered_for_each_event(
    hooked: RunningDoor, store: Store
) -> None:
    body = (REQUESTS / "hubspot.http").read_bytes().partition(b"\r\n\r\n")[2]
    now = str(int(time.time() * 1000))
    text = b"POSThttps://hooks.acme.example/v1/hooks/hubspot" + body + now.encode()
    digest = base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
    headers = {"x-hubspot-signature-v3": digest, "x-hubspot-request-timestamp": now}

    answer = hooked.ask("POST", "/v1/hooks/hubspot", content=body, headers=headers)

    found = answer.json()["events"]
    assert [one["duplicate"] for one in found] == [False, False]
    assert kept(store, found[0]["id"])[4] is None
    assert shown(store, found[1]["id"]).reason == "no_workflow"


def test_a_request_without_an_event_counts_in_the_rate(store: Store, sources: Path) -> None:
    for name in ("hubspot", "slack"):
        limits = "limits: {rate: {calls: 2, per: 1h}}\n"
        (sources / f"{name}.yaml").write_text(source_text(name, more=limits))
    asked = b'{"type":"url_verification","challenge":"3eZbrw1a"}'
    now = int(time.time())
    vendors = (
        ("hubspot", b"[]", _hubspot(b"[]", str(now * 1000))),
        ("slack", asked, _slack(asked, str(now))),
    )

    with open_door(store, Settings(stop_seconds=5, sources=sources)) as door:
        for name, body, said in vendors:
            answers = [
                door.ask("POST", f"/v1/hooks/{name}", content=body, headers=said).status_code
                for _ in range(3)
            ]
            assert [one < 300 for one in answers] == [True, True, False], name
            assert answers[2] == 429


def _hubspot(body: bytes, now: str) -> dict[str, str]:
    text = b"POSThttps://hooks.acme.example/v1/hooks/hubspot" + body + now.encode()
    digest = base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
    return {"x-hubspot-signature-v3": digest, "x-hubspot-request-timestamp": now}


def _slack(body: bytes, now: str) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), f"v0:{now}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-signature": f"v0={digest}", "x-slack-request-timestamp": now}


def test_an_erased_event_leaves_nothing_of_its_request(hooked: RunningDoor, store: Store) -> None:
    event_id = send(hooked).json()["id"]

    erase_events(store, Wanted(ids=(event_id,)), discard=True, why="asked for", actor=ME)

    assert kept(store, event_id)[3:] == ({}, None)


def test_bodies_are_bounded(hooked: RunningDoor) -> None:
    deep = b"[" * 100 + b"]" * 100
    large = b'"' + b"x" * 1_100_000 + b'"'

    problem(
        hooked.ask("POST", "/v1/hooks/leads", content=deep, headers=signed(deep)),
        400,
        "invalid_json",
    )
    problem(
        hooked.ask("POST", "/v1/hooks/leads", content=large, headers=signed(large)),
        413,
        "payload_too_large",
    )


def test_a_long_body_is_read_aside_and_taken(hooked: RunningDoor) -> None:
    assert send(hooked, message="x" * 100_000).status_code == 202
