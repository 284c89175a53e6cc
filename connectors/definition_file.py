"""A connector's YAML definition, read with every fault that is in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson
from pydantic import ValidationError

from connectors.definition.extending import extended
from connectors.definition.shared_keys import Definition
from connectors.kinds import KINDS
from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.documents.bounded_files import read_bounded
from orchestrator.domain.documents.model_faults import Place, model_faults
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.text.hints import did_you_mean

_EXAMPLES: Mapping[Place, str] = {
    ("connector",): "connector: helpdesk",
    ("base_url",): "base_url: https://host/path",
    ("actions",): "actions: {create_ticket: {...}}",
    ("actions", "*", "idempotency"): "idempotency: native_key, conflict, lookup or none",
    ("actions", "*", "proof"): "proof: read_back or receipt",
    ("actions", "*", "*", "path"): "path: /tickets",
    ("actions", "*", "lookup", "record_id"): "record_id: id",
    ("actions", "*", "read", "fields"): "fields: {title: title}",
    ("errors", "*", "means"): "means: refused",
    ("actions", "*", "errors", "*", "means"): "means: refused",
    ("host",): "host: mail.example.com",
    ("from",): "from: desk@example.com",
}


def read_definition(path: Path) -> Definition:
    """The definition in a file. Raises InvalidFile with every fault."""
    try:
        text = read_bounded(path, strict_yaml.MOST_BYTES).decode()
    except OSError as error:
        problem = f"it cannot be read: {error.strerror or error}"
        raise _only(str(path), "", problem, "make it a readable file") from None
    except UnicodeDecodeError as error:
        problem = f"byte {error.start} is not UTF-8"
        raise _only(str(path), "", problem, "save it as UTF-8") from None
    return parse_definition(text, name=str(path), path=path)


def parse_definition(text: str, *, name: str, path: Path | None = None) -> Definition:
    """The definition in a text; `name` is what errors call it. Raises InvalidFile.

    What it extends is looked for beside `path`, then among what is shipped.
    """
    document = strict_yaml.parse(text)
    raw = document.value
    if document.faults:
        raise InvalidFile(name, document.faults)
    if not isinstance(raw, dict):
        raise _only(name, "", "it is not a mapping", "write `connector: NAME` first")
    if raw.get("extends") is not None:
        try:
            raw = extended(raw, name=name, path=path)
        except InvalidFile as error:
            raise InvalidFile(name, _placed(list(error.faults), document)) from None
    said = str(raw.get("kind"))
    if said not in KINDS:
        raise _only(name, "kind", "it is missing or unknown", did_you_mean(said, KINDS))
    kind = KINDS[said]
    try:
        definition = kind.model.model_validate_json(orjson.dumps(raw))
    except ValidationError as error:
        faults = model_faults(error, {(): kind.model, **kind.places}, _EXAMPLES)
    else:
        faults = kind.faults(definition)
        if not faults:
            return definition
    raise InvalidFile(name, _placed(faults, document))


def _only(name: str, path: str, problem: str, fix: str) -> InvalidFile:
    return InvalidFile(name, [Fault(path=path, problem=problem, fix=fix)])


def _placed(faults: list[Fault], document: strict_yaml.Document) -> list[Fault]:
    """All faults with their lines, in the file's order."""
    placed = [
        Fault(path=one.path, problem=one.problem, fix=one.fix, line=document.line(one.path))
        for one in faults
    ]
    return sorted(placed, key=lambda fault: fault.line or 0)
