"""`connectors check` says every fault at once, each at its line, and knows a JSONPath."""

from __future__ import annotations

import pytest

from connectors.definition.paths import path_problem
from connectors.definition_file import parse_definition
from orchestrator.domain.errors import InvalidFile

SEVERAL = """\
connector: tool
kind: htpp
base_url: https://tool.example/api
actions:
  first:
    idempotency: lookup
    proof: read_back
    required: [email]
    create: {path: /x, json: {email: "{send.email}"}, record_id: $.id}
    lookup: {path: "/x?key={key}", items: "$.data[*]", record_id: "$['id']"}
    read:
      path: "/x/{record_id}"
      fields:
        email: $.email
        name: {at: $.name}
        note: data.*.note
        phone: phone
  second:
    idempotency: none
    proof: read_back
    required: [email]
    create: {path: /x, json: {email: "{send.email}"}, record_id: id}
title: {a: 1}
"""


def test_every_fault_is_said_at_once_with_its_line() -> None:
    with pytest.raises(InvalidFile) as refused:
        parse_definition(SEVERAL.replace("title: {a: 1}\n", ""), name="tool.yaml")

    assert [(one.line, one.path, one.fix) for one in refused.value.faults] == [
        (2, "kind", "write `http`"),
        (9, "actions.first.create.record_id", "write id"),
        (10, "actions.first.lookup.items", "write data"),
        (10, "actions.first.lookup.record_id", "write id"),
        (14, "actions.first.read.fields.email", "write email"),
        (15, "actions.first.read.fields.name", "write name"),
        (
            16,
            "actions.first.read.fields.note",
            "write data.0.id, /data/0/id or list[key=text].id",
        ),
        (20, "actions.second.proof", "add one, or write proof: receipt"),
    ]


def test_a_key_that_comes_twice_does_not_hide_the_rest() -> None:
    text = SEVERAL.replace("kind: htpp\n", "kind: http\nkind: http\n")
    with pytest.raises(InvalidFile) as refused:
        parse_definition(text, name="tool.yaml")

    places = [(one.line, one.path) for one in refused.value.faults]
    assert places[0] == (3, "kind")
    assert (10, "actions.first.create.record_id") in places
    assert (24, "title") in places


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("$", 'write ""'),
        ("$.id", "write id"),
        ("$.data[0].id", "write data.0.id"),
        ("$['first name'].id", "write first name.id"),
        ("$.data[*]", "write data"),
        ("$..id", "write data.0.id, /data/0/id or list[key=text].id"),
        ("$.data[?(@.a==1)].id", "write data.0.id, /data/0/id or list[key=text].id"),
        ("data.*.id", "write data.0.id, /data/0/id or list[key=text].id"),
        ("#/data/id", "write /data/id"),
        (" id", "write id"),
        ("a..b", "write data.0.id, /data/0/id or list[key=text].id"),
        ("data[0].id", "write data.0.id, /data/0/id or list[key=text].id"),
    ],
)
def test_what_is_not_a_path_says_which_path_is_meant(text: str, fix: str) -> None:
    found = path_problem(text)

    assert found
    assert found[1] == fix


@pytest.mark.parametrize(
    "text", ["", "id", "data.0.id", "/data/0/id", "list[key=a.b].id", "$id", "@odata.id"]
)
def test_a_path_is_one(text: str) -> None:
    assert path_problem(text) is None
