"""A broker that is a bag: what is in it comes in any order, more than once, or never."""

from __future__ import annotations

from typing import Any, ClassVar

from kombu.exceptions import OperationalError
from kombu.transport import virtual

from tests.model.actors import gate

ADDRESS = "model://"
TRANSPORT = f"{__name__}:Transport"


class Bag:
    """The messages that lie there, and all that ever did."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.history: list[Any] = []

    def put(self, message: Any) -> None:
        """One more."""
        self.messages.append(message)
        self.history.append(message)

    def take_all(self) -> list[Any]:
        """Everything that lies there, and leave nothing."""
        taken, self.messages[:] = list(self.messages), []
        return taken


class Channel(virtual.Channel):
    """The bag, for Kombu."""

    do_restore = False
    bag: ClassVar[Bag] = Bag()

    def _put(self, queue: str, message: Any, **_: Any) -> None:
        assert queue == "meshline"
        gate(OperationalError("the broker refuses"))
        self.bag.put(message)
        gate(OperationalError("the broker's answer is lost"))

    def _size(self, queue: str) -> int:
        return len(self.bag.messages)

    def _has_queue(self, queue: str, **_: Any) -> bool:
        return True

    def _get(self, queue: str, timeout: Any = None) -> Any:
        raise NotImplementedError("the machine takes messages from the bag")

    def _purge(self, queue: str) -> int:
        raise NotImplementedError


class Transport(virtual.Transport):
    """The way to the bag, for Kombu."""

    Channel = Channel
    global_state = virtual.BrokerState()
    driver_type = driver_name = "model"

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)  # type: ignore[no-untyped-call]
        self.state = self.global_state
