"""A delivery, driven as the store would drive it, until it is settled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.definition_file import read_definition
from connectors.handoff.single import hand_over
from connectors.http.connector import HttpConnector
from connectors.http.definition import HttpDefinition
from connectors.http.wire.client import HttpClient
from orchestrator.domain.delivery.handoff import Connector, Outcome, Outgoing
from orchestrator.domain.delivery.retries import RetryPolicy
from orchestrator.pipeline.settle import Done, GiveUp, TryAgain, settle
from tests.vendors.cases import Case
from tests.vendors.stand_ins.server import StandIn

KEY = "0193a0c8e5f07b3ea2f1.desk"
OTHER_KEY = "0193a0c8e5f07b3ea2f2.desk"
_POLICY = RetryPolicy(limit=6)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One action with its connector and its stand-in."""

    case: Case
    connector: Connector
    stand_in: StandIn

    def call(self, key: str = KEY, fields: Mapping[str, object] | None = None) -> Outgoing:
        sent = self.case.fields if fields is None else fields
        return Outgoing(key=key, action=self.case.action, fields=sent)

    async def hand(
        self,
        key: str = KEY,
        fields: Mapping[str, object] | None = None,
        *,
        look_first: bool = False,
        known: str | None = None,
        undo: bool = False,
    ) -> Outcome:
        """One call."""
        call = self.call(key, fields)
        confirm = tuple(name for name in self.case.confirm if name in call.fields)
        return await hand_over(
            self.connector, call, confirm=confirm, look_first=look_first, known=known, undo=undo
        )

    def stored(self) -> int:
        """How many records of the action's kind there are."""
        return len(self.stand_in.of(self.case.kind))


@asynccontextmanager
async def bench_of(
    case: Case,
    environment: pytest.MonkeyPatch,
    folder: Path,
    *,
    stand_in: StandIn | None = None,
    through: Callable[[str], str] = lambda url: url,
    written: str = "",
) -> AsyncIterator[Bench]:
    """The shipped definition with the stand-in's address, and what is `written` over it."""
    server = case.stand_in() if stand_in is None else stand_in
    case.prepare(server)
    await server.start()
    try:
        for name, value in case.environment.items():
            environment.setenv(name, value.replace("URL", server.url))
        address = case.address.replace("URL", through(server.url))
        file = folder / "client.yaml"
        file.write_text(
            f"connector: client\nextends: {case.connector}\n"
            f"base_url: {address}\nprivate_network: true\n{written}"
        )
        definition = read_definition(file)
        assert isinstance(definition, HttpDefinition)
        connector = HttpConnector(definition, folder=folder, client=HttpClient)
        try:
            yield Bench(case=case, connector=connector, stand_in=server)
        finally:
            await connector.close()
    finally:
        await server.stop()


async def drive(
    bench: Bench,
    *,
    longest: float,
    meanwhile: Callable[[], Awaitable[None]],
    call: Outgoing | None = None,
    unknown: bool = False,
) -> Done | GiveUp:
    """Hand over, and again as often and as late as `settle` says; its clock is the stand-in's.

    `meanwhile` is what happens elsewhere while the delivery waits.
    """
    action = bench.connector.actions[bench.case.action]
    attempt, known = 1, None
    while True:
        outcome = await hand_over(
            bench.connector,
            call or bench.call(),
            confirm=bench.case.confirm,
            look_first=unknown,
            known=known,
            longest=longest,
        )
        settled = settle(outcome, attempt=attempt, action=action, policy=_POLICY, jitter=0.5)
        if not isinstance(settled, TryAgain):
            assert isinstance(settled, Done | GiveUp)
            return settled
        await meanwhile()
        bench.stand_in.pass_by(settled.after_seconds)
        unknown, known = settled.unknown, settled.record_id
        attempt += settled.counts
