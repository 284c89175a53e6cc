"""The broker: its two queues, whether it is there, and putting a message back on it.

Kombu is loaded by what needs it; Celery never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestrator.domain.errors import BrokerUnavailable, Refused
from orchestrator.domain.text.masking import address_spellings, masked
from orchestrator.settings import Settings, settings

if TYPE_CHECKING:
    from kombu.entity import Queue

    from orchestrator.store.quarantine.dead_letters import DeadLetter

CHAINS = "meshline"  # Celery's default queue, see the settings
DEAD_LETTERS = "meshline.dead-letter"

MOST_COPIES = 10_000
"""Messages that lie in the dead letters' queue at most; the store keeps all of them."""

# What a message may go through before RabbitMQ takes it off the queue. A delivery is counted when
# its worker is killed or loses its connection; so it must be more than a message in its lease can
# meet with by chance. The events of a message that is taken off come back when their lease ends.
_DELIVERY_LIMIT = 20


def call_broker(config: Settings) -> None:
    """Call the broker once. Raises StartupFailed where there is none, BrokerUnavailable."""
    from kombu.connection import Connection

    options = config.celery_config()["broker_transport_options"]
    quick = dict.fromkeys(("socket_timeout", "socket_connect_timeout", "connect_timeout"), 2)
    try:
        connection = Connection(
            config.broker,
            connect_timeout=2,
            transport_options=options | quick,
            ssl=config.broker_tls or False,
        )
        transport = connection.transport  # one try: kombu's own connect() tries again, and waits
    except KeyError as error:
        raise BrokerUnavailable(str(error)) from None
    try:
        transport.close_connection(transport.establish_connection())
    except connection.connection_errors + connection.channel_errors as error:
        told = masked(str(error), address_spellings(config.broker))
        raise BrokerUnavailable(f"the broker does not answer: {told}") from None


def queue_depth(channel: Any) -> int:
    """How many chains lie on the broker that no worker has taken; the queue is made if need be.

    Raises the transport's errors.
    """
    declared = chains_queue(settings().broker)(channel).queue_declare()
    return int(declared.message_count)


def declare_dead_letters(channel: Any) -> int:
    """Make the dead letters' queue if need be; answers how many lie there.

    Raises the transport's errors.
    """
    declared = _dead_letters(settings().broker)(channel).queue_declare()
    return int(declared.message_count)


def chains_queue(broker: str) -> Queue:
    """The queue of the chains, as everybody declares it on this broker."""
    from kombu.entity import Queue

    if not _is_rabbitmq(broker):
        return Queue(CHAINS, durable=True)
    arguments = {
        "x-queue-type": "quorum",
        "x-delivery-limit": _DELIVERY_LIMIT,
        # The exchange without a name puts a message on the queue that the key names.
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": DEAD_LETTERS,
    }
    return Queue(CHAINS, durable=True, queue_arguments=arguments)


def _dead_letters(broker: str) -> Queue:
    from kombu.entity import Queue

    if not _is_rabbitmq(broker):
        return Queue(DEAD_LETTERS, durable=True)
    arguments = {"x-queue-type": "quorum", "x-max-length": MOST_COPIES}
    return Queue(DEAD_LETTERS, durable=True, queue_arguments=arguments)


def _is_rabbitmq(broker: str) -> bool:
    return broker.startswith(("amqp", "pyamqp"))


@contextmanager
def open_broker() -> Iterator[Callable[[DeadLetter], None]]:
    """Something that puts a letter on its queue, for the length of the block.

    Raises BrokerUnavailable where the broker does not take it, StartupFailed where there is none.
    """
    from kombu.connection import Connection
    from kombu.exceptions import OperationalError

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
    """Put back what was not a message at all: an item of a Redis list."""
    if not hasattr(channel, "conn_or_acquire"):
        raise Refused(
            "it is an item of a Redis list and no message, and this broker has no lists",
            fix="`meshline dead-letters drop` it",
        )
    with channel.conn_or_acquire() as client:
        client.lpush(letter.queue, letter.body)
