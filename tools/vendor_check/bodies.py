"""A body that a definition sends, held against the schema that a document has for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from connectors.http.templates import compile_template
from tools.vendor_check.nodes import Node
from tools.vendor_check.shapes import Shape, shapes

_TEXTS = ("key", "key_uuid", "record_id", "version")  # placeholders that are always text
_ALWAYS = {"items", "send", *_TEXTS}


@dataclass(frozen=True, kw_only=True)
class Surely:
    """Which placeholders of an action always have a value."""

    fields: frozenset[str]  # the fields that it requires

    def fills(self, template: Any) -> bool:
        """Whether what a template stands for is always sent."""
        if isinstance(template, dict):
            return not template or any(map(self.fills, template.values()))
        if isinstance(template, list):
            return True
        return all(self._has(name) for name in compile_template(template).names)

    def _has(self, name: str) -> bool:
        if name in _ALWAYS or name.startswith("secret."):
            return True
        return name.removeprefix("send.") in self.fields


def body_faults(sent: Any, schema: Node, place: str, surely: Surely) -> list[str]:
    """What of a template the schema does not let through, whatever values it is filled with."""
    found = shapes(schema)
    fitting = [shape for shape in found if _may_be(sent, shape)]
    if not fitting:
        wanted = sorted({name for shape in found for name in shape.types or ()})
        return [f"{place} is {_kind(sent)}; the document has {' or '.join(wanted)}"]
    return min((_faults(sent, shape, place, surely) for shape in fitting), key=len)


def plain_faults(
    value: object, constraints: Iterable[Mapping[str, object]], place: str
) -> list[str]:
    """What of a constant value does not hold."""
    faults = []
    for one in constraints:
        try:
            errors = [
                error.message for error in jsonschema_rs.validator_for({**one}).iter_errors(value)
            ]
        except jsonschema_rs.ValidationError:
            continue  # the document's own words are not JSON Schema: nothing can be said
        faults += [f"{place} is {json.dumps(value)}; {message}" for message in errors]
    return faults


def _faults(sent: Any, shape: Shape, place: str, surely: Surely) -> list[str]:
    if isinstance(sent, dict):
        return _of_object(sent, shape, place, surely)
    if isinstance(sent, list):
        items = shape.items
        if items is None:
            return []
        return [
            fault
            for number, one in enumerate(sent)
            for fault in body_faults(one, items, f"{place}.{number}", surely)
        ]
    if compile_template(sent).names:
        return []
    return plain_faults(_constant(sent), shape.plain, place)


def _of_object(sent: dict[str, Any], shape: Shape, place: str, surely: Surely) -> list[str]:
    missing = sorted(shape.required - sent.keys())
    faults = [f"{place}.{name} is required, and not sent" for name in missing]
    for name, value in sent.items():
        where = f"{place}.{name}"
        if name in shape.required and len(sent) > 1 and not surely.fills(value):
            faults.append(f"{where} is required, and left out where its field is not sent")
        known = shape.properties.get(name)
        if known is None and not shape.open:
            faults.append(f"{where} is not in the document")
        if known is None and shape.others is not None and isinstance(shape.others.value, dict):
            known = (shape.others,)
        for schema in known or ():
            faults += body_faults(value, schema, where, surely)
    return faults


def _may_be(sent: Any, shape: Shape) -> bool:
    kinds = _kinds(sent)
    if shape.types is None:
        return kinds is None or "object" in kinds or not shape.properties
    return kinds is None or bool(kinds & shape.types)


def _kinds(sent: Any) -> set[str] | None:
    """The JSON types that a template may become; None where its field decides."""
    if isinstance(sent, dict):
        return {"object"}
    if isinstance(sent, list):
        return {"array"}
    if isinstance(sent, bool):
        return {"boolean"}
    if isinstance(sent, int | float):
        return {"integer", "number"} if float(sent).is_integer() else {"number"}
    names = compile_template(sent).names
    alone = isinstance(sent, str) and sent.startswith("{") and sent.endswith("}")
    if not names or not alone or names <= {*_TEXTS}:
        return {"string"}
    if sent.count("{") > 1 or any(name.startswith("secret.") for name in names):
        return {"string"}
    return None


def _kind(sent: Any) -> str:
    return " or ".join(sorted(_kinds(sent) or ()))


def _constant(sent: Any) -> object:
    return sent.replace("{{", "{").replace("}}", "}") if isinstance(sent, str) else sent
