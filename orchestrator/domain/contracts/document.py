"""A JSON Schema as a document: its parts, its references, and how one part becomes a contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from orchestrator.domain.documents.json_pointer import pointer_step, pointer_steps
from orchestrator.domain.errors import Fault
from orchestrator.domain.text.hints import nearest

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"

_SCHEMAS_BY_NAME = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
)
_INDEX = re.compile("0|[1-9][0-9]{0,8}")
_DATA = frozenset({"enum", "const", "default", "examples"})

Path = tuple[str | int, ...]


def draft_of(schema: Mapping[str, object]) -> str | None:
    """The draft that `$schema` names, 2020-12 where it names none; None for one not taken here."""
    named = schema.get("$schema", DRAFT_2020)
    if not isinstance(named, str):
        return None
    return {one.rstrip("#"): one for one in (DRAFT_7, DRAFT_2020)}.get(named.rstrip("#"))


def subschemas(schema: object, path: Path = ()) -> Iterator[tuple[Path, dict[str, object]]]:
    """Every schema object in `schema` with its place; an object in data is not a schema."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from subschemas(item, (*path, index))
    if not isinstance(schema, dict):
        return
    yield path, schema
    for key, value in schema.items():
        if key in _SCHEMAS_BY_NAME and isinstance(value, dict):
            for name, inner in value.items():
                yield from subschemas(inner, (*path, key, name))
        elif key not in _DATA:
            yield from subschemas(value, (*path, key))


def at_pointer(document: object, pointer: str) -> object:
    """The value at a JSON Pointer (RFC 6901). Raises LookupError that names the nearest key."""
    value = document
    for key in pointer_steps(pointer):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and _INDEX.fullmatch(key) and int(key) < len(value):
            value = value[int(key)]
        else:
            near = nearest(key, value) if isinstance(value, dict) else None
            raise LookupError(f"{key!r} is not there{f', {near!r} is' if near else ''}")
    return value


def reference_faults(schema: object) -> list[Fault]:
    """What is wrong with the `$ref`s of a contract: only its own parts can be referred to."""
    faults = []
    for path, part in subschemas(schema):
        ref = part.get("$ref")
        if not isinstance(ref, str):
            continue
        where = dotted(("contract", *path, "$ref"))
        if not ref.startswith("#"):
            faults.append(Fault(path=where, problem=f"{ref!r} is outside the contract", fix=_COPY))
        elif ref == "#" or ref.startswith("#/"):
            try:
                at_pointer(schema, ref[1:])
            except LookupError as error:
                problem = f"{ref!r} leads nowhere: {error.args[0]}"
                faults.append(Fault(path=where, problem=problem, fix="refer to what is declared"))
    return faults


_COPY = "nothing is fetched: copy the definition under `$defs` and refer to `#/$defs/...`"


def embed(document: Mapping[str, object], pointer: str) -> dict[str, object]:
    """The schema at `pointer`, with the definitions that it reaches and no others.

    The `$schema` of the document is kept, for the draft decides what keywords mean. Raises
    LookupError where the pointer leads nowhere, ValueError where the part cannot be used alone.
    """
    if pointer == "":
        return dict(document)
    part = _object(at_pointer(document, pointer))
    if part is None:
        raise LookupError("there is no JSON Schema object")
    contract = {"$schema": document["$schema"], **part} if "$schema" in document else dict(part)
    reached = _reached(document, part)
    for keyword, names in reached.items():
        definitions = _object(document[keyword]) or {}
        contract[keyword] = {name: definitions[name] for name in definitions if name in names}
    return contract


def _reached(document: Mapping[str, object], part: object) -> dict[str, set[str]]:
    """The names of the definitions that a part needs, by `definitions` and `$defs`."""
    reached: dict[str, set[str]] = {}
    todo = [part]
    while todo:
        for _, schema in subschemas(todo.pop()):
            ref = schema.get("$ref")
            if not isinstance(ref, str) or not ref.startswith("#"):
                continue  # a remote one is told by `reference_faults`, with its place
            keyword, name = _definition(ref)
            definitions = _object(document.get(keyword)) or {}
            if name not in definitions:
                raise ValueError(f"{ref!r} leads nowhere")
            if name not in reached.setdefault(keyword, set()):
                reached[keyword].add(name)
                todo.append(definitions[name])
    return reached


def _definition(ref: str) -> tuple[str, str]:
    match ref.split("/"):
        case ["#", ("definitions" | "$defs") as keyword, name, *_]:
            return keyword, pointer_step(name)
    raise ValueError(f"{ref!r} refers to a place outside `definitions` and `$defs`")


def _object(value: object) -> dict[str, object] | None:
    return value if isinstance(value, dict) else None


def dotted(path: Path) -> str:
    """A place as people write it: `routes.0.when`."""
    return ".".join(map(str, path))
