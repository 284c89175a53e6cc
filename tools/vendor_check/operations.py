"""The operation of a document that a request asks for, and what it says of body and answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from tools.vendor_check.documents import Document, Operation
from tools.vendor_check.nodes import Node

_FORM = "application/x-www-form-urlencoded"
_NAME = re.compile(r"\{[^{}]*\}")
_FILLED = "\N{BULLET}"  # stands where a request's path has a placeholder


def operation_of(document: Document, method: str, path: str, base: str) -> Operation | None:
    """The operation that answers a request; the one with the fewest parameters in its path."""
    fitting = [one for one in at_path(document, path, base) if one.method == method]
    return min(fitting, key=lambda one: parameters_in(one.path), default=None)


def parameters_in(path: str) -> int:
    """How many parameters a document's path has; the fewer, the more it is about one thing."""
    return len(_NAME.findall(path))


def at_path(document: Document, path: str, base: str) -> list[Operation]:
    """All operations of the path of a request; `base` is what the base URL has before it."""
    ours = {_NAME.sub(_FILLED, one).rstrip("/") for one in (path, base.rstrip("/") + path)}
    before = document.roots()
    return [
        one
        for one in document.operations()
        if any(_pattern(start + one.path).fullmatch(asked) for asked in ours for start in before)
    ]


def parameters_of(operation: Operation) -> dict[tuple[str, str], Node]:
    """The parameters by their place and their name."""
    both = [operation.shared, operation.said]
    said = [one for node in both for one in node.get("parameters").elements()]
    return {(one.text("in"), one.text("name")): one for one in said}


def schema_of_parameter(parameter: Node) -> Node:
    """What a parameter's value has to hold."""
    schema = parameter.get("schema")
    return parameter if schema.value is None else schema


def bodies_of(document: Document, operation: Operation) -> dict[str, Node]:
    """The schemas of the bodies that an operation takes, by content type."""
    if not document.swagger:
        content = operation.said.get("requestBody").get("content")
        return {_plain(name): one.get("schema") for name, one in content.members()}
    schema = _swagger_body(operation)
    takes = operation.said.get("consumes").value or document.whole.get("consumes").value
    if schema is None:
        return {}
    return {_plain(name): schema for name in takes or ["application/json"]}


def needs_body(operation: Operation) -> bool:
    """Whether an operation cannot be asked without a body."""
    parameters = parameters_of(operation).values()
    body = [operation.said.get("requestBody"), *(p for p in parameters if p.text("in") == "body")]
    return any(one.get("required").value is True for one in body)


def answers_of(document: Document, operation: Operation) -> list[Node]:
    """The schemas of an operation's good answers."""
    answers = dict(operation.said.get("responses").members())
    good = [one for status, one in answers.items() if status.upper().startswith("2")]
    return list(_schemas(document, good or list(answers.values())))


def takes_json(content_type: str) -> bool:
    """Whether a content type is JSON, or anything."""
    return content_type == "*/*" or content_type.endswith(("/json", "+json"))


def takes_form(content_type: str) -> bool:
    """Whether a content type is a form as definitions send it."""
    return content_type in ("*/*", _FORM)


def _schemas(document: Document, answers: Iterable[Node]) -> Iterator[Node]:
    for answer in answers:
        if document.swagger:
            found = [answer.get("schema")]
        else:
            content = answer.get("content").members()
            found = [one.get("schema") for name, one in content if takes_json(_plain(name))]
        yield from (one for one in found if isinstance(one.value, dict) and one.value)


def _swagger_body(operation: Operation) -> Node | None:
    """The schema of a body, or one that is made of the fields of a form."""
    fields: dict[str, Any] = {}
    required = []
    for (where, name), one in parameters_of(operation).items():
        if where == "body":
            return one.get("schema")
        if where == "formData":
            # Everything in a form is text, so what its types say does not bind JSON.
            fields[name] = {"enum": one.value["enum"]} if "enum" in one.value else {}
            required += [name] if one.value.get("required") else []
    if not fields:
        return None
    return operation.said.beside({"type": "object", "properties": fields, "required": required})


def _pattern(declared: str) -> re.Pattern[str]:
    path = declared.partition("?")[0].rstrip("/")
    parts = [re.escape(part) for part in _NAME.split(path)]
    return re.compile("[^/]+".join(parts))


def _plain(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
