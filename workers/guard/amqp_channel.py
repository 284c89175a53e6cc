"""Kombu's transport to RabbitMQ, guarded: no answer of the broker ends a worker."""

from __future__ import annotations

from amqp.exceptions import AMQPError, MessageNacked
from kombu.transport import pyamqp

from workers.guard.messages import AmqpMessage

# Kombu divides them into those that pass and those that do not. To a worker all of them mean that
# the broker cannot be used now: a host that is missing may be made, a right may be given back.
_ANY_ANSWER = (*pyamqp.Transport.connection_errors, AMQPError, MessageNacked)


class GuardedChannel(pyamqp.Channel):
    """A channel that unfolds nothing."""

    Message = AmqpMessage


class _Connection(pyamqp.Connection):
    Channel = GuardedChannel


class GuardedTransport(pyamqp.Transport):
    """Kombu's transport with guarded channels."""

    Connection = _Connection
    connection_errors = _ANY_ANSWER
    recoverable_connection_errors = _ANY_ANSWER


class GuardedTlsTransport(pyamqp.SSLTransport):
    """The same over TLS."""

    Connection = _Connection
    connection_errors = _ANY_ANSWER
    recoverable_connection_errors = _ANY_ANSWER
