"""Burying a message that cannot be read: the store first, then a copy on a queue of its own."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import Any

from kombu.utils.json import dumps

from orchestrator.broker import CHAINS, DEAD_LETTERS, MOST_COPIES, declare_dead_letters
from orchestrator.settings import settings
from orchestrator.store.database.migrate import open_store
from orchestrator.store.quarantine.dead_letters import MOST_KEPT_BYTES, DeadLetter, keep_dead_letter

log = logging.getLogger(__name__)

# What brokers write on a message that they deliver again: no part of it.
_MARKS = ("redelivered", "x-delivery-count", "x-acquired-count", "x-death")
_MARKED = ("x-first-death-", "x-last-death-")


def letter_of(message: Any, error: str) -> DeadLetter:
    """A Kombu message that came in whole, as it was sent."""
    headers = {name: value for name, value in message.headers.items() if not _is_mark(name)}
    if not message.errors:  # else Kombu could not undo it
        headers.pop("compression", None)
    task, body = headers.get("task"), message.body or b""
    return DeadLetter(
        queue=CHAINS,  # the one that workers take from; what a message says of itself may be wrong
        task=None if task is None else str(task),
        error=error,
        headers=_as_json(headers),
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        body=body.encode(errors="surrogatepass") if isinstance(body, str) else bytes(body),
    )


def keep(letter: DeadLetter) -> None:
    """Write it down, once however often it is delivered.

    Raises StoreUnavailable and its kin: then the message may not leave the queue.
    """
    # A store of its own, for a moment: this is the process that worker processes are forked from,
    # and a connection must not go with them.
    with closing(open_store(settings().store_url)) as store, store.write() as tx:
        number = keep_dead_letter(tx, letter)
    if number is not None:
        log.error("dead letter %d from %r: %r", number, letter.queue, letter.error)


def copy(letter: DeadLetter, channel: Any) -> None:
    """Put a copy where other tools look; if that fails it is only told: the store has it."""
    try:
        if declare_dead_letters(channel) >= MOST_COPIES:
            return
        headers = {"x-meshline-error": letter.error[:500], "x-meshline-queue": letter.queue}
        if letter.is_long:
            headers["x-meshline-cut-from"] = str(letter.size)
        message = channel.prepare_message(
            letter.body[:MOST_KEPT_BYTES],
            content_type=letter.content_type,
            content_encoding=letter.content_encoding,
            headers=headers,
            properties={"delivery_mode": 2},
        )
        channel.basic_publish(message, exchange="", routing_key=DEAD_LETTERS)
    except Exception as error:  # noqa: BLE001 - each transport has errors of its own
        log.warning("no copy of the dead letter on %s: %s", DEAD_LETTERS, error)


def _as_json(headers: dict[str, Any]) -> str:
    try:
        return str(dumps(headers))
    except (TypeError, ValueError, RecursionError) as error:
        return str(dumps({"unreadable": type(error).__name__}))


def _is_mark(name: object) -> bool:
    return name in _MARKS or (isinstance(name, str) and name.startswith(_MARKED))
