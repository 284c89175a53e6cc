"""A connector's YAML definition, read with every fault that is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import orjson
from pydantic import ValidationError

from connectors.definition.extending import extended
from connectors.definition.shared_keys import Definition
from connectors.kinds import KINDS, DefinitionKind
from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.documents.model_faults import Place, model_faults
from orchestrator.domain.documents.text_files import read_text
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.text.hints import did_you_mean, nearest

_EXAMPLES: Mapping[Place, str] = {
    ("connector",): "connector: helpdesk",
    ("base_url",): "base_url: https://host/path",
    ("actions",): "actions: {create_ticket: {...}}",
    ("actions", "*", "idempotency"): "idempotency: native_key, conflict, lookup or none",
    ("actions", "*", "proof"): "proof: read_back or receipt",
    ("actions", "*", "*", "path"): "path: /tickets",
    ("actions", "*", "then", "*", "name"): "name: message",
    ("actions", "*", "then", "*", "path"): "path: /tickets/{record_id}/messages",
    ("actions", "*", "lookup", "record_id"): "record_id: id",
    ("actions", "*", "read", "fields"): "fields: {title: title}",
    ("errors", "*", "means"): "means: refused",
    ("actions", "*", "errors", "*", "means"): "means: refused",
    ("host",): "host: mail.example.com",
    ("from",): "from: desk@example.com",
}


def read_definition(path: Path) -> Definition:
    """The definition in a file. Raises InvalidFile with every fault."""
    text = read_text(path, strict_yaml.MOST_BYTES, name_one="make it a readable file")
    return parse_definition(text, name=str(path), path=path)


def document_of(path: Path) -> dict[str, object]:
    """What a definition that can be read says, with what it extends in it. Raises InvalidFile."""
    text = read_text(path, strict_yaml.MOST_BYTES, name_one="make it a readable file")
    raw = strict_yaml.parse(text).value
    if not isinstance(raw, dict):
        raise _only(str(path), "", "it is not a mapping", "write `connector: NAME` first", line=1)
    return dict(extended(raw, name=str(path), path=path) if raw.get("extends") else raw)


def parse_definition(text: str, *, name: str, path: Path | None = None) -> Definition:
    """The definition in a text; `name` is what errors call it. Raises InvalidFile.

    What it extends is looked for beside `path`, then among what is shipped.
    """
    document = strict_yaml.parse(text)
    raw = document.value
    if not isinstance(raw, dict):
        if document.faults:
            raise InvalidFile(name, document.faults)
        raise _only(name, "", "it is not a mapping", "write `connector: NAME` first", line=1)
    if raw.get("extends") is not None:
        try:
            raw = extended(raw, name=name, path=path)
        except InvalidFile as error:
            raise InvalidFile(name, _placed(list(error.faults), document)) from None
    said = str(raw.get("kind"))
    faults: list[Fault] = []
    if said not in KINDS:
        fix = did_you_mean(said, KINDS)
        faults.append(Fault(path="kind", problem="it is missing or unknown", fix=fix))
        meant = nearest(said, KINDS) if isinstance(raw.get("kind"), str) else None
        raw = {**raw, "kind": meant}
    kind = KINDS.get(str(raw["kind"]))
    definition, found = _model(kind, raw) if kind else (None, [])
    faults = _placed([*faults, *found], document)
    if faults or definition is None:
        raise InvalidFile(name, faults)
    return definition


def _model(
    kind: DefinitionKind, raw: Mapping[str, object]
) -> tuple[Definition | None, list[Fault]]:
    """The definition, or every fault: also of what is right in itself beside what is not."""
    try:
        definition = kind.model.model_validate_json(orjson.dumps(raw))
    except ValidationError as error:
        faults = model_faults(error, {(): kind.model, **kind.places}, _EXAMPLES)
        return None, [*faults, *_beside(kind, raw, error)]
    return definition, kind.faults(definition)


def _beside(kind: DefinitionKind, raw: Mapping[str, object], error: ValidationError) -> list[Fault]:
    """What is wrong with the actions that can be read, where only actions cannot be."""
    places = [one["loc"] for one in error.errors(include_url=False)]
    actions = raw.get("actions")
    if not isinstance(actions, dict) or any(len(at) < 2 or at[0] != "actions" for at in places):
        return []
    broken = {at[1] for at in places}
    left = {name: said for name, said in actions.items() if name not in broken}
    try:
        rest = kind.model.model_validate_json(orjson.dumps({**raw, "actions": left}))
    except ValidationError:
        return []
    return kind.faults(rest)


def _only(name: str, path: str, problem: str, fix: str, line: int | None = None) -> InvalidFile:
    return InvalidFile(name, [Fault(path=path, problem=problem, fix=fix, line=line)])


def _placed(faults: list[Fault], document: strict_yaml.Document) -> list[Fault]:
    """All faults with their lines, in the file's order.

    Where the YAML itself is wrong, what follows from the gap is not told again.
    """
    gaps = [fault.path for fault in document.faults if fault.path]
    placed = [
        replace(one, line=document.line(one.path))
        for one in dict.fromkeys(faults)
        if not any(one.path == gap or one.path.startswith(f"{gap}.") for gap in gaps)
    ]
    return sorted([*document.faults, *placed], key=lambda fault: fault.line or 0)
