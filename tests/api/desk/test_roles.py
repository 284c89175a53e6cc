"""Every route, asked by every role, for its own client and for another's: as the tables say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from orchestrator.api.desk.routes import Route
from orchestrator.api.desk.table import ROUTES
from orchestrator.domain.access.roles import EVERY_CLIENT, Role, includes
from orchestrator.domain.acts import ACTS, Scope
from tests.api.desk.stories import SOMEBODY, Desk, open_desk
from tests.api.doors import LEAD
from tests.leads import TEXT

LISTS = {route.name for route in ROUTES if route.name.startswith("list_")}
"""They answer whoever may view anything, with what that one may view."""

ASKED = [route for route in ROUTES if route.act is not None]


@pytest.mark.parametrize("where", ["own", "other"])
@pytest.mark.parametrize("role", list(Role))
def test_each_route_answers_a_role_as_the_table_says(
    role: Role, where: str, tmp_path: Path
) -> None:
    with open_desk(tmp_path) as desk:
        key = desk.key_of(role, "acme" if where == "own" else "globex")
        answers = {route.name: _status(ask(desk, route, key)) for route in ASKED}

    expected = {route.name: _expected(route, role, own=where == "own") for route in ASKED}
    assert answers == expected


@pytest.mark.parametrize("role", [Role.ADMIN, Role.STEWARD])
def test_who_has_a_role_for_every_client_may_do_what_concerns_all(
    role: Role, tmp_path: Path
) -> None:
    with open_desk(tmp_path) as desk:
        key = desk.key_of(role, EVERY_CLIENT)
        everywhere = [one for one in ASKED if one.act and ACTS[one.act].scope is Scope.EVERYWHERE]
        answers = {route.name: _status(ask(desk, route, key)) for route in everywhere}

    assert everywhere
    assert set(answers.values()) == {"done" if role is Role.ADMIN else "403"}


def test_without_a_key_nobody_gets_in(desk: Desk) -> None:
    for route in ASKED:
        answer = desk.door.ask(route.method, _path(desk, route), json=BODIES.get(route.name))
        assert answer.status_code == 401, route.name


def test_a_key_of_a_program_does_not_prove_who_acts(desk: Desk) -> None:
    from orchestrator.operations.access.keys import create_key

    key = create_key(
        desk.store, clients=[EVERY_CLIENT], label="robot", actor=desk.admin, role=Role.ADMIN
    )
    for route in ASKED:
        if route.act and ACTS[route.act].needs_proof and route.method == "POST":
            assert ask(desk, route, key).status_code == 403, route.name


def test_a_key_that_proves_who_acts_is_made_by_that_one_alone(desk: Desk) -> None:
    wanted = {"label": "t", "clients": ["acme"], "role": "operator"}
    operator = desk.key_of(Role.OPERATOR, "acme")

    def make(key: str | None, person: str) -> httpx.Response:
        headers = {} if key is None else desk.door.authorization(key)
        body = {**wanted, "person": person}
        return desk.door.ask("POST", "/v1/keys", json=body, headers=headers)

    admin = desk.door.key
    for person in ("operator@acme.example", "nobody@acme.example"):
        refused = make(admin, person)
        assert refused.status_code == 403
        assert refused.json()["detail"].startswith("only that person can make the key")

    made = make(operator, "operator@acme.example")
    assert made.status_code == 201
    assert made.json()["key"].startswith(f"mk_{made.json()['id']}_")


def _expected(route: Route, role: Role, *, own: bool) -> str:
    assert route.act is not None
    rule = ACTS[route.act]
    if rule.scope is Scope.EVERYWHERE:
        return "403"  # a role for one client is not one for all of them
    leasts = [rule.least, *([ACTS[route.or_act].least] if route.or_act else [])]
    permitted = any(includes(role, least) for least in leasts)
    if route.name in LISTS:
        return "done" if permitted else "403"
    if own and permitted and route.name != "break_glass":  # nobody here is the backstop
        return "done"
    if route.name == "send_events":  # it names the client, and learns nothing of it
        return "403"
    if route.name == "publish_workflow" and not permitted:  # before its file is read
        return "403"
    return "403" if own and includes(role, Role.VIEWER) else "404"


def _status(answer: httpx.Response) -> str:
    """`done` is also what another rule refuses, once the actor was found to be permitted."""
    code = answer.status_code
    assert code < 500, answer.text
    return str(code) if code in (401, 403, 404) else "done"


def ask(desk: Desk, route: Route, key: str) -> httpx.Response:
    body = BODIES.get(route.name)
    if body is not None and "selection" in body:
        event = desk.story.discarded if route.name == "restore_events" else desk.story.planned
        body = {**body, "selection": {"ids": [event]}}
    return desk.door.ask(
        route.method, _path(desk, route), json=body, headers=desk.door.authorization(key)
    )


def _path(desk: Desk, route: Route) -> str:
    """The address of the thing of acme's that the story has."""
    job = desk.story.stopped_job if route.name == "resume_job" else desk.story.job
    there = {
        "incidents": {"id": str(desk.incident)},
        "events": {"id": desk.quarantined},
        "plans": {"token": desk.story.plan},
        "jobs": {"id": str(job)},
        "destinations": {"name": "acme/leads/crm"},
        "workflows": {"client": "acme", "name": "leads"},
        "people": {"mail": SOMEBODY},
        "keys": {"id": desk.story.key},
        "changes": {"change": desk.story.change},
        "freezes": {"client": "acme"},
        "approvals": {"event": desk.story.asked},
        "approval-groups": {"group": desk.story.group},
    }.get(route.path.split("/")[2], {})
    return re.sub(r"\{([a-z]+)(?::circuit)?\}", lambda found: there[found[1]], route.path)


BODIES: Mapping[str, dict[str, object]] = {
    "send_events": {"type": "lead.created", "client": "acme", "data": LEAD},
    "acknowledge_incident": {},
    "assign_incident": {"owner": SOMEBODY},
    "resolve_incident": {"why": "a test"},
    "note_incident": {"why": "a test"},
    "replay_events": {"selection": {}, "dry_run": True},
    "discard_events": {"selection": {}, "dry_run": True},
    "restore_events": {"selection": {}, "dry_run": True},
    "fix_events": {
        "selection": {},
        "dry_run": True,
        "changes": [{"action": "set", "path": "tier", "value": "pro"}],
    },
    "make_plan": {"selection": {}},
    "run_plan": {},
    "stop_job": {},
    "resume_job": {},
    "pause_destination": {"why": "a test"},
    "resume_destination": {"why": "a test"},
    "publish_workflow": {"file": TEXT, "dry_run": True},
    "retire_workflow": {"why": "a test"},
    "rollback_workflow": {"why": "a test", "to": 1},
    "plan_outcomes": {"made_by": 1},
    "decide_change": {"decision": "approve"},
    "withdraw_change": {},
    "backtest_change": {"weeks": 1},
    "break_glass": {"why": "a test"},
    "stop_rollout": {"why": "a test"},
    "freeze_changes": {"until": "1d", "why": "a test", "dry_run": True},
    "thaw_changes": {"why": "a test"},
    "decide_event": {"decision": "approve"},
    "decide_events": {"decision": "approve"},
    "waive_gate": {"gate": "contract", "until": "3d", "why": "a test"},
    "add_person": {"mail": "new@acme.example", "name": "New"},
    "change_roles": {"give": [{"client": "acme", "role": "operator"}]},
    "disable_person": {},
    "enable_person": {},
    "invite_person": {},
    "create_key": {"label": "a test", "clients": ["acme"]},
    "rotate_key": {},
    "limit_key": {"rate_per_second": 50},
    "revoke_key": {},
}
