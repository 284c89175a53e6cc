"""CloudEvents come in structured, binary and batched, in 1.0 and 0.3."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.show import EventView, show_event
from tests.api.doors import LEAD, RunningDoor, leads_store, open_door, problem
from tests.conftest import SHARED
from tests.leads import TEXT, publish_leads

SAMPLES = SHARED / "inputs" / "cloudevents" / "yaml"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "type": "lead.created",
    "source": "/forms/contact",
    "id": "4321",
    "data": LEAD,
}
HEADERS = {f"ce-{name}": value for name, value in EVENT.items() if name != "data"}


@pytest.fixture(scope="module")
def leads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with leads_store(tmp_path_factory.mktemp("leads")) as store:
        yield store


@pytest.fixture(scope="module")
def door(leads: Store) -> Iterator[RunningDoor]:
    with open_door(leads) as opened:
        yield opened


def accepted(answer: httpx.Response, store: Store) -> EventView:
    """The stored event that an answer names."""
    assert answer.status_code == 202, answer.text
    with store.read() as tx:
        event = show_event(tx, answer.json()["id"], with_payload=True)
    assert event
    return event


def payload_of(event: EventView) -> object:
    """What it carries, as it came."""
    assert event.content
    return event.content.payload


@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_a_structured_event_is_accepted(door: RunningDoor, leads: Store, version: str) -> None:
    event = {**EVENT, "specversion": version, "id": f"structured-{version}"}

    stored = accepted(door.post(event, content_type=STRUCTURED), leads)

    assert stored.idempotency_key == f"/forms/contact structured-{version}"
    assert payload_of(stored) == LEAD


@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_a_binary_event_is_accepted(door: RunningDoor, leads: Store, version: str) -> None:
    headers = {**HEADERS, "ce-specversion": version, "ce-id": f"binary-{version}"}

    stored = accepted(door.post_raw(json.dumps(LEAD).encode(), **headers), leads)

    assert stored.idempotency_key == f"/forms/contact binary-{version}"
    assert payload_of(stored) == LEAD


@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_a_batch_of_events_is_accepted_in_order(
    door: RunningDoor, leads: Store, version: str
) -> None:
    events = [
        {**EVENT, "id": f"batch-{version}-{number}", "specversion": version} for number in (0, 1)
    ]

    answer = door.post(events, content_type=BATCH)

    assert answer.status_code == 202
    with leads.read() as tx:
        found = [show_event(tx, one["id"]) for one in answer.json()["events"]]
    assert [one and one.idempotency_key for one in found] == [
        f"/forms/contact batch-{version}-0",
        f"/forms/contact batch-{version}-1",
    ]


def test_source_and_id_together_tell_a_duplicate(door: RunningDoor) -> None:
    first = door.post({**EVENT, "id": "twice"}, content_type=STRUCTURED)
    again = door.post_raw(json.dumps(LEAD).encode(), **HEADERS | {"ce-id": "twice"})
    other = door.post({**EVENT, "id": "twice", "source": "/forms/b"}, content_type=STRUCTURED)

    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    assert other.json()["duplicate"] is False


def test_the_extension_client_names_the_client(door: RunningDoor) -> None:
    ours = door.post({**EVENT, "id": "ours", "client": "acme"}, content_type=STRUCTURED)
    theirs = door.post_raw(b"{}", **HEADERS, ce_client="globex")

    assert ours.status_code == 202
    assert problem(theirs, 403, "client_not_permitted")["field"] == "client"


def test_other_attributes_and_extensions_are_allowed(door: RunningDoor, leads: Store) -> None:
    more = {
        "id": "more",
        "time": "2018-04-05T17:31:00Z",
        "subject": "lead",
        "dataschema": "https://example.com/lead.json",
        "datacontenttype": "application/vnd.lead+json; charset=utf-8",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01",
        "sequence": 7,
    }

    assert (
        payload_of(accepted(door.post({**EVENT, **more}, content_type=STRUCTURED), leads)) == LEAD
    )


def test_a_null_attribute_is_as_good_as_none(door: RunningDoor) -> None:
    event = {**EVENT, "id": "nulls", "time": None, "client": None, "subject": None}

    assert door.post(event, content_type=STRUCTURED).status_code == 202


def test_headers_are_unquoted_and_percent_decoded(door: RunningDoor, leads: Store) -> None:
    plain = door.post_raw(b'{"n":1}', **HEADERS | {"ce-id": "caf%C3%A9%20%22x%22"})
    quoted = door.post_raw(b'{"n":1}', **HEADERS | {"ce-id": r'"caf%C3%A9%20\"x\""'})

    assert accepted(plain, leads).idempotency_key == '/forms/contact café "x"'
    assert quoted.json() == {"id": plain.json()["id"], "duplicate": True}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": None}, "specversion"),
        ({"specversion": "0.2"}, "specversion"),
        ({"specversion": 1.0}, "specversion"),
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"id": "a\tb"}, "id"),
        ({"id": "x" * 390}, "id"),
        ({"source": None}, "source"),
        ({"source": "/forms/the contact"}, "source"),
        ({"source": "/forms/\u2003"}, "source"),
        ({"type": None}, "type"),
        ({"type": "x" * 256}, "type"),
        ({"time": "yesterday"}, "time"),
        ({"time": "2018-04-05T17:31:00"}, "time"),
        ({"time": 12}, "time"),
        ({"subject": ""}, "subject"),
        ({"subject": ["x"]}, "subject"),
        ({"dataschema": 3}, "dataschema"),
        ({"datacontenttype": "text/plain"}, "datacontenttype"),
        ({"datacontenttype": 3}, "datacontenttype"),
        ({"datacontenttype": "json"}, "datacontenttype"),
        ({"datacontenttype": "application/json;charset"}, "datacontenttype"),
        ({"datacontenttype": ""}, "datacontenttype"),
        ({"specversion": "0.3", "data": "e30", "datacontentencoding": "base64"}, "data"),
        ({"specversion": "0.3", "data": "x", "datacontentencoding": "8bit"}, "datacontentencoding"),
        ({"specversion": "0.3", "data_base64": "e30="}, "data_base64"),
        ({"specversion": "0.3", "schemaurl": "a b"}, "schemaurl"),
        ({"time": "2018-04-05T17:31Z"}, "time"),
        ({"time": "20180405T173100Z"}, "time"),
        ({"source": "/forms/{id}"}, "source"),
        ({"source": "/caf\u00e9"}, "source"),
        ({"source": "/a%zz"}, "source"),
        ({"dataschema": "/lead.json"}, "dataschema"),
        ({"dataschema": ""}, "dataschema"),
        ({"dataschema": "https://example.com/lead.json#it"}, "dataschema"),
        ({"subject": "a\u0085b"}, "subject"),
        ({"subject": "a\ufffeb"}, "subject"),
        ({"id": "a\U0010ffffb"}, "id"),
        ({"sequence": 1.5}, "sequence"),
        ({"sequence": 7.0}, "sequence"),
        ({"sequence": 2**31}, "sequence"),
        ({"sequence": {"n": 7}}, "sequence"),
        ({"sequence": [7]}, "sequence"),
        ({"sequence": "a\nb"}, "sequence"),
        ({"": "x"}, ""),
        ({"Client": "acme"}, "Client"),
        ({"client": 3}, "client"),
        ({"some-extension": "x"}, "some-extension"),
    ],
)
def test_an_attribute_that_is_wrong_is_named(
    door: RunningDoor, change: dict[str, object], field: str
) -> None:
    answer = door.post({**EVENT, **change}, content_type=STRUCTURED)

    assert problem(answer, 422, "invalid_trigger")["field"] == field


def test_an_event_without_data_is_refused(door: RunningDoor) -> None:
    event = {name: value for name, value in EVENT.items() if name != "data"}

    answer = door.post(event, content_type=STRUCTURED)

    assert problem(answer, 422, "invalid_trigger")["field"] == "data"
    problem(door.post_raw(b"", **HEADERS), 400, "invalid_json")


def test_data_in_base64_is_decoded_where_it_is_said_to_be_json(
    door: RunningDoor, leads: Store
) -> None:
    whole = {name: value for name, value in EVENT.items() if name != "data"}
    packed = base64.b64encode(json.dumps(LEAD).encode()).decode()
    declared = {"datacontenttype": "application/json"}
    now = {**whole, **declared, "id": "b64", "data_base64": packed}
    then = {
        **whole,
        **declared,
        "id": "b64-03",
        "specversion": "0.3",
        "data": packed,
        "datacontentencoding": "Base64",
    }

    for event in (now, then):
        assert payload_of(accepted(door.post(event, content_type=STRUCTURED), leads)) == LEAD


@pytest.mark.parametrize(
    "change",
    [
        {"data_base64": "e30="},
        {"data_base64": "e30=", "datacontenttype": "text/plain"},
        {"data_base64": "e30", "datacontenttype": "application/json"},
        {"data_base64": "e3-_", "datacontenttype": "application/json"},
        {"data_base64": {}, "datacontenttype": "application/json"},
        {"data_base64": "e30=", "data": {}, "datacontenttype": "application/json"},
        {"data_base64": "e30=", "data": None, "datacontenttype": "application/json"},
    ],
)
def test_data_in_base64_is_refused_for_what_it_is(
    door: RunningDoor, change: dict[str, object]
) -> None:
    event = {name: value for name, value in EVENT.items() if name != "data"}

    answer = door.post({**event, **change}, content_type=STRUCTURED)

    document = problem(answer, 422, "invalid_trigger")
    assert document["field"] in ("data_base64", "datacontenttype")


def test_base64_of_what_is_no_strict_json_is_refused(door: RunningDoor) -> None:
    event = {**EVENT, "data_base64": base64.b64encode(b"NaN").decode()}
    event["datacontenttype"] = "application/json"
    del event["data"]

    problem(door.post(event, content_type=STRUCTURED), 400, "invalid_json")


@pytest.mark.parametrize(
    "change",
    [
        {"datacontenttype": "Model/GLTF+JSON; Charset=utf-8"},
        {"datacontenttype": 'application/json; x="a; b"'},
        {"time": "2018-04-05t17:31:00.123456789+01:00"},
        {"source": "1-555-123-4567"},
        {"source": "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"},
        {"id": "with a space"},
        {"yes": True, "least": -(2**31), "most": 2**31 - 1, "a": "", "012345678901234567890": "x"},
        {"datacontentencoding": "base64"},
        {"specversion": "0.3", "datacontentencoding": "base64"},
        {"specversion": "0.3", "schemaurl": "/lead.json", "more": {"any": [1.5]}},
    ],
)
def test_what_the_standard_allows_is_taken(
    door: RunningDoor, change: dict[str, object], request: pytest.FixtureRequest
) -> None:
    event = {**EVENT, "id": request.node.name, **change}

    assert door.post(event, content_type=STRUCTURED).status_code == 202


def test_the_events_of_a_batch_are_of_one_version(door: RunningDoor) -> None:
    events = [{**EVENT, "id": f"mixed-{one}", "specversion": one} for one in ("1.0", "0.3")]

    document = problem(door.post(events, content_type=BATCH), 422, "invalid_trigger")

    assert (document["index"], document["field"]) == (1, "specversion")


def test_a_batch_of_events_may_be_empty(door: RunningDoor) -> None:
    answer = door.post([], content_type=BATCH)

    assert (answer.status_code, answer.json()) == (202, {"events": []})


def test_the_bad_one_of_a_batch_is_named_by_its_place(door: RunningDoor) -> None:
    answer = door.post([EVENT, {**EVENT, "source": ""}], content_type=BATCH)

    document = problem(answer, 422, "invalid_trigger")
    assert (document["index"], document["field"]) == (1, "source")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ([("ce-specversion", "2.0")], "specversion"),
        ([("ce-id", "%FF")], "ce-id"),
        ([("ce-id", "café".encode())], "ce-id"),
        ([("ce-id", "1"), ("ce-id", "2")], "ce-id"),
        ([("ce-client", "")], "client"),
        ([("ce-id", "100%")], "ce-id"),
        ([("ce-id", "%C0%A0")], "ce-id"),
        ([("ce-id", "a%0Ab")], "id"),
        ([("ce-datacontenttype", "application/json")], "ce-datacontenttype"),
        ([("ce-data", "x")], "data"),
        ([("ce-", "x")], ""),
        ([("ce-some-extension", "x")], "some-extension"),
        ([("ce-specversion", "0.3"), ("ce-datacontentencoding", "base64")], "datacontentencoding"),
    ],
)
def test_a_header_that_is_wrong_is_named(
    door: RunningDoor, change: list[tuple[str, Any]], field: str
) -> None:
    changed = {name for name, _ in change}
    headers = [(name, value) for name, value in HEADERS.items() if name not in changed]
    every = [*headers, *change, *door.authorization().items()]

    answer = door.ask("POST", "/v1/events", content=b"{}", headers=every)

    assert problem(answer, 422, "invalid_trigger")["field"] == field


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),  # the binding's own example
        ("Euro%20%e2%82%ac", "Euro €"),
        ("%41%2d", "A-"),
        ("a%2541", "a%41"),
        ('"a b"', "a b"),
        (r'"a\\b%20c"', r"a\b c"),
        ('a"b', 'a"b'),
        ("(a)", "(a)"),
        ("a, b", "a, b"),
    ],
)
def test_a_header_is_unquoted_and_decoded_once(
    door: RunningDoor, leads: Store, text: str, id_: str
) -> None:
    answer = door.post_raw(b'{"n":2}', **HEADERS | {"ce-id": text, "ce-source": "/decoded"})

    assert accepted(answer, leads).idempotency_key == f"/decoded {id_}"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/cloudevents+json", 202),
        ('Application/CloudEvents+JSON ; Charset="UTF-8"', 202),
        ("application/cloudevents+json; charset=us-ascii; v=1", 202),
        ("application/cloudevents+json; charset=iso-8859-1", 415),
        ("application/cloudevents", 415),
        ("application/cloudevents+xml", 415),
        ("application/cloudevents+avro", 415),
    ],
)
def test_structured_mode_is_told_by_the_content_type(
    door: RunningDoor, content_type: str, status: int
) -> None:
    """Its headers may repeat the attributes, and those of the body count."""
    body = json.dumps({**EVENT, "id": content_type}).encode()
    headers = HEADERS | {"ce-id": "another", "ce-type": "lead.another"}

    answer = door.post_raw(body, content_type=content_type, **headers)

    assert answer.status_code == status, answer.text


def test_binary_mode_needs_no_content_type_and_takes_one_only_once(door: RunningDoor) -> None:
    headers = [*HEADERS.items(), ("CE-Subject", "x"), *door.authorization().items()]
    plain = door.ask("POST", "/v1/events", content=b'{"n":3}', headers=headers)
    kinds = [("Content-Type", "application/json"), ("content-type", "text/plain")]
    twice = door.ask("POST", "/v1/events", content=b'{"n":3}', headers=[*headers, *kinds])

    assert plain.status_code in (202, 409), plain.text
    assert "content-type comes twice" in problem(twice, 400, "invalid_http")["detail"]


def test_strict_json_holds_for_events_too(door: RunningDoor) -> None:
    body = json.dumps(EVENT).encode()
    doubled = body.replace(b'"id":', b'"id": "1", "id":')

    problem(door.post_raw(doubled, content_type=STRUCTURED), 400, "invalid_json")
    problem(door.post_raw(b'{"tier": NaN}', **HEADERS), 400, "invalid_json")


def samples() -> list[Any]:
    """The recorded events of both versions, each with the mode it is to be sent in."""
    found = []
    for path in sorted(SAMPLES.rglob("*.yaml")):
        for number, sample in enumerate(YAML(typ="base", pure=True).load_all(path)):
            modes = [sample["Mode"]] if "Mode" in sample else ["structured", "binary"]
            found += [pytest.param(sample, m, id=f"{path.stem}-{number}-{m}") for m in modes]
    return found or [
        pytest.param({}, "", marks=pytest.mark.skip(f"there are no samples in {SAMPLES}"))
    ]


@pytest.fixture(scope="module")
def sampled(leads: Store) -> Store:
    """A store in which workflows of the samples' types are live too."""
    for name, kind in (("some", "com.example.someevent"), ("minimum", "io.cloudevents.minimum")):
        text = TEXT.replace("workflow: leads", f"workflow: {name}")
        publish_leads(leads, text.replace("lead.created", kind))
    return leads


@pytest.mark.parametrize(("sample", "mode"), samples())
def test_recorded_events_are_accepted_where_their_data_is_json(
    door: RunningDoor, sampled: Store, sample: dict[str, Any], mode: str
) -> None:
    attributes = dict(sample["ContextAttributes"])
    # YAML ends a block with a line break, which no attribute may hold.
    more = {name: value.strip() for name, value in attributes.pop("Extensions", {}).items()}
    attributes.update(more)
    attributes["source"] += f"/{mode}/{attributes['specversion']}"
    is_json = "json" in attributes.get("datacontenttype", "json")
    data = sample["Data"].strip()

    if mode == "structured":
        event = {**attributes, "data": json.loads(data) if is_json else data}
        answer = door.post(event, content_type=STRUCTURED)
    else:
        answer = post_binary(door, attributes, data)

    if is_json:
        assert payload_of(accepted(answer, sampled)) == json.loads(data)
    else:
        assert answer.status_code == (422 if mode == "structured" else 415)


def post_binary(door: RunningDoor, attributes: dict[str, str], data: str) -> httpx.Response:
    headers = {f"ce-{name}": value.strip() for name, value in attributes.items()}
    content_type = headers.pop("ce-datacontenttype", None)
    if content_type:
        headers["content-type"] = content_type
    every = {**headers, **door.authorization()}
    return door.ask("POST", "/v1/events", content=data.encode(), headers=every)
