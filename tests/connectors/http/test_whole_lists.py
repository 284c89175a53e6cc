"""Not there only where the list is whole: lists are read on, or a person decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from connectors.definition.extending import SHIPPED
from connectors.definition_file import parse_definition, read_definition
from connectors.http.definition import HttpDefinition
from connectors.http.paging.checks import unsaid_lists
from connectors.http.paging.more_signs import sign_of_more
from connectors.http.paging.whole_lists import linked
from connectors.http.wire.exchange import Answer
from orchestrator.domain.delivery.handoff import Confirmed, Failed, Outgoing
from orchestrator.domain.errors import DestinationRefused, InvalidFile
from tests.connectors.http.stub import Stub
from tests.connectors.rigs import hand

Run = Callable[..., Any]
Json = dict[str, Any]

LIST = """
connector: tool
kind: http
base_url: URL/api
private_network: true
actions:
  record:
    idempotency: lookup
    proof: read_back
    required: [email]
    timeout: 5s
    create: {path: /things, json: {key: "{key}", email: "{send.email}"}, record_id: id}
    lookup: {path: /things, query: {limit: "2"}, items: items, record_id: id, where: {key: "{key}"}WORDS}
    read: {path: "/things/{record_id}", fields: {email: email}}
"""  # noqa: E501 -- one line for each request
CALL = Outgoing(key="key-5", action="record", fields={"email": "ann@b.example"})
THINGS = [{"id": f"r-{n}", "key": f"key-{n}", "email": "ann@b.example"} for n in range(7)]


class Tool:
    """Keeps things and lists two of them at a time, in one of the usual ways."""

    def __init__(self, stub: Stub, way: str, things: list[Json]) -> None:
        self.things, self.way, self.stub = things, way, stub
        self.asked = self.made = 0
        stub.handle_with(self.answer)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "POST":
            self.made += 1
            return web.json_response({"id": "r-new"}, status=201)
        if request.path.startswith("/api/things/"):
            return web.json_response({"email": "ann@b.example"})
        self.asked += 1
        return self.page(request)

    def page(self, request: web.BaseRequest) -> web.Response:
        query = request.url.query
        start = {
            "page": (int(query.get("page", "1")) - 1) * 2,
            "offset": int(query.get("start", "0")),
        }.get(self.way, int(query.get("cursor", "0")))
        left = start + 2 < len(self.things)
        body: Json = {"items": self.things[start : start + 2]}
        headers = {}
        following = f"/api/things?limit=2&cursor={start + 2}"
        if self.way == "cursor":
            body |= {"has_more": left, "meta": {"next": str(start + 2) if left else ""}}
        elif self.way == "url":
            body["next"] = self.stub.url + following if left else None
        elif self.way == "link" and left:
            headers["Link"] = f'</api/things>; rel="first", <{following}>; rel="next"'
        elif self.way == "offset":
            body["total"] = len(self.things)
        return web.json_response(body, headers=headers)


WAYS = {
    "cursor": ", next: {at: meta.next, query: cursor}, more: has_more",
    "url": ", next: {url: next}",
    "link": ", next: {link: next}",
    "page": ", next: {page: page}",
    "offset": ", next: {offset: start}, total: total",
}


def look_up(stub: Stub, run: Run, words: str, call: Outgoing = CALL) -> str | None:
    connector = stub.connector(LIST.replace("WORDS", words))
    try:
        found: str | None = run(connector.lookup(call))
        return found
    finally:
        run(connector.close())


@pytest.mark.parametrize("way", WAYS)
def test_a_list_is_read_on_until_the_record_is_found(stub: Stub, run: Run, way: str) -> None:
    tool = Tool(stub, way, THINGS)

    assert look_up(stub, run, WAYS[way]) == "r-5"
    assert tool.asked == 3


@pytest.mark.parametrize("way", WAYS)
def test_what_is_on_no_page_of_a_whole_list_is_not_there(stub: Stub, run: Run, way: str) -> None:
    tool = Tool(stub, way, [one for one in THINGS if one["id"] != "r-5"])

    assert look_up(stub, run, WAYS[way]) is None
    assert tool.asked == (4 if way == "page" else 3)  # pages are read until an empty one


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (", next: {at: meta.next, query: cursor}, pages: 2", "more than 2 pages; 4 were read"),
        (", more: has_more", "there are more than the answer lists; 2 were read"),
        (", total: meta.total", "the answer has no number at meta.total"),
        (", more: meta.more", "the answer has nothing at meta.more"),
        (", next: {at: meta.mark, query: cursor}, more: has_more", "says that there is more, and"),
        (", next: {at: items.0.key, query: mark}", "the next page is the same again"),
        (
            ", next: {at: meta.mark, query: cursor}",
            "names no next page and says that there is more",
        ),
        ("", "the answer says that there is more (has_more)"),
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_proves_nothing(
    stub: Stub, run: Run, words: str, says: str
) -> None:
    Tool(stub, "cursor", THINGS)

    with pytest.raises(DestinationRefused, match="not known whether the record is there") as told:
        look_up(stub, run, words, Outgoing(key="none", action="record", fields=CALL.fields))

    assert says in str(told.value)


def test_a_list_without_end_is_read_within_bounds(stub: Stub, run: Run) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        number = len(stub.asked)
        return web.json_response({"items": [{"id": number}], "next": f"/api/x?at={number}"})

    stub.handle_with(endless)

    with pytest.raises(DestinationRefused, match="more than 20 pages"):
        look_up(stub, run, ", next: {url: next}")


def test_a_next_page_at_another_host_is_not_asked(stub: Stub, run: Run) -> None:
    async def elsewhere(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"items": [], "next": "http://other.example/api?token=1"})

    stub.handle_with(elsewhere)

    with pytest.raises(DestinationRefused, match="at another host"):
        look_up(stub, run, ", next: {url: next}")


def test_without_a_word_only_an_empty_list_without_a_hint_is_believed(stub: Stub, run: Run) -> None:
    Tool(stub, "plain", [])
    assert look_up(stub, run, "") is None

    Tool(stub, "plain", THINGS[:1])
    with pytest.raises(DestinationRefused, match="1 other record is listed, and the definition"):
        look_up(stub, run, "")

    assert look_up(stub, run, ", whole: true") is None


def test_after_a_lost_answer_a_cut_list_is_for_a_person_and_nothing_is_sent(
    stub: Stub, run: Run
) -> None:
    tool = Tool(stub, "cursor", THINGS[:4])
    connector = stub.connector(LIST.replace("WORDS", ""))

    outcome = run(hand(connector, CALL, look_first=True))
    run(connector.close())

    assert isinstance(outcome, Failed)
    assert (outcome.unknown, outcome.permanent) == (True, True)
    assert tool.made == 0


def test_after_a_lost_answer_a_whole_list_lets_the_call_be_made(stub: Stub, run: Run) -> None:
    tool = Tool(stub, "cursor", THINGS[:4])
    connector = stub.connector(LIST.replace("WORDS", WAYS["cursor"]))

    outcome = run(hand(connector, CALL, look_first=True))
    run(connector.close())

    assert isinstance(outcome, Confirmed), outcome
    assert tool.made == 1


@pytest.mark.parametrize(
    ("document", "headers", "sign"),
    [
        ({"has_more": True}, {}, "has_more"),
        ({"meta": {"hasNextPage": True}}, {}, "meta.hasNextPage"),
        ({"isLast": False}, {}, "isLast"),
        ({"done": False}, {}, "done"),
        ({"next": "https://a.example/2"}, {}, "next"),
        ({"@odata.nextLink": "https://a.example/2"}, {}, "@odata.nextLink"),
        ({"_links": {"next": {"href": "/2"}}}, {}, "_links.next"),
        ({"response_metadata": {"next_cursor": "abc"}}, {}, "response_metadata.next_cursor"),
        ({"total": 3}, {}, "total"),
        ({"pagination": {"page": 1, "pages": 4}}, {}, "pagination.page"),
        ({"current_page": 1, "last_page": 2}, {}, "page"),
        ({}, {"Link": '<https://a.example/2>; rel="next"'}, "the header Link"),
        ({}, {"X-Total-Count": "40"}, "the header X-Total-Count"),
        ({}, {"Content-Range": "items 0-1/39"}, "the header Content-Range"),
    ],
)
def test_the_usual_signs_of_more_are_known(document: Json, headers: Json, sign: str) -> None:
    assert sign_of_more(Answer(status=200, headers=headers, body=b""), document, 2) == sign


def test_what_says_that_a_list_is_at_its_end_is_no_sign_of_more() -> None:
    document = {
        "has_more": False, "isLast": True, "next": None, "next_cursor": "", "total": 2, "count": 2,
        "page": 1, "pages": 1, "truncated": False, "links": {"next": None}, "items": [{"total": 9}],
    }  # fmt: skip
    headers = {"Link": '<https://a.example/1>; rel="prev"', "X-Total-Count": "2"}

    assert sign_of_more(Answer(status=200, headers=headers, body=b""), document, 2) is None


def test_a_link_header_is_read_by_its_relation() -> None:
    header = '<https://a.example/?a=1,2&b=;>; rel="prev"; title="x", </3>; rel=NEXT'

    assert linked(header, "next") == "/3"
    assert linked(header, "last") is None
    assert linked(None, "next") is None


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (", whole: true, total: total", "lookup.whole: a list that is always whole is not read on"),
        (", next: {}", "lookup.next: it finds the next page by nothing"),
        (", next: {page: p, offset: o}", "lookup.next: it finds the next page by page and offset"),
        (", next: {at: a}", "lookup.next: a mark and the query that takes it go together"),
        (", next: {url: a, first: 1}", "lookup.next.first: only page and offset count"),
        (", pages: 3", "lookup.pages: nothing says where the next page is"),
        (", next: {cursor: a}", "lookup.next.cursor"),
    ],
)
def test_words_about_a_list_that_do_not_fit_are_refused(words: str, fault: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        parse_definition(LIST.replace("URL", "https://a.example").replace("WORDS", words), name="x")

    assert fault in str(refused.value)


def test_a_look_up_for_one_record_has_no_list_to_be_whole() -> None:
    one = LIST.replace("items: items", "absent_status: 404").replace("URL", "https://a.example")

    with pytest.raises(InvalidFile, match="it asks for one record and not for a list"):
        parse_definition(one.replace("WORDS", ", whole: true"), name="x")


def test_every_shipped_look_up_says_how_it_knows_that_its_list_is_whole() -> None:
    shipped = [read_definition(path) for path in SHIPPED.glob("*.yaml")]
    http = [one for one in shipped if isinstance(one, HttpDefinition)]

    assert len(http) > 10
    assert [line for one in http for line in unsaid_lists(one.actions)] == []


def test_a_list_that_says_nothing_of_being_whole_is_noted_by_a_check() -> None:
    said = parse_definition(
        LIST.replace("URL", "https://a.example").replace("WORDS", ""), name="tool.yaml"
    )
    assert isinstance(said, HttpDefinition)

    (note,) = unsaid_lists(said.actions)

    assert note.startswith("actions.record.lookup does not say how it knows")
