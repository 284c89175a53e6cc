"""`make vendor-check`: a definition that fits is ok, and each kind of difference has its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.vendor_check.desk import DEFINITION, document, swagger_document
from tests.vendors.every import CASES
from tools.vendor_check.__main__ import main

Json = dict[str, Any]


class Check:
    """The command, with a folder of definitions and one of documents."""

    def __init__(self, folder: Path, output: pytest.CaptureFixture[str]) -> None:
        self._definitions, self.documents = folder / "definitions", folder / "documents"
        self._definitions.mkdir()
        self.documents.mkdir()
        self._output = output

    def publish(self, said: Json, name: str = "desk.json") -> None:
        path = self.documents / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(said) if name.endswith("json") else yaml.safe_dump(said))

    def run(self, definition: str = DEFINITION, *options: str) -> tuple[int, str]:
        (self._definitions / "desk.yaml").write_text(definition)
        code = main([str(self.documents), "--definitions", str(self._definitions), *options])
        return code, self._output.readouterr().out

    def found(self, definition: str = DEFINITION) -> Json:
        _, printed = self.run(definition, "--json")
        action: Json = json.loads(printed)["actions"][0]
        return action


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    return Check(tmp_path, capsys)


def test_a_definition_that_fits_is_ok_and_names_the_document(check: Check) -> None:
    check.publish(document())

    code, printed = check.run()

    assert code == 0
    assert printed.splitlines() == [
        "desk.create_ticket  ok           Desk API 2 (desk.json)",
        "1 ok, 0 differs, 0 no document",
    ]


TICKETS, TICKET = "/tickets", "/tickets/{id}"


def new_ticket(said: Json) -> Json:
    found: Json = said["components"]["schemas"]["NewTicket"]
    return found


def path_is_gone(said: Json) -> None:
    said["paths"]["/issues"] = said["paths"].pop(TICKETS)


def method_is_another(said: Json) -> None:
    said["paths"][TICKETS]["put"] = said["paths"][TICKETS].pop("post")


def parameter_is_unknown(said: Json) -> None:
    del said["paths"][TICKETS]["get"]["parameters"][0]


def page_parameter_is_unknown(said: Json) -> None:
    del said["paths"][TICKETS]["get"]["parameters"][1]


def parameter_is_required(said: Json) -> None:
    parameter = {"name": "team", "in": "query", "required": True}
    said["paths"][TICKETS]["get"]["parameters"].append(parameter)


def header_is_required(said: Json) -> None:
    header = {"name": "Team", "in": "header", "required": True}
    said["paths"][TICKET]["get"]["parameters"] = [header]


def parameter_has_other_words(said: Json) -> None:
    said["paths"][TICKETS]["get"]["parameters"][2]["schema"]["enum"] = ["newest", "oldest"]


def parameter_is_a_number(said: Json) -> None:
    said["paths"][TICKETS]["get"]["parameters"][2]["schema"] = {"type": "integer"}


def property_is_required(said: Json) -> None:
    new_ticket(said)["required"].append("team")
    new_ticket(said)["properties"]["team"] = {"type": "string"}


def optional_field_is_required(said: Json) -> None:
    new_ticket(said)["required"].append("note")


def property_is_unknown(said: Json) -> None:
    new_ticket(said)["properties"]["hurry"] = new_ticket(said)["properties"].pop("urgent")


def property_is_of_another_type(said: Json) -> None:
    new_ticket(said)["properties"]["urgent"] = {"type": "string"}


def key_is_a_number(said: Json) -> None:
    new_ticket(said)["properties"]["key"] = {"type": "integer"}


def property_has_other_words(said: Json) -> None:
    new_ticket(said)["properties"]["source"]["enum"] = ["mail"]


def no_alternative_fits(said: Json) -> None:
    new_ticket(said)["properties"]["urgent"] = {"oneOf": [{"type": "string"}, {"type": "null"}]}


def body_is_not_taken(said: Json) -> None:
    del said["paths"][TICKETS]["post"]["requestBody"]


def body_is_a_form(said: Json) -> None:
    body = said["paths"][TICKETS]["post"]["requestBody"]
    body["content"] = {"application/x-www-form-urlencoded": {}}


def body_is_required(said: Json) -> None:
    said["paths"][TICKET]["delete"]["requestBody"] = {"required": True, "content": {}}


def answer(said: Json, path: str, method: str, status: str) -> Json:
    content = said["paths"][path][method]["responses"][status]["content"]
    properties: Json = content["application/json"]["schema"]["properties"]
    return properties


def record_id_has_moved(said: Json) -> None:
    answered = answer(said, TICKETS, "post", "201")
    answered["id"] = {"type": "integer"}
    answered["ticket"] = {"type": "object", "properties": {"title": {"type": "string"}}}


def field_is_not_answered(said: Json) -> None:
    answered = answer(said, TICKET, "get", "200")
    shown: Json = {name: {} for name in ("title", "tags")}
    answered["ticket"] = {"type": "object", "properties": shown}


def items_are_elsewhere(said: Json) -> None:
    answered = answer(said, TICKETS, "get", "200")
    answered["results"] = answered.pop("tickets")


def items_are_no_list(said: Json) -> None:
    answer(said, TICKETS, "get", "200")["tickets"] = {"type": "string"}


def items_have_no_id(said: Json) -> None:
    item: Json = {"type": "object", "properties": {"key": {}}}
    answer(said, TICKETS, "get", "200")["tickets"] = {"type": "array", "items": item}


NOTHING = "the answer has nothing at"


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (method_is_another, ["create: POST /tickets is not in the document, which has GET, PUT"]),
        (parameter_is_unknown, ["lookup: query.key is not in the document"]),
        (page_parameter_is_unknown, ["lookup: query.cursor is not in the document"]),
        (parameter_is_required, ["lookup: query.team is required, and not sent"]),
        (header_is_required, ["read: header.Team is required, and not sent"]),
        (
            parameter_has_other_words,
            ['lookup: query.sort is "new"; "new" is not one of "newest" or "oldest"'],
        ),
        (parameter_is_a_number, ['lookup: query.sort is "new"; the document has integer']),
        (property_is_required, ["create: body.ticket.team is required, and not sent"]),
        (
            optional_field_is_required,
            ["create: body.ticket.note is required, and left out where its field is not sent"],
        ),
        (property_is_unknown, ["create: body.ticket.urgent is not in the document"]),
        (
            property_is_of_another_type,
            ["create: body.ticket.urgent is boolean; the document has string"],
        ),
        (key_is_a_number, ["create: body.ticket.key is string; the document has integer"]),
        (
            property_has_other_words,
            ['create: body.ticket.source is "api"; "api" is not one of "mail"'],
        ),
        (
            no_alternative_fits,
            ["create: body.ticket.urgent is boolean; the document has null or string"],
        ),
        (body_is_not_taken, ["create: a body is sent; the document has none"]),
        (
            body_is_a_form,
            ["create: JSON is sent; the document takes application/x-www-form-urlencoded"],
        ),
        (body_is_required, ["undo: a body is required, and not sent"]),
        (record_id_has_moved, [f"create: record_id: {NOTHING} ticket.id"]),
        (field_is_not_answered, [f"read: fields.note: {NOTHING} ticket.note"]),
        (
            items_are_elsewhere,
            [
                f"lookup: items: {NOTHING} tickets",
                f"lookup: record_id: {NOTHING} tickets.0.id",
                f"lookup: where.key: {NOTHING} tickets.0.key",
            ],
        ),
        (items_have_no_id, [f"lookup: record_id: {NOTHING} tickets.0.id"]),
        (
            items_are_no_list,
            [
                f"lookup: record_id: {NOTHING} tickets.0.id",
                f"lookup: where.key: {NOTHING} tickets.0.key",
            ],
        ),
        (
            path_is_gone,
            [
                "create: POST /tickets is in none of desk.json",
                "lookup: GET /tickets is in none of desk.json",
            ],
        ),
    ],
)
def test_each_kind_of_difference_has_a_line_that_names_the_place(
    change: Callable[[Json], None], lines: list[str], check: Check
) -> None:
    said = document()
    change(said)
    check.publish(said)

    code, printed = check.run()

    assert code == 1
    shown = [line.strip() for line in printed.splitlines() if line.startswith("    ")]
    assert shown == lines


def test_json_says_the_same_as_the_table(check: Check) -> None:
    said = document()
    property_is_required(said)
    check.publish(said)

    code, printed = check.run(DEFINITION, "--json")

    assert code == 1
    assert json.loads(printed) == {
        "actions": [
            {
                "action": "desk.create_ticket",
                "result": "differs",
                "documents": ["desk.json"],
                "differences": ["create: body.ticket.team is required, and not sent"],
                "notes": [],
            }
        ],
        "documents": [{"file": "desk.json", "title": "Desk API", "version": "2"}],
        "unreadable": {},
    }


def test_swagger_2_and_a_body_that_it_lists_as_a_form_are_read(check: Check) -> None:
    check.publish(swagger_document(), "vendors/desk-api.yaml")
    flat = """
connector: desk
kind: http
base_url: https://desk.example/api
actions:
  create_ticket:
    idempotency: none
    proof: receipt
    required: [title]
    create:
      path: /tickets
      json: {title: "{send.title}", colour: red}
      record_id: title
"""

    found = check.found(flat)

    assert found["differences"] == ["create: body.colour is not in the document"]


@pytest.mark.parametrize("note", ["note", "remark"])
def test_a_document_of_several_files_is_followed(note: str, check: Check) -> None:
    said = document()
    schemas = said.pop("components")["schemas"]
    schemas["Ticket"]["allOf"][0]["$ref"] = "#/NewTicket"
    schemas["NewTicket"]["properties"][note] = schemas["NewTicket"]["properties"].pop("note")
    written = json.dumps(said).replace("#/components/schemas/", "parts/schemas.yaml#/")
    check.publish(json.loads(written), "desk.yaml")
    check.publish(schemas, "parts/schemas.yaml")

    assert check.found()["result"] == ("ok" if note == "note" else "differs")


def test_of_several_versions_the_one_that_the_definition_names_counts(check: Check) -> None:
    newer, older = document(), document()
    for said, version in ((newer, "10"), (older, "1")):
        property_is_required(said)
        said["info"]["version"] = version
        check.publish(said, f"desk-{version}.json")
    check.publish(document(), "desk-2.json")

    assert check.found()["documents"] == ["desk-2.json"]
    assert check.found(DEFINITION.replace('"2"', '"3"'))["documents"] == ["desk-10.json"]


def test_a_document_that_writes_the_path_out_counts_before_one_of_any_record(check: Check) -> None:
    generic = document()
    generic["info"]["version"] = "3"
    generic["paths"]["/{kind}"] = generic["paths"].pop(TICKETS)
    generic["paths"]["/{kind}/{id}"] = generic["paths"].pop(TICKET)
    check.publish(generic, "desk-records.json")
    check.publish(document(), "desk-tickets.json")

    definition = DEFINITION.replace('headers: {Desk-Version: "2"}\n', "")

    assert check.found(definition)["documents"] == ["desk-tickets.json"]


def test_every_shipped_action_over_http_has_its_row(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    check.publish(document())

    assert main([str(check.documents), "--json"]) == 0

    rows = json.loads(capsys.readouterr().out)["actions"]
    assert {row["action"] for row in rows} == {case.name for case in CASES}
    assert {row["result"] for row in rows} == {"no document"}


@pytest.mark.parametrize("file", ["desk/v2.json", "api.json"])
def test_a_document_is_found_by_its_folder_and_by_the_host_of_the_api(
    file: str, check: Check
) -> None:
    said = document()
    said["info"]["title"] = "Tickets"
    if "/" in file:
        said["servers"] = [{"url": "/api"}]
    check.publish(said, file)

    assert check.found()["result"] == "ok"


def test_the_document_of_another_vendor_is_no_document(check: Check) -> None:
    said = document()
    said["info"]["title"] = "Shop API"
    said["servers"] = [{"url": "https://shop.example/api"}]
    check.publish(said, "shop.json")

    code, printed = check.run()

    assert code == 0
    assert printed.splitlines() == [
        "desk.create_ticket  no document",
        "0 ok, 0 differs, 1 no document",
    ]


def test_an_answer_that_the_document_leaves_out_is_a_note(check: Check) -> None:
    said = document()
    said["paths"][TICKET]["get"]["responses"] = {"200": {"description": "a ticket"}}
    check.publish(said)

    found = check.found()

    assert found["result"] == "ok"
    assert found["notes"] == ["read: the document does not describe the answer"]


def test_a_schema_that_contains_itself_ends(check: Check) -> None:
    said = document()
    ticket = {"$ref": "#/components/schemas/NewTicket"}
    new_ticket(said)["properties"]["parent"] = ticket
    new_ticket(said)["anyOf"] = [ticket, {"type": "object"}]
    check.publish(said)

    assert check.found()["result"] == "ok"


def test_a_file_that_cannot_be_read_is_named_and_the_others_count(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    check.publish(document())
    (check.documents / "torn.yaml").write_text("openapi: 3.0.0\npaths: {")
    (check.documents / "notes.json").write_text('{"of": "something else"}')

    _, printed = check.run(DEFINITION, "--json")

    assert [one["file"] for one in json.loads(printed)["documents"]] == ["desk.json"]
    assert list(json.loads(printed)["unreadable"]) == ["torn.yaml"]


def test_a_folder_without_documents_is_refused_in_one_line(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(check.documents)]) == 2
    assert capsys.readouterr().err == (
        f"{check.documents} has no OpenAPI 3 or Swagger 2 document\n"
    )
    assert main([str(check.documents / "nowhere")]) == 2
