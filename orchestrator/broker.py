"""The broker, asked whether it is there."""

from __future__ import annotations

from orchestrator.domain.errors import BrokerUnavailable
from orchestrator.domain.text.masking import address_spellings, masked
from orchestrator.settings import Settings


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
