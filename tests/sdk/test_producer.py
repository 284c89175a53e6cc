"""What is refused before anything is sent, and what is never shown."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import logging
import math
import subprocess
import sys
import uuid
from enum import Enum, StrEnum
from typing import Any

import pydantic
import pytest

import meshline
from meshline import Event, Misconfigured, Producer, Refused
from meshline.patience import backoff, retry_after
from meshline.testing import RecordingTransport
from tests.sdk.conftest import MakeProducer

_CIRCLE: dict[str, Any] = {}
_CIRCLE["self"] = _CIRCLE


class Tier(StrEnum):
    PRO = "pro"


@pytest.mark.parametrize(
    ("data", "path", "why"),
    [
        ({"price": math.nan}, "data.price", "nan is not JSON"),
        ({"lines": [{"price": 1.0}, {"price": math.inf}]}, "data.lines.1.price", "inf is not"),
        ({"when": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "data.when", "isoformat"),
        ({"sum": decimal.Decimal("1.10")}, "data.sum", "Decimal is not JSON"),
        ({"id": uuid.UUID(int=1)}, "data.id", r"str\(value\)"),
        ({"raw": b"abc"}, "data.raw", "bytes is not JSON"),
        ({"tags": {"a"}}, "data.tags", "send a list"),
        ({1: "one"}, "data", "the key 1 is not a text"),
        ({"name": "\ud800"}, "data.name", "surrogate"),
        ({"\ud800": 1}, "data.?", "surrogate"),
        (object(), "data", "object is not JSON"),
        (_CIRCLE, "data.self.self", "holds itself"),
    ],
)
def test_what_is_not_json_is_refused_by_its_path_before_it_is_sent(
    in_memory: MakeProducer, door: RecordingTransport, data: object, path: str, why: str
) -> None:
    with pytest.raises(Refused, match=why) as refused:
        in_memory().emit("lead.created", data)

    assert refused.value.field is not None
    assert refused.value.field.startswith(path)
    assert refused.value.code == "invalid_data"
    assert refused.value.status is None
    assert door.requests == []


def test_json_of_every_kind_goes_through(in_memory: MakeProducer, door: RecordingTransport) -> None:
    data: dict[str, Any] = {
        "text": "Grüße 👋",
        "none": None,
        "yes": True,
        "many": [1, -2.5, 2**60],
        "": {},
    }

    in_memory().emit("lead.created", {**data, "tier": Tier.PRO, "pair": (1, 2)})

    assert door.events[0].data == {**data, "tier": "pro", "pair": [1, 2]}


@pytest.mark.parametrize("options", [{"client": 7}, {"idempotency_key": ""}])
def test_a_wrong_argument_is_named(
    in_memory: MakeProducer, door: RecordingTransport, options: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refused:
        in_memory().emit("lead.created", {}, **options)

    assert refused.value.field in options
    assert door.requests == []


def test_one_wrong_event_among_many_is_named_and_none_is_sent(
    in_memory: MakeProducer, door: RecordingTransport
) -> None:
    events = [Event("lead.created", {"price": 1}), Event("lead.created", {"price": math.nan})]

    with pytest.raises(Refused) as refused:
        in_memory().emit_many(events)

    assert refused.value.index == 1
    assert str(refused.value).startswith("event 1: data.price: nan is not JSON")
    assert door.requests == []


def test_the_key_comes_from_the_environment_where_it_is_not_given(
    door: RecordingTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESHLINE_KEY", "from-the-environment")

    Producer("http://door.example", transport=door).emit("lead.created", {})

    assert door.requests[0].headers["Authorization"] == "Bearer from-the-environment"


@pytest.mark.parametrize("key", ["", "two words", "line\r\nX-Other: header", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_and_not_repeated(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MESHLINE_KEY", raising=False)

    with pytest.raises(Misconfigured) as refused:
        Producer("http://door.example", key=key)

    assert refused.value.field == "key"
    assert not key or key not in str(refused.value)


def test_the_key_is_in_no_text_that_anybody_reads(
    in_memory: MakeProducer, door: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    producer = in_memory(attempts=2)
    door.cut_next(times=2)

    with pytest.raises(Exception, match="gave up") as gave_up:
        producer.emit("lead.created", {})

    assert "attempt 1 failed" in caplog.text
    assert "secret-key" not in caplog.text + repr(producer) + repr(gave_up.value)


def test_a_producer_is_made_from_the_environment(
    door: RecordingTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MESHLINE_URL", raising=False)
    monkeypatch.setenv("MESHLINE_KEY", "from-the-environment")
    with pytest.raises(Misconfigured, match="MESHLINE_URL"):
        Producer.from_env(transport=door)
    monkeypatch.setenv("MESHLINE_URL", "http://door.example")

    producer = Producer.from_env(transport=door)

    assert repr(producer) == "Producer('http://door.example')"
    assert producer.emit("lead.created", {}).id == "event-1"


@dataclasses.dataclass
class Money:
    amount: decimal.Decimal
    of: dt.date


class Model(pydantic.BaseModel):
    id: uuid.UUID
    price: decimal.Decimal


class Plan(Enum):
    PRO = "pro"


def test_a_default_makes_json_of_what_applications_hold(
    in_memory: MakeProducer, door: RecordingTransport
) -> None:
    data = {
        "sum": decimal.Decimal("1.10"),
        "at": dt.datetime(2026, 4, 5, 6, 7, tzinfo=dt.UTC),
        "id": uuid.UUID(int=1),
        "money": [Money(decimal.Decimal(2), dt.date(2026, 4, 5))],
        "model": Model(id=uuid.UUID(int=2), price=decimal.Decimal("3.30")),
        "plan": Plan.PRO,
    }

    in_memory(default=meshline.plain).emit("lead.created", data)

    assert door.events[0].data == {
        "sum": "1.10",
        "at": "2026-04-05T06:07:00+00:00",
        "id": "00000000-0000-0000-0000-000000000001",
        "money": [{"amount": "2", "of": "2026-04-05"}],
        "model": {"id": "00000000-0000-0000-0000-000000000002", "price": "3.30"},
        "plan": "pro",
    }


def test_what_no_default_knows_is_still_refused_by_its_path(in_memory: MakeProducer) -> None:
    with pytest.raises(Refused, match=r"data\.tags: set is not JSON"):
        in_memory(default=meshline.plain).emit("lead.created", {"tags": {"a"}})


def test_an_observer_hears_what_happened_and_stops_nothing(
    in_memory: MakeProducer, door: RecordingTransport, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[meshline.Observation] = []

    def observe(one: meshline.Observation) -> None:
        seen.append(one)
        raise RuntimeError("the counter is broken")

    door.answer_next(503)
    producer = in_memory(observe=observe)
    producer.emit("lead.created", {})
    with pytest.raises(Refused):
        producer.emit("lead.created", {"set": {1}})

    assert [(one.what, one.type, one.events) for one in seen] == [
        ("retried", "lead.created", 1),
        ("accepted", "lead.created", 1),
        ("refused", "lead.created", 1),
    ]
    assert seen[0].attempt == 1 and seen[0].error
    assert "the counter is broken" in caplog.text


def test_waits_double_up_to_a_ceiling_and_are_spread() -> None:
    assert [backoff(attempt, 0.999999) for attempt in (1, 2, 3)] == pytest.approx([0.2, 0.4, 0.8])
    assert backoff(50, 0.0) == 5.0
    assert backoff(1, 0.0) == 0.1


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    now = dt.datetime(2026, 1, 1, 12, 0, 0, tzinfo=dt.UTC)

    assert retry_after("120") == 120
    assert retry_after("Thu, 01 Jan 2026 12:00:30 GMT", now) == 30
    assert retry_after("Thu, 01 Jan 2026 11:00:00 GMT", now) == 0
    assert retry_after("soon") == 0
    assert retry_after(None) == 0


def test_the_sdk_loads_nothing_but_itself_and_the_standard_library() -> None:
    script = (
        "import sys; before = set(sys.modules); import meshline, meshline.testing\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(loaded - set(sys.stdlib_module_names)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "['meshline']"
