"""Kombu's Redis transport, guarded: an item that is not a message is kept instead of lost.

Kombu takes an item off its list, then parses it; an item that does not parse is gone, and ends the
worker. Here it is looked at in between, where the client reads the answer to BRPOP. And no answer
of the broker ends a worker: each means that it cannot be used now.
"""

from __future__ import annotations

import logging
import time
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from typing import Any

from kombu.transport import redis, virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads
from redis import exceptions

from orchestrator.store.quarantine.dead_letters import DeadLetter
from workers.guard.bury_message import copy, keep
from workers.guard.message_shape import MOST_ITEM_BYTES, is_deep, told
from workers.guard.messages import RedisMessage

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0  # before an item that could not be kept is met again


class _GuardedQoS(redis.QoS):
    """What is taken and not yet acknowledged, on the broker and here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._without_note: set[str] = set()

    @property
    def held(self) -> dict[str, Any]:
        """By tag, what is not settled: the message if the broker has no note of it, else None."""
        return {
            tag: self._delivered[tag] if tag in self._without_note else None
            for tag in self._delivered.keys() - self._dirty
        }

    def append(self, message: Any, delivery_tag: str) -> None:
        """Write down that a message was taken; it is off its list already.

        A full broker gives messages and takes no note of it. The message is driven all the same:
        should this worker die, the lease of its events ends.
        """
        try:
            super().append(message, delivery_tag)  # type: ignore[no-untyped-call]
        except exceptions.RedisError as error:
            log.warning("the broker takes no note of a message that it gave: %s", error)
            virtual.QoS.append(self, message, delivery_tag)
            self._without_note.add(delivery_tag)

    def put_back(self, delivery_tag: str, message: Any) -> None:
        """Put a message that an earlier connection held at the head of its list.

        `message` is the whole of one that the broker has no note of, else None. Nothing happens
        where the broker has put it back before. Raises RedisError.
        """
        if message is not None:  # noted first: whatever fails then, the broker has it
            super().append(message, delivery_tag)  # type: ignore[no-untyped-call]
            self._delivered.pop(delivery_tag)  # this connection did not take it
        self.restore_by_tag(delivery_tag)  # type: ignore[no-untyped-call]

    def ack(self, delivery_tag: str) -> None:
        """Settle a message. Raises RedisError where the broker does not take it.

        It leaves its place to the next all the same: a worker whose places are all taken by
        messages that are done would take nothing more. The broker hands it out again, and it is
        dropped then.
        """
        try:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]
        except exceptions.RedisError:
            virtual.QoS.ack(self, delivery_tag)
            raise
        finally:
            self._without_note.discard(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - Kombu's
        """Refuse a message. Raises RedisError, and leaves its place, as `ack` does."""
        try:
            super().reject(delivery_tag, requeue=requeue)  # type: ignore[no-untyped-call]
        except exceptions.RedisError:
            virtual.QoS.ack(self, delivery_tag)
            raise
        finally:
            self._without_note.discard(delivery_tag)


class GuardedChannel(redis.Channel):
    """A channel whose consumers get messages only."""

    Message = RedisMessage
    QoS = _GuardedQoS

    def _create_client(self, asynchronous: bool = False) -> Any:  # noqa: FBT001, FBT002 - Kombu's
        client = super()._create_client(asynchronous)  # type: ignore[no-untyped-call]
        if asynchronous:  # the one that BRPOP's answers come through
            client.parse_response = partial(self._read, client.parse_response)
        return client

    def _connparams(self, asynchronous: bool = False) -> Any:  # noqa: FBT001, FBT002 - Kombu's
        if self.connection is None or self.connection.client is None:
            # Kombu would stumble, and the worker end. Of this Celery connects again.
            raise exceptions.ConnectionError("the connection was given up")
        return super()._connparams(asynchronous)  # type: ignore[no-untyped-call]

    def _read(
        self, parse: Callable[..., Any], connection: Any, command: str, **options: Any
    ) -> Any:
        answer = parse(connection, command, **options)
        if command != "BRPOP" or not answer:
            return answer
        key, item = bytes_to_str(answer[0]), answer[1]
        error = self._fault_of(item)
        if error is None:
            return answer
        self._keep(key, item, error)
        return None  # as if nothing had come

    def _fault_of(self, item: bytes) -> str | None:
        """Why Kombu could not make a message of it, found out by trying."""
        if len(item) > MOST_ITEM_BYTES:  # unread: what it unfolds to is many times as large
            return f"it is not a message: it has {len(item)} bytes, ours at most {MOST_ITEM_BYTES}"
        try:
            payload = loads(bytes_to_str(item))
            message = self.Message(payload, channel=self)
            if payload["properties"].get("body_encoding") == "base64":
                b64decode(payload.get("body") or "", validate=True)  # Kombu skips what is none
            where = message.delivery_info["exchange"], message.delivery_info["routing_key"]
            texts = (message.delivery_tag, *where)
            maybe = (message.content_type, message.content_encoding)
            whole = (
                isinstance(payload["properties"], dict)
                and not is_deep(payload)
                and isinstance(message.headers, dict)
                and isinstance(message.body, bytes | str | None)
                and all(isinstance(one, str) for one in texts)
                and all(isinstance(one, str | None) for one in maybe)
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, Kombu would raise it too
            return f"it is not a message: {told(error)}"
        return (
            None if whole else "it is not a message: a part of it is of the wrong kind, or too deep"
        )

    def _keep(self, key: str, item: bytes, error: str) -> None:
        queue = key.rsplit(self.sep, 1)[0]
        letter = DeadLetter(queue=queue, error=error, headers=None, body=bytes(item))
        try:
            keep(letter)
        except Exception as why:  # noqa: BLE001 - whatever it is, the item is not kept
            log.error("an item that is not a message goes back on its list: %s", why)  # noqa: TRY400
            with self.conn_or_acquire() as client:
                client.lpush(key, item)  # behind the others
            time.sleep(_PAUSE_SECONDS)
        else:
            copy(letter, self)


class GuardedTransport(redis.Transport):
    """Kombu's transport with guarded channels.

    READONLY, LOADING, MASTERDOWN, UNBLOCKED, NOREPLICAS, MISCONF, OOM, BUSY, NOPERM, WRONGPASS and
    whatever else a Redis answers: to Kombu some of them are errors of a statement, which end a
    worker. To us each is an outage.
    """

    Channel = GuardedChannel
    connection_errors = (*redis.Transport.connection_errors, exceptions.RedisError)
