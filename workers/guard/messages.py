"""Kombu's messages as a worker takes them: never unfolded, and never worth a traceback."""

from __future__ import annotations

import logging
from typing import Any

from kombu import message
from kombu.transport import pyamqp, virtual

log = logging.getLogger(__name__)


class CompressedMessage(Exception):
    """Raised when a message says that it is compressed; none of ours is."""


def refuse_compression(headers: object) -> list[Any]:
    """What Kombu takes for errors that it met before; then it leaves the body as it came."""
    if not isinstance(headers, dict) or not headers.get("compression"):
        return []
    error = CompressedMessage("it says that it is compressed, and no message of ours is")
    return [(CompressedMessage, error, None)]


class _Quiet(message.Message):
    """Where the broker does not take an acknowledgement, it delivers the message again."""

    def ack_log_error(self, _logger: Any, errors: Any, multiple: bool = False) -> None:  # noqa: FBT001, FBT002 - Kombu's
        try:
            self.ack(multiple=multiple)  # type: ignore[no-untyped-call]
        except errors as error:
            log.warning("the broker was not told that a message is done: %s", error)

    def reject_log_error(self, _logger: Any, errors: Any, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - Kombu's
        try:
            self.reject(requeue=requeue)  # type: ignore[no-untyped-call]
        except errors as error:
            log.warning("the broker was not told that a message is refused: %s", error)


class RedisMessage(_Quiet, virtual.Message):
    """A message off a Redis list."""

    def __init__(self, payload: Any, channel: Any = None, **more: Any) -> None:
        self.errors = refuse_compression(payload.get("headers"))
        super().__init__(payload, channel=channel, **more)  # type: ignore[no-untyped-call]


class AmqpMessage(_Quiet, pyamqp.Message):
    """A message of RabbitMQ's."""

    def __init__(self, msg: Any, channel: Any = None, **more: Any) -> None:
        self.errors = refuse_compression(msg.properties.get("application_headers"))
        super().__init__(msg, channel=channel, **more)  # type: ignore[no-untyped-call]
