"""What the SDK does on its oldest and newest Python: run by each, with a door's url."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import sys
import tempfile
import uuid
from dataclasses import dataclass

import meshline
from meshline import Event, Producer, Refused


@dataclass
class Line:
    price: decimal.Decimal


def main(url: str) -> None:
    seen: list[str] = []
    with Producer(
        url, key="k", default=meshline.plain, observe=lambda one: seen.append(one.what)
    ) as producer:
        data = {
            "when": dt.datetime(2026, 4, 5, tzinfo=dt.timezone.utc),  # noqa: UP017 - Python 3.9
            "id": uuid.UUID(int=1),
            "lines": [Line(decimal.Decimal("1.10"))],
        }
        first = producer.emit("lead.created", data, idempotency_key="form-1")
        assert producer.emit("lead.created", data, idempotency_key="form-1").duplicate
        assert len(producer.emit_many(Event("lead.created", number) for number in range(3))) == 3
        with contextlib.suppress(Refused):
            producer.emit("lead.created", {"set": {1}})
    with tempfile.TemporaryDirectory() as folder:
        spool = f"{folder}/events.spool"
        with Producer("http://127.0.0.1:9", key="k", spool=spool, forward=False) as away:
            assert away.emit("lead.created", "kept").spooled
        with Producer(url, key="k", spool=spool, forward=False) as back:
            assert back.flush() == 0
    assert seen == ["accepted", "accepted", "accepted", "refused"], seen
    sys.stdout.write(f"{first.id} {meshline.__version__}")


if __name__ == "__main__":
    main(sys.argv[1])
