"""What goes from one part to another is a typed value: mypy sees every field that others read.

Parameters, results and fields that the store, the use cases and the domain show to others hold no
`Any`, no mapping of it and no row of SQLAlchemy. What may is named here, each with its reason.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import orchestrator

_ROOT = Path(orchestrator.__file__).parent
_ROOMS = ("store", "operations", "domain")
_BLIND = {"Any", "Row", "AnyRow", "View"}
# `Select[Any]` says that it is a statement; what its columns are SQLAlchemy cannot say.
_STATEMENTS = {"Select", "ColumnElement", "CursorResult"}
_TEXTS = {"Literal"}

Says = Callable[[ast.expr], bool]
"""Whether an annotation is one of those that are looked for."""

_A_ROW = "a row of this table, from one file of the store to another"
_SCHEMA = "a JSON Schema, or a payload's value: JSON that a stranger wrote"
_PSYCOPG = "of psycopg, which is loaded for PostgreSQL alone"

ALLOWED = {
    "domain/contracts/file.py ContractSource.contract": _SCHEMA,
    "domain/contracts/file.py ContractSource.key": _SCHEMA,
    "domain/contracts/unions.py Unions.keyword": "a class that jsonschema-rs makes an object of",
    "domain/contracts/unions.py Unions.schema": _SCHEMA,
    "domain/contracts/unions.py without_trees(schema)": _SCHEMA,
    "domain/documents/fields_of.py fields_of(value)": "any dataclass; it says when it is none",
    "domain/incidents/outcomes.py read_outcome(kept)": "JSON of our own, checked by its reader",
    "domain/recipes/steps.py Step.describe": _SCHEMA,
    "domain/recipes/steps.py Step.value": _SCHEMA,
    "domain/recipes/steps.py Step.values": _SCHEMA,
    "domain/workflows/compiled.py Parts.contract": _SCHEMA,
    "domain/workflows/workflow.py Workflow.contract": _SCHEMA,
    "store/approvals/list.py Said.group(rows)": _A_ROW,
    "store/approvals/list.py Said.head(row)": _A_ROW,
    "store/approvals/list.py rows_of_group": _A_ROW,
    "store/database/audit_values.py keep_returned(rows)": _A_ROW,
    "store/database/bell.py is_pooled(connection)": _PSYCOPG,
    "store/database/text_search.py TextSearchQuery.get_col_spec(_)": "SQLAlchemy calls it",
    "store/database/text_search.py TextSearchVector.get_col_spec(_)": "SQLAlchemy calls it",
    "store/database/upserts.py upsert": "an INSERT of one of two dialects, without a common type",
    "store/quarantine/locked_incidents.py place_of(row)": _A_ROW,
    "store/views/audit.py audited(rows)": _A_ROW,
    "store/views/events/search.py newest": _A_ROW,
    "store/views/incidents/list.py head_of": "keywords of a value, made and used in views",
    "store/views/incidents/list.py head_of(row)": _A_ROW,
}
"""What may be blind, by file and place, with its reason."""

_BY_EVENT = "payloads, by the id of their event"
_SENT = "what a tool is sent: values of a payload, by the name that a workflow gives them"

DOCUMENTS = {
    "operations/changes/propose.py Proposal.definition": "as its file has it",
    "operations/repair/diagnose.py diagnose_events(contract)": "a JSON Schema",
    "operations/repair/preview_recipe.py Preview.recipe": "a recipe as its file has it",
    "operations/repair/preview_recipe.py Preview.steps": "a recipe's steps as its file has them",
    "operations/replay/show_plan.py ShownEffect.fields": _SENT,
    "store/approvals/views.py ApprovalView.facts": "facts of an event, by their names",
    "store/approvals/views.py AskedDelivery.send": _SENT,
    "store/changes/views.py ChangeView.definition": "as its file has it",
    "store/database/prepared.py row_values": "parameters of a statement",
    "store/desk/plans.py StoredPlan.selection": "the conditions that somebody gave, by their names",
    "store/desk/plans.py add_plan(selection)": "the conditions that somebody gave, by their names",
    "store/desk/recipes.py SavedRecipe.steps": "a recipe's steps as its file has them",
    "store/destinations/circuits.py audited_end": "a part of an audit row's detail",
    "store/drive/deliveries.py Taken.fields": _SENT,
    "store/drive/waiting.py Released.send": _SENT,
    "store/quarantine/actions.py amend(amended)": _BY_EVENT,
    "store/quarantine/actions.py bodies_of_amended": _BY_EVENT,
    "store/quarantine/actions.py effective_payloads": _BY_EVENT,
    "store/quarantine/actions.py keep_amended(amended)": _BY_EVENT,
    "store/quarantine/moves.py ColumnChange.values": "columns of a table, by their names",
    "store/views/events/carried.py CarriedFields.fields": _SENT,
    "store/views/events/show.py Delivery.send": _SENT,
    "store/views/events/show.py Delivery.without_values": "a delivery as the door shows it",
    "store/views/workflow_versions.py WorkflowDefinition.definition": "as its file has it",
}
"""Mappings of anything in the store and the use cases: each is a JSON document, or named here."""


def test_what_others_read_is_a_typed_value() -> None:
    found = dict(_all_blind())

    assert sorted(found.keys() - ALLOWED.keys()) == [], "give it a frozen value, a comment a field"


def test_what_is_allowed_is_there() -> None:
    found = dict(_all_blind())

    assert sorted(ALLOWED.keys() - found.keys()) == [], "take it out of ALLOWED"


def test_a_mapping_of_anything_is_a_document_or_named() -> None:
    found = {place for place, _ in _all_blind(("store", "operations"), _is_mapping_of_anything)}
    made = {place for place in found if place.endswith((".as_json", ".describe"))}

    assert sorted(found - made) == sorted(DOCUMENTS), "give it a frozen value, a comment a field"


@pytest.mark.parametrize(
    ("annotation", "is_one"),
    [
        ("list[dict[str, object]]", True),
        ("Mapping[str, object] | None", True),
        ("dict[str, str]", False),
        ("Mapping[tuple[str, str], object]", False),
        ("Detail", False),
    ],
)
def test_mappings_of_anything_are_seen(annotation: str, is_one: bool) -> None:
    assert _is_mapping_of_anything(ast.parse(annotation, mode="eval").body) is is_one


def test_values_of_the_store_are_frozen() -> None:
    """But for `Sweep`, in which the keeper keeps where its look goes on."""
    found = {
        one.name
        for file in sorted((_ROOT / "store").rglob("*.py"))
        for one in ast.walk(ast.parse(file.read_text()))
        if isinstance(one, ast.ClassDef) and _is_public(one.name) and _may_change(one)
    }

    assert found == {"Sweep"}


@pytest.mark.parametrize(
    ("code", "places"),
    [
        ("def show(tx: Tx) -> dict[str, Any]: ...", ["show"]),
        ("def show(view: Mapping[str, Any]) -> None: ...", ["show(view)"]),
        ("def show(*, view: 'list[View] | None' = None) -> None: ...", ["show(view)"]),
        ("def show(**values: Any) -> None: ...", ["show(values)"]),
        ("class Page:\n    rows: list[AnyRow]\n    _mine: Any", ["Page.rows"]),
        ("class Page:\n    def rows(self) -> Sequence[engine.Row]: ...", ["Page.rows"]),
        ("class Page:\n    def __init__(self, row: Any) -> None: ...", ["Page.__init__(row)"]),
        ("def _show(row: Any) -> Any: ...\nclass _Page:\n    rows: Any", []),
        ("def chosen(of: Select[Any]) -> CursorResult[tuple[Any, ...]]: ...", []),
        ("def show(tx: Tx) -> dict[str, object]: ...", []),
    ],
)
def test_blind_places_are_seen(code: str, places: list[str]) -> None:
    assert [place for place, _ in _blind(ast.parse(code).body)] == places


def _all_blind(
    rooms: tuple[str, ...] = _ROOMS, says: Says | None = None
) -> Iterator[tuple[str, str]]:
    """Every place of these rooms that is blind, with its annotation."""
    for room in rooms:
        for file in sorted((_ROOT / room).rglob("*.py")):
            if "migrations" in file.parts:
                continue
            for place, annotation in _blind(ast.parse(file.read_text()).body, says=says):
                yield f"{file.relative_to(_ROOT)} {place}", annotation


def _blind(
    body: list[ast.stmt], owner: str = "", *, says: Says | None = None
) -> Iterator[tuple[str, str]]:
    """The public parameters, results and fields that say nothing of what they hold."""
    says = says or _says_nothing
    for one in body:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and _is_public(one.name):
            yield from _blind_in_signature(one, owner, says)
        elif isinstance(one, ast.ClassDef) and _is_public(one.name):
            yield from _blind(one.body, f"{one.name}.", says=says)
        elif owner and isinstance(one, ast.AnnAssign) and says(one.annotation):
            name = ast.unparse(one.target)
            if _is_public(name):
                yield f"{owner}{name}", ast.unparse(one.annotation)


def _blind_in_signature(
    function: ast.FunctionDef | ast.AsyncFunctionDef, owner: str, says: Says
) -> Iterator[tuple[str, str]]:
    given = function.args
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    for one in every:
        if one is not None and one.annotation is not None and says(one.annotation):
            yield f"{owner}{function.name}({one.arg})", ast.unparse(one.annotation)
    if function.returns is not None and says(function.returns):
        yield f"{owner}{function.name}", ast.unparse(function.returns)


def _may_change(one: ast.ClassDef) -> bool:
    """Whether it is a dataclass whose fields may be set anew."""
    said = [ast.unparse(decorator) for decorator in one.decorator_list]
    return any("dataclass" in text and "frozen=True" not in text for text in said)


def _is_public(name: str) -> bool:
    return not name.startswith("_") or name == "__init__"


def _says_nothing(annotation: ast.expr) -> bool:
    """Whether one of the blind names is in an annotation, but for those in a statement's type."""
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _BLIND
        case ast.Constant(value=str(text)):
            return _says_nothing(ast.parse(text, mode="eval").body)
        case ast.Subscript(value=ast.Name(id=name)) if name in _STATEMENTS | _TEXTS:
            return False
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[kind, *_])):
            return _says_nothing(kind)
    return any(
        _says_nothing(one) for one in ast.iter_child_nodes(annotation) if isinstance(one, ast.expr)
    )


def _is_mapping_of_anything(annotation: ast.expr) -> bool:
    """Whether an annotation holds a mapping from texts to `object`."""
    texts = ("dict[str, object]", "Mapping[str, object]")
    return any(text in ast.unparse(annotation) for text in texts)
