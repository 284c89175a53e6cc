"""Processes that die at a named step: the application that writes, and the forwarder that sends.

`python -m tests.sdk.outbox.victim ROLE URL …` kills itself as `kill -9` would.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from typing import Any

from meshline import Producer, outbox
from meshline.outbox import Database, Forwarder, OutboxTable
from tests.sdk.outbox.apps import open_connection

STEPS = ("begun", "lead inserted", "event inserted", "committed")
"""After which an application may die."""

TURNS = ("before the lease", "before the send", "before the delete", "after the delete")
"""Where a forwarder may die."""


def keep_lead(connection: Any, owner: str, step: int, done: Callable[[str], None]) -> None:
    """Insert a lead and its event in one transaction, and say each step that is done."""
    lead = f"{owner}-{step}"
    cursor = connection.cursor()
    cursor.execute(f"INSERT INTO leads (id, owner, step) VALUES ('{lead}', '{owner}', {step})")
    cursor.close()
    done("lead inserted")
    outbox.add(
        connection,
        "lead.created",
        {"email": f"{lead}@example.com", "tier": "pro"},
        idempotency_key=lead,
        aggregate=("owner", owner),
    )
    done("event inserted")
    connection.commit()
    done("committed")


def _die_at(chosen: str) -> Callable[[str], None]:
    def done(step: str) -> None:
        if step == chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    return done


def _write_one(url: str, owner: str, step: str) -> None:
    """One lead; dies after `step`."""
    with closing(open_connection(url)) as connection:
        done = _die_at(step)
        done("begun")
        keep_lead(connection, owner, 1, done)


def _write_many(url: str, owner: str) -> None:
    """Leads of one owner, one after the other, until somebody kills it."""
    with closing(open_connection(url)) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT count(*) FROM leads WHERE owner = '{owner}'")
        (count,) = cursor.fetchone()
        connection.commit()
        cursor.close()
        while True:
            count += 1
            keep_lead(connection, owner, count, lambda _: None)


def _forward(url: str, door: str, turn: str) -> None:
    """Forward what is there; dies at `turn`."""
    done = _die_at(turn)

    class Table(OutboxTable):
        def take_lease(self, holder: str, seconds: float) -> bool:
            done("before the lease")
            return super().take_lease(holder, seconds)

        def forget(self, rows: Any) -> None:
            done("before the delete")
            super().forget(rows)
            done("after the delete")

    class Sender(Producer):
        def emit_many(self, events: Any) -> Any:
            done("before the send")
            return super().emit_many(events)

    with closing(Database(url)) as database:
        Forwarder(Table(database), Sender(door), lease=0.1).forward()


if __name__ == "__main__":
    roles: dict[str, Callable[..., None]] = {
        "one": _write_one,
        "many": _write_many,
        "forward": _forward,
    }
    roles[sys.argv[1]](*sys.argv[2:])
