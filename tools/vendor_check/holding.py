"""One request, held against the operation that a document has for it."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.definition.paths import shown
from connectors.http.templates import compile_template
from tools.vendor_check.bodies import Surely, body_faults, plain_faults
from tools.vendor_check.documents import Document, Operation
from tools.vendor_check.nodes import Node
from tools.vendor_check.operations import (
    answers_of,
    bodies_of,
    needs_body,
    parameters_of,
    schema_of_parameter,
    takes_form,
    takes_json,
)
from tools.vendor_check.requests import Sent
from tools.vendor_check.shapes import reaches, shapes

# They carry the login, or what every request has.
_OF_EVERY_REQUEST = {"authorization", "token", "accept", "content-type", "user-agent"}


def faults_of_request(
    sent: Sent, document: Document, operation: Operation, surely: Surely, headers: Mapping[str, str]
) -> list[str]:
    """What of a request the document does not let through; `headers` are the connector's own."""
    given = {name.lower(): text for name, text in {**headers, **sent.headers}.items()}
    return [
        *_of_parameters(sent, operation, surely, given),
        *_of_body(sent, document, operation, surely),
    ]


def faults_of_answer(sent: Sent, document: Document, operation: Operation) -> list[str]:
    """What the definition reads, and the document's answer does not have."""
    answers = answers_of(document, operation)
    if not answers:
        return []
    return [
        f"{name}: the answer has nothing at {shown(path)}"
        for name, path in sent.reads.items()
        if not any(reaches(answer, path) for answer in answers)
    ]


def says_nothing_of_answer(sent: Sent, document: Document, operation: Operation) -> bool:
    """Whether the definition reads an answer that the document leaves out."""
    return bool(sent.reads) and not answers_of(document, operation)


def _of_parameters(
    sent: Sent, operation: Operation, surely: Surely, headers: Mapping[str, str]
) -> list[str]:
    declared = parameters_of(operation)
    known = {name for where, name in declared if where == "query"}
    faults = [
        f"query.{name} is not in the document"
        for name in (*sent.query, *sent.paging)
        if name not in known and name.split("[")[0] not in known
    ]
    for (where, name), parameter in declared.items():
        if where not in ("query", "header") or name.lower() in _OF_EVERY_REQUEST:
            continue
        text = sent.query.get(name) if where == "query" else headers.get(name.lower())
        needed = parameter.get("required").value is True
        if text is not None:
            faults += _of_value(text, schema_of_parameter(parameter), f"{where}.{name}")
        if needed and text is None:
            faults.append(f"{where}.{name} is required, and not sent")
        elif needed and not surely.fills(text):
            faults.append(f"{where}.{name} is required, and left out where its field is not sent")
    return faults


def _of_value(text: str, schema: Node, place: str) -> list[str]:
    """A constant text of a query or a header, read as the type that the document has for it."""
    if compile_template(text).names:
        return []
    found = [_faults_as(text, shape.types, shape.plain, place) for shape in shapes(schema)]
    return min(found, key=len)


def _faults_as(
    text: str, types: frozenset[str] | None, plain: tuple[Mapping[str, object], ...], place: str
) -> list[str]:
    if types is None or types & {"string", "array", "object"}:
        return plain_faults(text, plain, place) if types is None or "string" in types else []
    if "boolean" in types and text in ("true", "false"):
        return []
    if types & {"integer", "number"} and text.lstrip("-").isdigit():
        return plain_faults(int(text), plain, place)
    return [f'{place} is "{text}"; the document has {" or ".join(sorted(types))}']


def _of_body(sent: Sent, document: Document, operation: Operation, surely: Surely) -> list[str]:
    taken = bodies_of(document, operation)
    if sent.body is None and sent.form is None:
        return ["a body is required, and not sent"] if needs_body(operation) else []
    if not taken:
        return ["a body is sent; the document has none"]
    fits = takes_json if sent.form is None else takes_form
    schemas = [schema for name, schema in taken.items() if fits(name)]
    if not schemas:
        what = "JSON" if sent.form is None else "a form"
        return [f"{what} is sent; the document takes {', '.join(sorted(taken))}"]
    body = sent.body if sent.form is None else dict(sent.form)
    return min((body_faults(body, one, "body", surely) for one in schemas), key=len)
