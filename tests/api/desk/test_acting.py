"""Acts over HTTP: what was seen is compared, lists go on, and wrong requests say which field."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx
import pytest

from orchestrator.domain.access.roles import Role
from tests.api.desk.stories import SOMEBODY, Desk
from tests.api.doors import problem
from tests.leads import TEXT, accept_leads
from tests.people import ADMIN


def get(desk: Desk, path: str, key: str | None = None) -> httpx.Response:
    return desk.door.get(path, key=key)


def post(
    desk: Desk, path: str, body: object = None, *, key: str | None = None, **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return desk.door.ask("POST", path, json=body, headers={**desk.door.authorization(key), **named})


def test_the_second_of_two_on_one_incident_is_told_who_and_when(desk: Desk) -> None:
    address = f"/v1/incidents/{desk.incident}"
    operator = desk.key_of(Role.OPERATOR, "acme")
    seen = get(desk, address).headers["etag"]

    first = post(desk, f"{address}/acknowledge", {}, key=operator, if_match=seen)
    second = post(desk, f"{address}/acknowledge", {}, if_match=seen)

    assert first.json()["ids"] == [desk.incident]
    told = problem(second, 412, "changed_since_seen")
    assert "operator@acme.example acknowledged it" in told["detail"]
    assert get(desk, address).json()["acknowledged_at"] is not None
    again = post(desk, f"{address}/acknowledge", {})  # without it, it is said all the same
    (before,) = again.json()["already"]
    assert before["by"].startswith("person:operator@acme.example")


@pytest.mark.parametrize(
    ("tags", "status"),
    [('"other", {}', 200), ("*", 200), ('"other"', 412), ('"other", "more"', 412)],
)
def test_one_of_several_tags_has_to_fit_or_any(desk: Desk, tags: str, status: int) -> None:
    address = f"/v1/incidents/{desk.incident}"
    seen = get(desk, address).headers["etag"]

    done = post(desk, f"{address}/resolve", {"why": "x"}, if_match=tags.format(seen))
    acted = post(desk, f"{address}/acknowledge", {}, if_match=tags.format(seen))

    assert acted.status_code == status
    assert done.json()["code"] == ("refused" if status == 200 else "changed_since_seen")


@pytest.mark.parametrize(
    ("address", "act", "body"),
    [
        ("/v1/destinations/acme/leads/crm", "pause", {"why": "a test"}),
        ("/v1/destinations/acme%2Fleads%2Fcrm", "resume", {"why": "a test"}),
        (f"/v1/people/{SOMEBODY}", "disable", {}),
        (f"/v1/people/{SOMEBODY}", "roles", {"give": [{"client": "acme", "role": "operator"}]}),
    ],
)
def test_an_act_on_what_has_changed_is_refused_and_changes_nothing(
    desk: Desk, address: str, act: str, body: dict[str, object]
) -> None:
    before = get(desk, address)

    refused = post(desk, f"{address}/{act}", body, if_match='"something-else"')

    problem(refused, 412, "changed_since_seen")
    assert get(desk, address).json() == before.json()
    assert post(desk, f"{address}/{act}", body, if_match=before.headers["etag"]).is_success


def test_a_plan_is_made_looked_at_and_run_as_a_job(desk: Desk) -> None:
    made = post(desk, "/v1/plans", {"selection": {"ids": [desk.story.planned]}})
    assert made.status_code == 201, made.text
    plan = get(desk, made.headers["location"])
    assert plan.json()["rows"][0]["id"] == desk.story.planned

    started = post(
        desk, f"{made.headers['location']}/run", {"why": "mended"}, if_match=plan.headers["etag"]
    )

    assert started.status_code == 202
    job = get(desk, started.headers["location"])
    assert (job.json()["id"], job.json()["state"]) == (started.json()["job"], "queued")
    stopped = post(desk, f"{started.headers['location']}/stop", {}, if_match=job.headers["etag"])
    assert stopped.json() == {"state": "stopped"}
    problem(post(desk, f"{started.headers['location']}/stop", {}), 409, "illegal_move")


def test_a_change_is_backtested_as_a_job_that_is_looked_at_and_stopped(desk: Desk) -> None:
    change = desk.story.change
    path = f"/v1/changes/{change}/backtest"

    far, begun = post(desk, path, {"weeks": 521}), post(desk, path, {"why": "before the meeting"})
    assert begun.status_code == 202, begun.text
    again, job = post(desk, path, {}), get(desk, begun.headers["location"])
    stopped = post(desk, f"{begun.headers['location']}/stop", {})

    problem(far, 422, "invalid_request")
    problem(again, 422, "refused")
    assert job.json()["id"] == begun.json()["job"]
    assert (job.json()["state"], job.json()["change"]) == ("queued", change)
    assert stopped.json() == {"state": "stopped"}


def test_a_dry_run_says_what_the_act_does_and_changes_nothing(desk: Desk) -> None:
    chosen = {"selection": {"ids": [desk.quarantined]}}
    before = get(desk, "/v1/quarantine").json()

    looked = post(desk, "/v1/quarantine/discard", {**chosen, "dry_run": True})

    assert get(desk, "/v1/quarantine").json() == before
    done = post(desk, "/v1/quarantine/discard", {**chosen, "why": "a test"})
    assert looked.json()["ids"] == done.json()["ids"] == [desk.quarantined]
    assert desk.quarantined not in [
        one["id"] for one in get(desk, "/v1/quarantine").json()["events"]
    ]


def test_an_act_that_needs_a_reason_is_refused_without_one(desk: Desk) -> None:
    chosen = {"selection": {"ids": [desk.quarantined]}}

    told = problem(post(desk, "/v1/quarantine/discard", chosen), 422, "refused")

    assert told["field"] == "why"


LISTS = {
    "/v1/events": "events",
    "/v1/quarantine": "events",
    "/v1/incidents": "incidents",
    "/v1/plans": "plans",
    "/v1/jobs": "jobs",
    "/v1/destinations": "destinations",
    "/v1/workflows": "workflows",
    "/v1/people": "people",
    "/v1/keys": "keys",
}


@pytest.mark.parametrize("address", LISTS)
def test_a_list_is_the_same_page_after_page(desk: Desk, address: str) -> None:
    accept_leads(desk.store, 2)
    whole = get(desk, f"{address}?limit=200").json()
    pages: list[Any] = []
    cursor = ""
    while len(pages) < 50:
        answer = get(desk, f"{address}?limit=1{cursor}").json()
        pages += answer[LISTS[address]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"

    assert pages == whole[LISTS[address]] != []
    assert whole["next"] is None


@pytest.mark.parametrize("amended", ["true", "false"])
def test_the_quarantine_is_narrowed_to_what_somebody_amended(desk: Desk, amended: str) -> None:
    found = get(desk, f"/v1/quarantine?amended={amended}").json()["events"]

    assert [one["amended"] for one in found] == [amended == "true"] * len(found) != []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/quarantine/replay", {"selection": {}, "dry-run": True}, "dry-run"),
        ("/v1/quarantine/replay", {"selection": {"clent": "acme"}}, "selection.clent"),
        ("/v1/quarantine/replay", {"selection": {}}, "selection"),
        ("/v1/quarantine/replay", {}, "selection"),
        ("/v1/plans", {"selection": {"ids": ["x"]}}, "selection.ids.0"),
        ("/v1/keys", {"label": "a\x00b", "clients": ["acme"]}, "label"),
        ("/v1/keys", {"label": "a", "clients": ["acme"], "seconds": 1}, "expires"),
        ("/v1/plans/a-plan/run", {"rate": 1e-300}, "rate"),
    ],
)
def test_a_wrong_body_is_refused_by_the_name_of_its_field(
    desk: Desk, path: str, body: object, field: str
) -> None:
    assert post(desk, path, body).json()["field"] == field
    assert post(desk, path, body).status_code == 422


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limt=1", "limt"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=WyJhIiw3XQ", "cursor"),
        ("state=gone", "state"),
    ],
)
def test_a_wrong_query_is_refused_by_the_name_of_its_parameter(
    desk: Desk, query: str, field: str
) -> None:
    answer = get(desk, f"/v1/incidents?{query}")

    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_a_body_that_is_not_json_or_too_large_is_refused(desk: Desk) -> None:
    headers = {**desk.door.authorization(), "content-type": "application/json"}

    def send(content: bytes, **more: str) -> httpx.Response:
        named = headers | {name.replace("_", "-"): value for name, value in more.items()}
        return desk.door.ask("POST", "/v1/plans", content=content, headers=named)

    problem(send(b"{"), 400, "invalid_json")
    problem(send(b'{"a": NaN}'), 400, "invalid_json")
    problem(send(b"[]"), 422, "invalid_request")
    problem(send(b" " * 5_000_000), 413, "payload_too_large")
    problem(send(b'{"selection": {"ids": [' + b"0," * 30_000 + b"0]}}"), 413, "payload_too_large")
    problem(send(b"{}", content_type="text/xml"), 415, "unsupported_content")
    problem(
        send(b"{}", content_type="application/json; charset=utf-16"), 415, "unsupported_content"
    )
    problem(send(b"{}", content_encoding="br"), 415, "unsupported_content")


def test_what_is_nobodys_name_is_not_found(desk: Desk) -> None:
    for path in (
        f"/v1/incidents/{'9' * 40}",
        "/v1/incidents/0",
        "/v1/jobs/x",
        "/v1/plans/%00",
        "/v1/people/nobody@acme.example",
        "/v1/destinations/acme/leads/%00",
        "/v1/workflows/acme/%F0%9F%98%80",
    ):
        assert get(desk, path).status_code == 404, path


def test_of_another_clients_people_and_events_nothing_is_shown(desk: Desk) -> None:
    accept_leads(desk.store, 1)
    other = desk.key_of(Role.VIEWER, "globex")

    for address, name in LISTS.items():
        if address == "/v1/keys":
            assert get(desk, address, other).status_code == 403
            continue
        assert "acme" not in get(desk, address, other).text.replace("@acme.example", ""), name


def test_a_key_of_a_program_that_only_sends_finds_nobody(desk: Desk) -> None:
    producer = desk.key_of(Role.PRODUCER, "acme")

    for mail in (ADMIN, SOMEBODY):  # the one has a role for every client
        problem(get(desk, f"/v1/people/{mail}", producer), 404, "not_found")


def test_a_file_that_nobody_may_publish_is_not_read(desk: Desk) -> None:
    for role in (Role.PRODUCER, Role.VIEWER):
        told = post(desk, "/v1/workflows", {"file": "a: ["}, key=desk.key_of(role, "acme"))
        problem(told, 403, "forbidden")


def test_a_rollout_is_proposed_looked_at_and_refused_over_http(desk: Desk) -> None:
    file = TEXT.replace("15m", "44m")
    steps = {"canary": "5%,100%", "each": "100ev,2h"}
    proposed = post(desk, "/v1/workflows", {"file": file, **steps}).json()
    assert proposed["state"] == "proposed"
    address = f"/v1/changes/{proposed['change']}"

    shown = get(desk, address).json()
    assert shown["rollout"] == "canary of 5%, 100%, each for 100 events and 2h"
    assert shown["figures"] is None
    told = get(desk, f"{address}/rollout").json()
    assert (told["code"], told["detail"][:17]) == ("illegal_move", "nothing of change")
    assert post(desk, f"{address}/stop", {"why": "no"}).json()["code"] == "illegal_move"
    wrong = post(desk, "/v1/workflows", {"file": file, "canary": "5", "each": "1ev"}).json()
    assert (wrong["field"], "is not a share" in wrong["detail"]) == ("canary", True)


def test_one_caller_does_not_keep_the_door_from_others(desk: Desk) -> None:
    viewer = desk.key_of(Role.VIEWER, "acme")
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: get(desk, "/v1/incidents", viewer), range(48)))
        other = get(desk, "/v1/incidents")

    assert {one.status_code for one in answers} <= {200, 429}
    assert other.status_code == 200


def test_who_gets_an_incident_and_may_not_see_it_is_named_in_the_answer(desk: Desk) -> None:
    address = f"/v1/incidents/{desk.incident}/assign"
    desk.key_of(Role.VIEWER, "globex")

    assert post(desk, address, {"owner": SOMEBODY}).json()["unseen"] == []
    told = post(desk, address, {"owner": "viewer@globex.example"}).json()
    assert (told["ids"], told["unseen"]) == ([desk.incident], [desk.incident])
    assert not told["owner_unknown"]
    assert post(desk, address, {"owner": "nobody@acme.example"}).json()["owner_unknown"]


def test_what_is_answered_and_refused_has_the_names_and_forms_of_http(desk: Desk) -> None:
    address = f"/v1/incidents/{desk.incident}"

    assigned = problem(post(desk, f"{address}/assign", {"owner": "nobody"}), 422, "refused")
    assert assigned["field"] == "owner"
    lasts = problem(post(desk, f"{address}/acknowledge", {"lasts": "for ever"}), 422, "refused")
    assert lasts["field"] == "lasts"
    pause = {"why": "a test", "until": "2h"}
    paused = post(desk, "/v1/destinations/acme/leads/crm/pause", pause).json()
    assert datetime.fromisoformat(paused["until"]).tzinfo is not None
