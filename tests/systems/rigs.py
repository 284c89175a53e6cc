"""A shipped definition, pointed at a system that runs here, and one call at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from connectors.handoff.single import hand_over
from connectors.registry import load_connectors
from orchestrator.domain.delivery.handoff import Connector, Made, Outcome, Outgoing

_HERE = """\
connector: {name}-here
extends: {name}
base_url: {url}
private_network: true
{more}
"""


def shipped(name: str) -> str:
    """The text of a shipped definition."""
    return (Path(__file__).parents[2] / "connectors/definitions" / f"{name}.yaml").read_text()


def write_definition(folder: Path, name: str, url: str, *, more: str = "") -> str:
    """Write a definition that extends a shipped one; its name."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(_HERE.format(name=name, url=url, more=more))
    return f"{name}-here"


class Bench:
    """One action of one connector, with what a call of it usually sends."""

    def __init__(
        self,
        connector: Connector,
        action: str,
        fields: Mapping[str, object],
        run: asyncio.Runner,
    ) -> None:
        self.connector = connector
        self.action = action
        self.fields = fields
        self._run = run

    def hand_over(
        self,
        key: str,
        *,
        look_first: bool = False,
        known: str | None = None,
        undo: bool = False,
        **changed: object,
    ) -> Outcome:
        """Hand over one delivery, and confirm every field of it that can be read."""
        call = self._call(key, changed)
        readable = self.connector.actions[self.action].readable
        confirm = tuple(name for name in call.fields if name in readable)
        return self._run.run(
            hand_over(
                self.connector,
                call,
                confirm=confirm,
                look_first=look_first,
                known=known,
                undo=undo,
            )
        )

    def look_up(self, key: str) -> str | None:
        """The record that the system has for a key."""
        found = self._run.run(self.connector.lookup(self._call(key, {})))
        return found.record_id if isinstance(found, Made) else found

    def read(self, key: str, record_id: str) -> Mapping[str, object]:
        """The fields of a record, as its system tells them."""
        record = self._run.run(self.connector.read(self._call(key, {}), record_id))
        assert record is not None
        return record.fields

    def _call(self, key: str, changed: Mapping[str, object]) -> Outgoing:
        return Outgoing(key=key, action=self.action, fields={**self.fields, **changed})


@contextmanager
def bench_at(
    folder: Path,
    name: str,
    url: str,
    *,
    action: str,
    fields: Mapping[str, object],
    more: str = "",
) -> Iterator[Bench]:
    """A bench for a shipped definition at an address of this machine."""
    here = write_definition(folder, name, url, more=more)
    with asyncio.Runner() as run:
        connector = load_connectors(folder)[here]
        yield Bench(connector, action, fields, run)
        run.run(connector.close())
