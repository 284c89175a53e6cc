"""What an HTTP answer means, and what it never means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from connectors.definition.paths import Unreadable, dig, record_id_at, steps
from connectors.http.answers import NotJson, error_of, parse, retry_after
from connectors.http.wire.exchange import Answer
from orchestrator.domain.errors import (
    DestinationRefused,
    DestinationUnavailable,
    OutcomeUnknown,
    RateLimited,
    Unauthorized,
)


def answer(status: int, body: str = "", **headers: str) -> Answer:
    return Answer(status=status, headers=headers, body=body.encode())


@pytest.mark.parametrize(
    ("status", "created", "read"),
    [
        (302, DestinationRefused, DestinationRefused),
        (303, OutcomeUnknown, DestinationRefused),
        (400, DestinationRefused, DestinationRefused),
        (401, Unauthorized, Unauthorized),
        (403, DestinationRefused, DestinationRefused),
        (404, DestinationRefused, DestinationRefused),
        (408, DestinationUnavailable, DestinationUnavailable),
        (409, DestinationRefused, DestinationRefused),
        (422, DestinationRefused, DestinationRefused),
        (425, DestinationUnavailable, DestinationUnavailable),
        (429, RateLimited, RateLimited),
        (500, OutcomeUnknown, DestinationUnavailable),
        (502, OutcomeUnknown, DestinationUnavailable),
        (503, DestinationUnavailable, DestinationUnavailable),
        (504, OutcomeUnknown, DestinationUnavailable),
        (599, OutcomeUnknown, DestinationUnavailable),
    ],
)
def test_a_status_has_one_meaning_after_a_create_and_one_after_a_read(
    status: int, created: type[Exception], read: type[Exception]
) -> None:
    assert type(error_of("create", answer(status), creating=True)) is created
    assert type(error_of("read", answer(status), creating=False)) is read


def test_an_unavailable_destination_that_says_when_is_asked_then() -> None:
    error = error_of("create", answer(503, **{"Retry-After": "30"}), creating=True)

    assert isinstance(error, RateLimited)
    assert error.retry_after == 30


def test_an_error_quotes_the_answer_short_on_one_line_and_without_secrets() -> None:
    body = "no\nsubject " + "s3cret " * 100

    text = str(error_of("create", answer(400, body), creating=True, secrets=["s3cret"]))

    assert text.startswith("create answered 400: no subject *** ***")
    assert len(text) < 250
    assert "\n" not in text


def test_a_secret_is_covered_before_the_answer_is_cut() -> None:
    body = "x" * 195 + "s3cret-t0ken"

    text = str(error_of("create", answer(400, body), creating=True, secrets=["s3cret-t0ken"]))

    assert "s3cre" not in text


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", None),
        ("7", 7),
        (" 7 ", 7),
        ("0.65", 0.65),
        ("86400", 86_400),
        ("86401", None),
        ("999999999", None),
        ("9" * 400, None),
        ("-1", None),
        ("1e3", None),
        ("soon", None),
        ("²", None),
    ],
)
def test_retry_after_in_seconds(header: str, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_retry_after_as_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=90)

    wait = retry_after(format_datetime(soon, usegmt=True))

    assert wait is not None
    assert 60 < wait <= 90
    assert retry_after("Sun, 06 Nov 1994 08:49:37 GMT") is None
    assert retry_after("Fri, 31 Dec 9999 23:59:59 GMT") is None
    assert retry_after("sometime soon") is None
    assert retry_after(None) is None


def test_a_path_reaches_into_objects_and_lists() -> None:
    value = {"items": [{"id": 7, "a.b": {"x/y": 1}}], "nothing": None}

    assert dig(value, steps("items.0.id")) == 7
    assert dig(value, steps("/items/0/a.b/x~1y")) == 1
    assert dig(value, steps("nothing")) is None
    assert dig(value, steps("")) is value
    for nowhere in ("items.1.id", "items.-1", "items.0.id.x", "item", "nothing.x", "items.0.id.0"):
        with pytest.raises(Unreadable):
            dig(value, steps(nowhere))


def test_a_path_selects_in_a_list_by_what_an_object_reads() -> None:
    fields = [{"id": "x"}, 5, {"id": 360, "value": "gold"}, {"id": "a.b", "value": True}]
    value = {"custom": fields}

    assert dig(value, steps("custom[id=360].value")) == "gold"
    assert dig(value, steps("custom[id=a.b].value")) is True
    assert dig(fields, steps("[value=true].id")) == "a.b"
    assert dig({"a[b=c]": 1}, steps("/a[b=c]")) == 1
    for nowhere in ("custom[id=361].value", "custom[id=x].value", "custom[name=x]", "none[id=1]"):
        with pytest.raises(Unreadable):
            dig(value, steps(nowhere))
    for wrong in ("a..b", ".a", "a.", "a[b", "a]b", "[b]", "a.[b=c]", "a[b=c]d"):
        with pytest.raises(ValueError, match="is not a path"):
            steps(wrong)


def test_a_record_id_is_a_text_or_a_whole_number() -> None:
    assert record_id_at({"id": 17}, steps("id")) == "17"
    assert record_id_at({"id": "a b"}, steps("id")) == "a b"
    wrongs: list[object] = [None, True, 1.5, "", [], {}, "x" * 501]
    for wrong in wrongs:
        with pytest.raises(Unreadable):
            record_id_at({"id": wrong}, steps("id"))


@pytest.mark.parametrize("body", ["", "<html>", "{'a': 1}", '{"a": 1'])
def test_what_is_not_json_is_not_taken_for_an_answer(body: str) -> None:
    with pytest.raises(NotJson):
        parse(answer(200, body))
