"""The two queues on the broker, as everybody declares them: the chains', and the dead letters'."""

from __future__ import annotations

from typing import Any

from kombu.entity import Queue

from orchestrator.settings import settings

CHAINS = "meshline"  # Celery's default queue, see the settings
DEAD_LETTERS = "meshline.dead-letter"

MOST_COPIES = 10_000
"""Messages that lie in the dead letters' queue at most; the store keeps all of them."""

# What a message may go through before RabbitMQ takes it off the queue. A delivery is counted when
# its worker is killed or loses its connection; so it must be more than a message in its lease can
# meet with by chance. The events of a message that is taken off come back when their lease ends.
_DELIVERY_LIMIT = 20


def queue_config(broker: str) -> dict[str, Any]:
    """The part of Celery's configuration that is about queues, for this broker's address."""
    return {
        "task_queues": [_chains(broker)],
        "worker_consumer": "workers.guard.consumer:GuardedConsumer",
    }


def queue_depth(channel: Any) -> int:
    """How many chains lie on the broker that no worker has taken; the queue is made if need be.

    Raises the transport's errors.
    """
    declared = _chains(settings().broker)(channel).queue_declare()
    return int(declared.message_count)


def declare_dead_letters(channel: Any) -> int:
    """Make the dead letters' queue if need be; answers how many lie there.

    Raises the transport's errors.
    """
    declared = _dead_letters(settings().broker)(channel).queue_declare()
    return int(declared.message_count)


def _chains(broker: str) -> Queue:
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
    if not _is_rabbitmq(broker):
        return Queue(DEAD_LETTERS, durable=True)
    arguments = {"x-queue-type": "quorum", "x-max-length": MOST_COPIES}
    return Queue(DEAD_LETTERS, durable=True, queue_arguments=arguments)


def _is_rabbitmq(broker: str) -> bool:
    return broker.startswith(("amqp", "pyamqp"))
