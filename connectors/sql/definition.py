"""What a YAML definition of a table in somebody's database may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from connectors.definition.shared_keys import Definition, Spared, Strict, compared, zoned
from connectors.definition.values import FieldName, Places, Secret, Slug
from orchestrator.domain.delivery.handoff import Action, Idempotency, Proof

_TABLE = r"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$"


class SqlAction(Spared, Strict):
    """One row in one table."""

    table: Annotated[str, StringConstraints(pattern=_TABLE)]  # or schema.table
    write: Literal["insert", "upsert"] = "insert"
    key_column: str | None = None  # insert: the unique column that holds the key
    by: FieldName | None = None  # upsert: the field whose column is unique
    columns: Places  # by field the column, and what the database may change about its value
    optional: tuple[FieldName, ...] = ()  # fields that need not be sent

    @property
    def unique_column(self) -> str:
        """The column that finds the row."""
        if self.write == "upsert":
            return str(self.columns[self.by].at)
        return self.key_column or ""


class SqlDefinition(Definition):
    """Tables of one database, written through SQLAlchemy."""

    kind: Literal["sql"]
    url: Secret  # as SQLAlchemy writes it: postgresql://user:password@host/name
    connections: int = Field(5, ge=1, le=50)  # at once, from one worker process
    actions: dict[Slug, SqlAction] = Field(min_length=1)


def sql_action_of(name: str, said: SqlAction) -> Action:
    """An action of a definition as the port knows it: a unique column keeps a row the only one."""
    fields = frozenset(said.columns)
    return Action(
        name=name,
        idempotency=Idempotency.NATIVE_KEY,
        proof=Proof.READ_BACK,
        required=fields - set(said.optional),
        optional=fields & set(said.optional),
        readable=fields,
        compare=compared(said.columns),
        zones=zoned(said.columns),
        settle_seconds=said.settle_seconds,
        timeout_seconds=said.timeout_seconds,
        max_in_flight=said.max_in_flight,
        can_undo=said.write == "insert",
    )
