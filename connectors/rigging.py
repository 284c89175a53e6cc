"""A connector with a destination behind it, for the suite in `connectors.conformance`."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from connectors.handoff.single import hand_over
from orchestrator.domain.delivery.handoff import Action, Connector, Outcome, Outgoing, Proof


class Rig(ABC):
    """A connector with a destination behind it that a test can count in and break."""

    connector: Connector
    action: str
    fields: Mapping[str, object]  # what is sent
    says_when = True  # whether a busy destination can say when to come back
    secret = ""  # what no error may show

    @abstractmethod
    async def start(self) -> None:
        """Bring the destination up, in the loop that calls it."""

    @abstractmethod
    async def stop(self) -> None:
        """Take the destination down, and close the connector."""

    def another(self, number: int) -> Mapping[str, object]:
        """Fields of another record than that of `fields`; needed where a destination folds."""
        del number
        return self.fields

    @abstractmethod
    def effects(self, key: str) -> int:
        """How many records there are of the delivery with this key."""

    @abstractmethod
    def lose_next_answer(self) -> None:
        """Let the next write be stored and its answer be lost."""

    @abstractmethod
    def refuse_next(self) -> None:
        """Let the next write be refused for good."""

    @abstractmethod
    def limit_next(self, seconds: int) -> None:
        """Let the next write be put off, if possible for so long."""

    @abstractmethod
    def refuse_login(self) -> None:
        """Stop taking our credentials."""

    @abstractmethod
    async def go_away(self) -> None:
        """Stop being reachable."""


class Bench:
    """A rig, set up, and one call at a time."""

    def __init__(self, rig: Rig, run: Callable[..., Any]) -> None:
        self.rig = rig
        self.run = run

    @property
    def action(self) -> Action:
        """The action that is tested."""
        return self.rig.connector.actions[self.rig.action]

    def hand_over(
        self,
        key: str,
        fields: Mapping[str, object] | None = None,
        *,
        look_first: bool = False,
        known: str | None = None,
        undo: bool = False,
    ) -> Outcome:
        """Hand over the rig's fields, or these."""
        sent = dict(self.rig.fields if fields is None else fields)
        call = Outgoing(key=key, action=self.rig.action, fields=sent)
        readable = self.action.readable
        confirm = tuple(name for name in sent if not readable or name in readable)
        handoff = hand_over(
            self.rig.connector,
            call,
            confirm=confirm if self.action.proof is Proof.READ_BACK else (),
            look_first=look_first,
            known=known,
            undo=undo,
        )
        outcome: Outcome = self.run(handoff)
        return outcome


@contextmanager
def set_up(rig: Rig, run: Callable[..., Any] | None = None) -> Iterator[Bench]:
    """A bench for the length of the block, in an event loop of its own unless `run` is given."""
    if run is None:
        with asyncio.Runner() as runner, set_up(rig, runner.run) as bench:
            yield bench
        return
    run(rig.start())
    try:
        yield Bench(rig, run)
    finally:
        run(rig.stop())
