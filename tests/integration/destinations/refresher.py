"""A process that makes calls with a shared login: `python -m … URL KEY DEFINITION LEASE CALLS`."""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from pathlib import Path

from connectors.definition_file import read_definition
from connectors.http.connector import HttpConnector
from connectors.http.definition import HttpDefinition
from connectors.http.wire.client import HttpClient
from orchestrator.domain.delivery.handoff import Outgoing
from orchestrator.operations.tokens.keys import sealing_keys
from orchestrator.operations.tokens.sealing import Seal
from orchestrator.operations.tokens.vault import Vault
from orchestrator.store.database.engine import Store


async def call_all(definition: HttpDefinition, vault: Vault, calls: int) -> None:
    connector = HttpConnector(definition, folder=None, client=HttpClient, tokens=lambda: vault)
    call = Outgoing(key="key", action="record", fields={"text": "hello"})
    for _ in range(calls):
        await connector.create(call)
    await connector.close()


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main(url: str, key: str, file: str, lease: str, calls: str) -> None:
    definition = read_definition(Path(file))
    assert isinstance(definition, HttpDefinition)
    with closing(Store(url)) as store:
        seal = Seal(sealing_keys(key, home=None))
        vault = Vault(store, seal, actor="worker:dispatch", lease_seconds=float(lease))
        say("begins")
        sys.stdin.readline()
        asyncio.run(call_all(definition, vault, int(calls)))
    say("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
