"""What an answer says against its definition's word is believed: then nothing proves absence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from connectors.definition_file import parse_definition
from orchestrator.domain.delivery.handoff import Outgoing
from orchestrator.domain.errors import DestinationRefused, DestinationUnavailable, InvalidFile
from tests.connectors.http.stub import Stub

Run = Callable[..., Any]
Json = dict[str, Any]

LIST = """
connector: tool
kind: http
base_url: URL/api
private_network: true
errors: [{status: 404, "on": lookup, means: absent}]
actions:
  record:
    idempotency: lookup
    proof: read_back
    required: [email]
    timeout: 5s
    create: {path: /things, json: {key: "{key}", email: "{send.email}"}, record_id: id}
    lookup: {path: /things, query: {key: "{key}"}, FOUND, record_id: id, where: {key: "{key}"}WORDS}
    read: {path: "/things/{record_id}", fields: {email: email}}
"""
CALL = Outgoing(key="key-9", action="record", fields={"email": "ann@b.example"})
A, B, C = ({"id": f"r-{n}", "key": f"key-{n}"} for n in range(3))


Answer = Callable[[web.BaseRequest], web.Response]


def page(*items: Json, status: int = 200, headers: Any = None, **more: Any) -> Answer:
    body = {"items": items, **more}
    return lambda _: web.json_response(body, status=status, headers=headers)


def plain(body: bytes = b"", status: int = 200) -> Answer:
    return lambda _: web.Response(body=body, status=status)


def look_up(
    stub: Stub, run: Run, words: str, *pages: Answer, found: str = "items: items"
) -> str | None:
    stub.answers = [*pages]
    connector = stub.connector(LIST.replace("WORDS", words).replace("FOUND", found))
    try:
        record_id: str | None = run(connector.lookup(CALL))
        return record_id
    finally:
        run(connector.close())


@pytest.mark.parametrize("way", [", next: {page: page}", ", next: {offset: start}"])
@pytest.mark.parametrize(
    ("last", "says"),
    [
        (page(has_more=True), "says that there is more (has_more)"),
        (page(total=3), "says that there is more (total)"),
        (page(status=206), "says that there is more (206 Partial Content)"),
        (page(A, B), "the next page is the same again; 2 were read"),
        (page(B), "the next page is the same again; 2 were read"),
        (plain(status=404), "a page after the first is not there; 2 were read"),
    ],
)
def test_a_counted_page_ends_a_list_only_where_nothing_speaks_against_it(
    stub: Stub, run: Run, way: str, last: Answer, says: str
) -> None:
    with pytest.raises(DestinationRefused) as told:
        look_up(stub, run, way, page(A, B), last)

    assert says in str(told.value)


@pytest.mark.parametrize("way", [", next: {page: page}", ", next: {offset: start}"])
def test_an_empty_page_after_all_that_were_counted_ends_a_list(
    stub: Stub, run: Run, way: str
) -> None:
    assert look_up(stub, run, way, page(A, B, total=3), page(C, total=3), page(total=3)) is None


def test_only_the_first_page_can_say_that_there_is_nothing(stub: Stub, run: Run) -> None:
    assert look_up(stub, run, ", next: {page: page}", plain(status=404)) is None


def test_what_came_twice_counts_once_of_a_total(stub: Stub, run: Run) -> None:
    pages = [page(A, B, total=4), page(B, C, total=4), page(total=4)]

    with pytest.raises(DestinationRefused, match="not known whether the record is there"):
        look_up(stub, run, ", next: {offset: start}, total: total, pages: 3", *pages)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (page(status=206), "(206 Partial Content)"),
        (page(has_more=True), "(has_more)"),
        (page(A, paging={"next": {"after": "x"}}), "(paging.next)"),
        (page(headers={"Link": '</2>; rel="next"'}), "(the header Link)"),
        (page(page=1, pages=2), "(page)"),
    ],
)
def test_a_list_that_says_that_it_goes_on_is_not_whole(
    stub: Stub, run: Run, answer: Answer, says: str
) -> None:
    with pytest.raises(DestinationRefused) as told:
        look_up(stub, run, ", whole: true", answer)

    assert says in str(told.value)


def test_a_whole_list_may_count_what_it_does_not_list(stub: Stub, run: Run) -> None:
    assert look_up(stub, run, ", whole: true", page(A, total=1500, has_more=False)) is None


@pytest.mark.parametrize("words", [", total: total", ", more: more"])
@pytest.mark.parametrize(
    ("status", "flag"), [(200, "incomplete_results"), (200, "truncated"), (206, "anything")]
)
def test_a_flag_of_more_is_believed_before_a_total_and_before_no_more(
    stub: Stub, run: Run, words: str, status: int, flag: str
) -> None:
    with pytest.raises(DestinationRefused, match="the answer says that there is more"):
        look_up(stub, run, words, page(A, total=1, more=False, status=status, **{flag: True}))


def test_a_total_below_what_is_listed_is_not_the_number_of_all(stub: Stub, run: Run) -> None:
    with pytest.raises(DestinationRefused, match="has 0 at total and lists 2"):
        look_up(stub, run, ", total: total", page(A, B, total=0))


@pytest.mark.parametrize("said", [None, "perhaps", {}, [], 2, ""])
def test_where_a_truth_value_should_say_it_nothing_else_means_no_more(
    stub: Stub, run: Run, said: object
) -> None:
    with pytest.raises(DestinationRefused, match="does not say whether there is more"):
        look_up(stub, run, ", more: {at: more, is: true}", page(A, more=said))


@pytest.mark.parametrize("said", [True, 1, "True", "TRUE", "yes", " true "])
def test_yes_is_yes_however_a_tool_writes_it(stub: Stub, run: Run, said: object) -> None:
    with pytest.raises(DestinationRefused, match="more than the answer lists"):
        look_up(stub, run, ", more: {at: more, is: true}", page(A, more=said))


@pytest.mark.parametrize("said", [False, 0, "False", "no"])
def test_no_is_no_however_a_tool_writes_it(stub: Stub, run: Run, said: object) -> None:
    assert look_up(stub, run, ", more: {at: more, is: true}", page(A, more=said)) is None


def test_a_word_that_is_not_a_truth_value_is_compared_as_text(stub: Stub, run: Run) -> None:
    words = ", more: {at: state, is: partial}"

    assert look_up(stub, run, words, page(A, state="complete")) is None
    with pytest.raises(DestinationRefused, match="more than the answer lists"):
        look_up(stub, run, words, page(A, state="Partial"))
    with pytest.raises(DestinationRefused, match="does not say whether there is more"):
        look_up(stub, run, words, page(A, state=None))


def test_a_second_link_header_is_read_too(stub: Stub, run: Run) -> None:
    def linked(*links: str) -> Answer:
        return page(A, headers=[("Link", link) for link in links])

    both = linked('</api/things?page=1>; rel="prev"', '</api/things?page=3>; rel="next"')

    found = look_up(stub, run, ", next: {link: next}", both, page({"id": "r-9", "key": "key-9"}))
    assert (found, stub.asked[1]) == ("r-9", "GET /api/things?page=3")
    with pytest.raises(DestinationRefused, match="the header Link"):
        look_up(stub, run, ", whole: true", linked("</a>; rel=first", "</b>; rel=next"))


def test_a_record_whose_key_is_damaged_may_be_ours(stub: Stub, run: Run) -> None:
    damaged = plain(b'{"items": [{"id": "r-1", "key": "key-\xff"}]}')

    with pytest.raises(DestinationRefused, match="at key cannot be read in its charset"):
        look_up(stub, run, ", whole: true", damaged)


def test_a_damaged_key_of_what_is_another_record_anyway_does_not_matter(
    stub: Stub, run: Run
) -> None:
    damaged = plain(b'{"items": [{"id": "r-1", "key": "\xff", "email": "no"}]}')
    words = ", whole: true"
    where = LIST.replace('where: {key: "{key}"}', 'where: {key: "{key}", email: "{send.email}"}')
    stub.answers = [damaged]
    connector = stub.connector(where.replace("WORDS", words).replace("FOUND", "items: items"))

    assert run(connector.lookup(CALL)) is None
    run(connector.close())


def test_one_record_that_lacks_the_place_of_the_key_is_not_another_record(
    stub: Stub, run: Run
) -> None:
    one = "absent_status: 404"
    another = plain(b'{"id": "r-1", "key": "key-1"}')

    assert look_up(stub, run, "", another, found=one) is None
    with pytest.raises((DestinationRefused, DestinationUnavailable), match="nothing at key"):
        look_up(stub, run, "", plain(b'{"error": "try again"}'), found=one)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (", more: {at: a, is: null}", "lookup.more.is: null says nothing about a list"),
        (", more: {at: a, is: {b: 1}}", "lookup.more.is: only plain values are compared"),
        (", good: {at: a, is: [[]]}", "lookup.good.0.is: only plain values are compared"),
        (", good: {header: A, is: null}", "lookup.good.0.is: a header is never null"),
    ],
)
def test_a_value_that_nothing_can_equal_is_refused(words: str, fault: str) -> None:
    text = LIST.replace("URL", "https://a.example").replace("FOUND", "items: items")

    with pytest.raises(InvalidFile) as refused:
        parse_definition(text.replace("WORDS", words), name="x")

    assert fault in str(refused.value)
