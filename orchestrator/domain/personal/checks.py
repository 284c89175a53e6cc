"""What the author of a contract should know of its personal fields."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from orchestrator.domain.contracts.document import dotted, subschemas
from orchestrator.domain.errors import Fault
from orchestrator.domain.personal.marks import MARK, mark_faults
from orchestrator.domain.personal.names import holds_a_choice, looks_personal
from orchestrator.domain.personal.places import PersonalPlaces
from orchestrator.domain.text.abbreviate import shorten

_MOST_NOTES = 20


def personal_faults(contract: Mapping[str, object]) -> list[Fault]:
    """Marks that are written wrongly; as notes, fields whose names look personal without a mark."""
    return [*mark_faults(contract), *islice(_notes(contract), _MOST_NOTES)]


def _notes(contract: Mapping[str, object]) -> list[Fault]:
    """`x-pii: false` says that somebody looked: such a field has no note."""
    where = {id(schema): path for path, schema in subschemas(contract)}
    notes = []
    for one in PersonalPlaces(contract).unmarked():
        if not looks_personal(one.name, one.holder) or holds_a_choice(one.schemas):
            continue
        if any(MARK in schema for schema in one.schemas):
            continue
        path = next((where[id(schema)] for schema in one.schemas if id(schema) in where), ())
        notes.append(
            Fault(
                path=dotted(("contract", *path)),
                problem=f"`{shorten(one.name)}` looks personal, and everybody who may look sees it",
                fix=f"mark it `{MARK}: true`, or `{MARK}: false` where it tells of nobody",
                is_note=True,
            )
        )
    return notes
