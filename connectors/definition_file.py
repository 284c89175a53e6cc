"""A connector's YAML definition, read with every fault that is in it."""

from __future__ import annotations

from pathlib import Path

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from connectors import definition
from connectors.checks import faults_of
from connectors.definition import KINDS, Definition
from orchestrator.domain import strict_yaml
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.hints import nearest

_FIXES = {
    "missing": "add it",
    "string_pattern_mismatch": "write it in the form {pattern}",
    "string_too_short": "write something",
    "greater_than_equal": "write at least {ge}",
    "greater_than": "write more than {gt}",
    "less_than_equal": "write at most {le}",
    "enum": "write one of {expected}",
    "literal_error": "write one of {expected}",
    "bool_type": "write true or false",
    "int_type": "write a whole number",
    "string_type": "write a text; put it in quotes if it looks like something else",
    "dict_type": "write `name: value` pairs",
    "tuple_type": "write a list",
    "model_type": "write `name: value` pairs",
    "value_error": "write a duration such as 10s",
}
_KEYS = frozenset(
    info.alias or name
    for model in vars(definition).values()
    if isinstance(model, type) and issubclass(model, BaseModel)
    for name, info in model.model_fields.items()
)
_REFERENCE_FIX = "write env:NAME or file:PATH; a secret never stands in a definition"


def read_definition(path: Path) -> Definition:
    """The definition in a file. Raises InvalidFile with every fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        fault = Fault(path="", problem=problem or str(error), fix="make it a readable UTF-8 file")
        raise InvalidFile(str(path), [fault]) from None
    return parse_definition(text, name=str(path))


def parse_definition(text: str, *, name: str) -> Definition:
    """The definition in a text; `name` is what errors call it. Raises InvalidFile."""
    document = strict_yaml.parse(text)
    if document.faults:
        raise InvalidFile(name, document.faults)
    if not isinstance(document.value, dict):
        fault = Fault(path="", problem="it is no connector", fix="start with `connector: NAME`")
        raise InvalidFile(name, [fault])
    model = KINDS.get(str(document.value.get("kind")))
    if model is None:
        known = ", ".join(KINDS)
        problem = "the kind of connector is missing or unknown"
        fault = Fault(path="kind", problem=problem, fix=f"write kind: and one of {known}")
        raise InvalidFile(name, [_placed(fault, document)])
    try:
        said = model.model_validate_json(orjson.dumps(document.value))
    except ValidationError as error:
        faults = [_translated(one) for one in error.errors(include_url=False)]
        raise InvalidFile(name, [_placed(one, document) for one in faults]) from None
    faults = faults_of(said)
    if faults:
        raise InvalidFile(name, [_placed(one, document) for one in faults])
    return said


def _placed(fault: Fault, document: strict_yaml.Document) -> Fault:
    line = document.line(fault.path)
    return Fault(path=fault.path, problem=fault.problem, fix=fault.fix, line=line)


def _translated(error: ErrorDetails) -> Fault:
    """An error of pydantic in the words of a person who writes YAML."""
    kind, context = error["type"], error.get("ctx", {})
    path = ".".join(str(part) for part in error["loc"])
    problem = error["msg"].removeprefix("Value error, ")
    problem = problem[:1].lower() + problem[1:]
    if kind == "extra_forbidden":
        near = nearest(str(error["loc"][-1]), _KEYS)
        fix = f"write `{near}`" if near else "take it out"
        return Fault(path=path, problem="there is no such key", fix=fix)
    if "env:" in str(context.get("pattern", "")):
        return Fault(path=path, problem="it is not a reference", fix=_REFERENCE_FIX)
    fix = _FIXES.get(kind, "write what docs/connectors.md says")
    return Fault(path=path, problem=problem, fix=fix.format_map({**context}))
