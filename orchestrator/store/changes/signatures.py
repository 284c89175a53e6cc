"""Signatures of decisions, as rows: what was signed, and by which key."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from orchestrator.domain.changes.statement import Signed
from orchestrator.store.database.schema import change_signatures


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A signed decision."""

    key: int  # its row in `signing_keys`
    message: str  # the text, to the byte
    signature: str


def add_signature(tx: Connection, decision: int, *, key: int, signed: Signed) -> None:
    """Keep it beside its decision."""
    values: dict[str, object] = {"decision_id": decision, "key_id": key}
    values |= {"message": signed.message, "signature": signed.signature}
    tx.execute(insert(change_signatures).values(**values))


def find_signature(tx: Connection, decision: int) -> Signature | None:
    """The signature of a decision; None: it was not signed."""
    table = change_signatures.c
    row = tx.execute(select(change_signatures).where(table.decision_id == decision)).one_or_none()
    if row is None:
        return None
    return Signature(key=row.key_id, message=row.message, signature=row.signature)
