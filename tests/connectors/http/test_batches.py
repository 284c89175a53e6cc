"""A definition whose system takes many at once, over real HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from connectors.definition_file import parse_definition
from connectors.handoff.concurrent import Job, hand_over_many
from orchestrator.domain.delivery.handoff import Confirmed, Connector, Failed, Outgoing, Receipted
from orchestrator.domain.errors import InvalidFile
from tests.connectors.http.stub import Stub

Run = Callable[..., Any]

TOLD = """
connector: told
kind: http
base_url: URL
private_network: true
actions:
  track:
    idempotency: native_key
    proof: receipt
    required: [name]
    create: {path: /track, json: {id: "{key}", name: "{send.name}"}}
    batch:
      path: /batch
      most: 3
      json: {batch: "{items}", context: {sender: meshline}}
      item: {id: "{key}", name: "{send.name}"}
"""

KEPT = """
connector: kept
kind: http
base_url: URL
private_network: true
actions:
  keep:
    idempotency: native_key
    proof: read_back
    required: [name]
    create: {path: /one, json: {key: "{key}", name: "{send.name}"}, record_id: id}
    read: {path: "/records/{record_id}", fields: {name: name}}
    batch:
      path: /many
      most: 10
      json: {inputs: "{items}"}
      item: {key: "{key}", name: "{send.name}"}
      results: results
      where: {key: "{key}"}
      record_id: id
"""


class Tool:
    """A system that keeps a record a key, and takes one or many."""

    def __init__(self, stub: Stub) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.refuses = ""  # a name that spoils a whole request
        self.leaves_out = ""  # a name whose result is not told
        self.cuts = False
        stub.handle_with(self.answer)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.path
        if path.startswith("/records/"):
            found = next(r for r in self.records.values() if r["id"] == path[len("/records/") :])
            return web.json_response(found)
        said = json.loads(await request.read())
        items = said.get("inputs") or said.get("batch") or [said]
        if any(one["name"] == self.refuses for one in items):
            return web.json_response({"error": "one of them is wrong"}, status=422)
        made = [self._keep(one) for one in items]
        if self.cuts:
            assert request.transport is not None
            request.transport.abort()
        if path == "/one":
            return web.json_response(made[0], status=201)
        told = [one for one in reversed(made) if one["name"] != self.leaves_out]
        return web.json_response({"results": told})

    def _keep(self, item: dict[str, Any]) -> dict[str, Any]:
        key = str(item.get("key") or item["id"])
        number = len(self.records) + 1
        return self.records.setdefault(key, {"id": f"r-{number}", "key": key, "name": item["name"]})


def jobs(connector: Connector, names: list[str], *, look_first: bool = False) -> list[Job]:
    (action,) = connector.actions.values()
    confirm = ("name",) if action.name == "keep" else ()
    return [
        Job(
            id=name,
            connector=connector,
            call=Outgoing(key=f"key-{name}", action=action.name, fields={"name": name}),
            confirm=confirm,
            look_first=look_first,
        )
        for name in names
    ]


async def over(some: list[Job]) -> dict[str, Any]:
    outcomes = dict(await hand_over_many(some, finish_by=time.monotonic() + 60))
    await some[0].connector.close()
    return outcomes


def test_receipts_go_out_many_at_once(stub: Stub, run: Run) -> None:
    tool = Tool(stub)

    outcomes = run(over(jobs(stub.connector(TOLD), ["a", "b", "c", "d"])))

    assert outcomes["c"] == Receipted(receipt_id="key-c")
    assert {one["name"] for one in tool.records.values()} == {"a", "b", "c", "d"}
    assert sorted(stub.asked) == ["POST /batch", "POST /track"]


def test_each_record_is_found_among_the_results_and_read_back(stub: Stub, run: Run) -> None:
    tool = Tool(stub)

    outcomes = run(over(jobs(stub.connector(KEPT), ["a", "b"])))

    assert outcomes["a"] == Confirmed(record_id=tool.records["key-a"]["id"])
    assert outcomes["b"] == Confirmed(record_id=tool.records["key-b"]["id"])
    assert stub.asked.count("POST /many") == 1


def test_one_that_spoils_the_request_for_all_is_found_by_making_each_alone(
    stub: Stub, run: Run
) -> None:
    tool = Tool(stub)
    tool.refuses = "b"

    outcomes = run(over(jobs(stub.connector(KEPT), ["a", "b", "c"])))

    assert isinstance(outcomes["b"], Failed) and outcomes["b"].permanent
    assert isinstance(outcomes["a"], Confirmed) and isinstance(outcomes["c"], Confirmed)
    assert stub.asked.count("POST /one") == 3


def test_what_the_answer_says_nothing_of_is_unknown_and_made_once(stub: Stub, run: Run) -> None:
    tool = Tool(stub)
    tool.leaves_out = "b"
    connector = stub.connector(KEPT)

    first = run(over(jobs(connector, ["a", "b"])))
    assert isinstance(first["a"], Confirmed)
    assert (first["b"].unknown, first["b"].permanent) == (True, False)

    again = run(over(jobs(connector, ["b"], look_first=True)))
    assert isinstance(again["b"], Confirmed)
    assert len(tool.records) == 2


def test_an_answer_that_is_cut_off_is_lost_for_all_of_them(stub: Stub, run: Run) -> None:
    tool = Tool(stub)
    tool.cuts = True

    lost = run(over(jobs(stub.connector(KEPT), ["a", "b"])))

    assert {(one.unknown, one.permanent) for one in lost.values()} == {(True, False)}
    assert len(tool.records) == 2


@pytest.mark.parametrize(
    ("was", "is_now", "path"),
    [
        ('json: {inputs: "{items}"}', "json: {inputs: []}", "batch"),
        ('where: {key: "{key}"}', "", "batch"),
        ("record_id: id\n", "\n", "batch"),
        ("idempotency: native_key", "idempotency: none", "batch"),
        ('json: {inputs: "{items}"}', 'json: {inputs: "all {items}"}', "batch.json"),
        ('item: {key: "{key}", name: "{send.name}"}', 'item: {key: "{key}"}', "batch.item"),
        ('json: {key: "{key}", name: "{send.name}"}', 'json: {a: "{items}"}', "create.json"),
    ],
)
def test_a_batch_that_could_not_be_told_apart_is_refused(was: str, is_now: str, path: str) -> None:
    head, _, tail = KEPT.rpartition(was)
    text = f"{head}{is_now}{tail}".replace("URL", "http://127.0.0.1:1")

    with pytest.raises(InvalidFile) as refused:
        parse_definition(text, name="kept.yaml")

    assert f"actions.keep.{path}" in [fault.path for fault in refused.value.faults]
