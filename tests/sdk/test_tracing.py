"""An event carries the trace of who sends it, by whichever way, and a trace costs no event."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from opentelemetry import trace as otel

from meshline import AsyncProducer, Event, Refused, outbox
from meshline.outbox import Forwarder
from meshline.spool import Spool
from meshline.testing import RecordingTransport
from meshline.tracing import trace_of
from tests.sdk.conftest import MakeProducer
from tests.sdk.outbox.apps import open_connection, prepare

GIVEN, OTHER = f"00-{'a' * 32}-{'b' * 16}-01", f"00-{'c' * 32}-{'d' * 16}-00"
SPAN = f"00-{17:032x}-{18:016x}-01"


@pytest.fixture
def span() -> Iterator[None]:
    """A span of OpenTelemetry that is current."""
    state = otel.TraceState([("rojo", "1")])
    context = otel.SpanContext(17, 18, is_remote=False, trace_flags=otel.TraceFlags(1),
                               trace_state=state)  # fmt: skip
    with otel.use_span(otel.NonRecordingSpan(context)):
        yield


def said(door: RecordingTransport) -> list[tuple[str | None, str | None]]:
    return [(event.traceparent, event.tracestate) for event in door.events]


def test_a_trace_is_given_with_the_event_or_by_the_producers_hook(
    in_memory: MakeProducer, door: RecordingTransport
) -> None:
    producer = in_memory(trace=lambda: {"traceparent": OTHER, "tracestate": "rojo=1"})

    producer.emit("a", 1, traceparent=GIVEN, tracestate="blue=2")
    producer.emit("a", 2)
    producer.emit_many([Event("a", 3, traceparent=GIVEN), Event("a", 4)])
    in_memory(trace=lambda: OTHER).emit("a", 5)

    by_hook = (OTHER, "rojo=1")
    assert said(door) == [(GIVEN, "blue=2"), by_hook, (GIVEN, None), by_hook, (OTHER, None)]


def test_the_current_span_of_opentelemetry_is_found_unless_a_hook_says_none(
    in_memory: MakeProducer, door: RecordingTransport, span: None
) -> None:
    in_memory().emit("a", 1)
    in_memory(trace=lambda: None).emit("a", 2)
    asyncio.run(AsyncProducer("http://door.example", key="k", transport=door).emit("a", 3))

    assert said(door) == [(SPAN, "rojo=1"), (None, None), (SPAN, "rojo=1")]


def test_opentelemetry_is_never_loaded() -> None:
    code = "import sys, meshline; from meshline.tracing import trace_of; "
    code += "print(trace_of(meshline.Event('a', 1), None), 'opentelemetry' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "{} False\n"


@pytest.mark.parametrize("bad", ["", "nonsense", GIVEN.upper(), f"00-{'0' * 32}-{'b' * 16}-01", 7])
def test_what_is_no_trace_is_left_out(bad: object) -> None:
    def fails() -> str:
        raise RuntimeError("no tracer")

    assert trace_of(Event("a", 1, traceparent=bad), None) == {}  # type: ignore[arg-type]
    assert trace_of(Event("a", 1), fails) == {}
    assert trace_of(Event("a", 1, traceparent=GIVEN, tracestate="a=1\nb"), None) == {
        "traceparent": GIVEN
    }


def test_the_spool_keeps_it_and_takes_the_same_event_in_another_trace(
    in_memory: MakeProducer, door: RecordingTransport, tmp_path: Path
) -> None:
    producer = in_memory(spool=tmp_path / "s.spool", forward=False, attempts=1)
    door.cut_next(times=1)

    producer.emit("a", 1, idempotency_key="k", traceparent=GIVEN, tracestate="rojo=1")
    producer.emit("a", 1, idempotency_key="k", traceparent=OTHER)
    with pytest.raises(Refused, match="another payload"):
        producer.emit("a", 2, idempotency_key="k", traceparent=GIVEN)

    with closing(Spool(tmp_path / "s.spool")) as spool:
        assert [json.loads(one.body)["traceparent"] for one in spool.every()] == [GIVEN]
    assert producer.flush(1) == 0
    assert said(door) == [(GIVEN, "rojo=1")]
    producer.close()


def test_the_outbox_keeps_it(
    in_memory: MakeProducer, door: RecordingTransport, tmp_path: Path, span: None
) -> None:
    (tmp_path / "app.db").touch()
    url = f"sqlite:///{tmp_path / 'app.db'}"
    prepare(url)
    with closing(open_connection(url)) as connection:
        outbox.add(connection, "a", 1, traceparent=GIVEN)
        outbox.add(connection, "a", 2)
        outbox.add(connection, "a", 3, traceparent="")
        connection.commit()

    with closing(outbox.Database(url)) as database:  # the forwarder's own span is another's
        Forwarder(outbox.OutboxTable(database), in_memory(trace=lambda: OTHER)).forward()

    assert said(door) == [(GIVEN, None), (SPAN, "rojo=1"), (None, None)]
