"""What the SDK does on its oldest and newest Python: run by each, with a door's url."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import sqlite3
import sys
import tempfile
import uuid
from dataclasses import dataclass

import meshline
from meshline import Event, Producer, Refused, outbox


@dataclass
class Line:
    price: decimal.Decimal


def forwarded(file: str, producer: Producer) -> int:
    """How many events an outbox in a file hands over."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        for statement in outbox.ddl("sqlite"):
            connection.execute(statement)
        outbox.add(connection, "lead.created", {}, aggregate=("lead", 1))
        connection.commit()
    with contextlib.closing(outbox.Database(f"sqlite:///{file}")) as database:
        return outbox.Forwarder(outbox.OutboxTable(database), producer).forward().sent


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
    with tempfile.TemporaryDirectory() as folder, Producer(url, key="k") as producer:
        assert forwarded(f"{folder}/app.db", producer) == 1
    sys.stdout.write(f"{first.id} {meshline.__version__}")


if __name__ == "__main__":
    main(sys.argv[1])
