"""Putting a dead letter back on the broker, with Kombu and without Celery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestrator.domain.errors import BrokerUnavailable, Refused

if TYPE_CHECKING:
    from orchestrator.store.views.dead_letters import DeadLetter


@contextmanager
def open_broker() -> Iterator[Callable[[DeadLetter], None]]:
    """Something that puts a letter on its queue, for the length of the block.

    Raises BrokerUnavailable where the broker does not take it, StartupFailed where there is none.
    """
    from kombu.connection import Connection
    from kombu.exceptions import OperationalError

    from orchestrator.settings import settings

    config = settings()
    options = config.celery_config()["broker_transport_options"]
    with Connection(
        config.broker,
        connect_timeout=2,
        transport_options=options,
        ssl=config.broker_tls or False,
    ) as connection:
        failures = (*connection.connection_errors, *connection.channel_errors, OperationalError)

        def post(letter: DeadLetter) -> None:
            try:
                connection.ensure_connection(max_retries=1, interval_start=0)
                _put(connection.default_channel, letter)
            except failures as error:
                raise BrokerUnavailable(f"the broker does not take it: {error}") from None

        yield post


def _put(channel: Any, letter: DeadLetter) -> None:
    if letter.headers is None:
        _put_item(channel, letter)
        return
    from kombu.utils.json import loads

    message = channel.prepare_message(
        letter.body,
        content_type=letter.content_type,
        content_encoding=letter.content_encoding,
        headers=loads(letter.headers),
        properties={"delivery_mode": 2},
    )
    # Mandatory: RabbitMQ would take a message for a queue that it has not, and lose it.
    channel.basic_publish(message, exchange="", routing_key=letter.queue, mandatory=True)


def _put_item(channel: Any, letter: DeadLetter) -> None:
    """Put back what was no message at all: an item of a Redis list."""
    if not hasattr(channel, "conn_or_acquire"):
        raise Refused(
            "it is an item of a Redis list and no message, and this broker has no lists",
            fix="`meshline dead-letters drop` it",
        )
    with channel.conn_or_acquire() as client:
        client.lpush(letter.queue, letter.body)
