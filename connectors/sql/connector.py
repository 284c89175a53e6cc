"""A row in a table of somebody's database: written once, read back, taken back by its key.

Names of tables and columns come from the definition alone; every value is bound. A unique column
keeps a row the only one, however often it is sent, so the database itself is the native key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import orjson

from connectors.definition.references import UnresolvedReference, resolve
from connectors.definition.shared_keys import limits_of
from connectors.sql.definition import SqlAction, SqlDefinition, sql_action_of
from orchestrator.domain.delivery.handoff import Action, Limits, Outgoing, Record
from orchestrator.domain.errors import DestinationRefused, DestinationUnavailable, Unauthorized

if TYPE_CHECKING:
    from connectors.sql.client import Database

_Answer = TypeVar("_Answer")


class SqlConnector:
    """Tables of one database, as its definition says."""

    def __init__(self, definition: SqlDefinition, *, folder: Path | None) -> None:
        self.name = definition.connector
        self._definition = definition
        self._folder = folder
        self._database: Database | None = None
        self._actions = {
            name: sql_action_of(name, said) for name, said in definition.actions.items()
        }

    @property
    def actions(self) -> Mapping[str, Action]:
        """The actions by name."""
        return self._actions

    @property
    def limits(self) -> Limits:
        """What the database is spared."""
        return limits_of(self._definition)

    @property
    def masks(self) -> frozenset[str]:
        """What nobody may be shown of the database's words: known after the first call."""
        return self._database.masks if self._database else frozenset()

    async def create(self, call: Outgoing) -> str:
        """Write the row; what its unique column holds."""
        said = self._definition.actions[call.action]
        values = {said.columns[name].at: _bound(value) for name, value in call.fields.items()}
        unique = self._unique(said, call)
        if said.write == "insert":
            values[said.unique_column] = unique
        change = said.write == "upsert"
        await self._ask(lambda to: to.put(said.table, said.unique_column, values, change=change))
        return str(unique)

    def render(self, call: Outgoing) -> None:
        """Bind the row that `create` would write. Raises DestinationRefused."""
        said = self._definition.actions[call.action]
        self._unique(said, call)
        if unknown := sorted(call.fields.keys() - said.columns.keys()):
            raise DestinationRefused(f"{unknown[0]} has no column")

    async def lookup(self, call: Outgoing) -> str | None:
        """The key, where there is a row with it; None where there is none."""
        record = await self.read(call, call.key)
        return record.id if record else None

    async def read(self, call: Outgoing, record_id: str) -> Record | None:
        """The row as stored, in the words of JSON, or None where it is not there."""
        said = self._definition.actions[call.action]
        columns = [place.at for place in said.columns.values()]
        unique = self._unique(said, call)
        row = await self._ask(lambda to: to.get(said.table, said.unique_column, unique, columns))
        if row is None:
            return None
        stored = {name: row[place.at] for name, place in said.columns.items()}
        fields = {name: _as_sent(value, call.fields.get(name)) for name, value in stored.items()}
        return Record(id=record_id, fields=fields)

    async def undo(self, call: Outgoing, record_id: str) -> None:
        """Delete the row that an insert made; one that is gone already is taken back."""
        said = self._definition.actions[call.action]
        if said.write != "insert":
            raise DestinationRefused(f"{call.action} cannot be taken back")
        await self._ask(lambda to: to.delete(said.table, said.unique_column, record_id))

    async def close(self) -> None:
        """Give connections back."""
        database, self._database = self._database, None
        if database is not None:
            database.close()

    async def _ask(self, work: Callable[[Database], Awaitable[_Answer]]) -> _Answer:
        try:
            return await work(self._open())
        except Unauthorized:
            await self.close()  # the password may have been changed; the next call reads it anew
            raise

    def _unique(self, said: SqlAction, call: Outgoing) -> object:
        """What finds the row. Raises DestinationRefused where it is null."""
        value = call.key if said.by is None else call.fields[said.by]
        if value is None:
            raise DestinationRefused(f"{said.by} is null, and the row is found by it")
        return _bound(value)

    def _open(self) -> Database:
        if self._database is None:
            from connectors.sql.client import Database

            try:
                url = resolve(self._definition.url, folder=self._folder)
                self._database = Database(url, connections=self._definition.connections)
            except UnresolvedReference as error:
                raise DestinationUnavailable(str(error)) from None
        return self._database


def check_database(definition: SqlDefinition, folder: Path | None) -> None:
    """See whether this machine knows the address. Raises UnresolvedReference."""
    from connectors.sql.client import address_of

    address_of(resolve(definition.url, folder=folder))


def _bound(value: object) -> object:
    """A value as a driver takes it: a list or an object is kept as JSON."""
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value


def _as_sent(stored: object, sent: object) -> object:
    """A stored value as JSON has it; where it says what was sent in its own way, what was sent."""
    if isinstance(sent, bool) and stored in (0, 1):
        return bool(stored)
    if isinstance(stored, Decimal):
        return int(stored) if stored == stored.to_integral_value() else float(stored)
    if isinstance(stored, date | time | UUID):
        return sent if _means(stored, sent) else str(stored)
    if isinstance(sent, list | dict) and isinstance(stored, str):
        try:
            return orjson.loads(stored)
        except orjson.JSONDecodeError:
            return stored
    return stored


def _means(stored: object, sent: object) -> bool:
    reader = _READERS.get(type(stored))
    if reader is None or not isinstance(sent, str):
        return False
    try:
        return bool(stored == reader(sent))
    except ValueError:
        return False


_READERS: Mapping[type, Callable[[str], object]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    time: time.fromisoformat,
    UUID: UUID,
}
