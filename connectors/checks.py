"""What a definition must fulfil as a whole, beyond words and types; every fault at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.definition import (
    Ask,
    Create,
    Definition,
    HttpAction,
    HttpDefinition,
    Read,
    SmtpDefinition,
)
from connectors.mail import is_address
from connectors.references import is_reference
from connectors.site import base_url_fault
from connectors.templates import (
    InvalidTemplate,
    Template,
    compile_path,
    compile_template,
    compile_text,
)
from orchestrator.domain.errors import Fault
from orchestrator.domain.handoff import Idempotency, Proof

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})
_OUR_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "expect"}
)

Report = Callable[[str, str, str], None]  # path, problem, fix


def faults_of(definition: Definition) -> list[Fault]:
    """Every fault of a definition whose words and types are right."""
    faults: list[Fault] = []

    def report(path: str, problem: str, fix: str) -> None:
        faults.append(Fault(path=path, problem=problem, fix=fix))

    if isinstance(definition, HttpDefinition):
        _check_http(definition, report)
    elif isinstance(definition, SmtpDefinition):
        _check_smtp(definition, report)
    return faults


def _check_smtp(definition: SmtpDefinition, report: Report) -> None:
    if not is_reference(definition.sender) and not is_address(definition.sender):
        report("from", "it is no mail address", "write one plain address, or env:NAME")


def _check_http(definition: HttpDefinition, report: Report) -> None:
    if not is_reference(definition.base_url) and (problem := base_url_fault(definition.base_url)):
        report("base_url", f"it {problem}", "write https://host/path, or env:NAME")
    ways = sorted(definition.auth.model_fields_set)
    if len(ways) > 1:
        report("auth", f"it says {' and '.join(ways)}", "keep one")
    if definition.auth.header:
        _check_header("auth.header.name", definition.auth.header.name, report)
    for name in definition.headers:
        _check_header(f"headers.{name}", name, report, secret=True)
    for name, action in definition.actions.items():
        _check_promises(f"actions.{name}", action, report)
        _check_requests(f"actions.{name}", action, report)


def _check_header(path: str, name: str, report: Report, *, secret: bool = False) -> None:
    if not _HEADER.fullmatch(name):
        report(path, "it is no header name", "write a name such as X-Api-Key")
    elif name.lower() in _OUR_HEADERS:
        report(path, "this header is written for every request", "take it out")
    elif secret and name.lower() in _SECRET_HEADERS:
        report(path, "a secret does not stand here", "write it under `auth`, as env:NAME")


def _check_promises(at: str, action: HttpAction, report: Report) -> None:
    """Whether an action has the requests that its idempotency and its proof need."""
    declared, create, lookup = action.idempotency, action.create, action.lookup
    if action.proof is Proof.READ_BACK and action.read is None:
        report(f"{at}.proof", "read_back needs a `read`", "add one, or write proof: receipt")
    if action.proof is Proof.RECEIPT and action.read is not None:
        report(f"{at}.read", "a receipt is never read back", "write proof: read_back")
    if declared is Idempotency.LOOKUP and lookup is None:
        report(f"{at}.idempotency", "lookup needs a `lookup`", "add one, or write none")
    if declared is not Idempotency.LOOKUP and lookup is not None:
        report(f"{at}.lookup", f"{declared} never looks up", "write idempotency: lookup")
    if (action.proof is Proof.READ_BACK or lookup) and create.record_id is None:
        report(f"{at}.create", "it does not take the record's id", "add record_id: PATH")
    if lookup and (lookup.items is None) == (lookup.absent_status is None):
        problem = "it must say in one way how the answer looks where there is no record"
        report(f"{at}.lookup", problem, "write items: PATH of the list, or absent_status: 404")
    if create.method == "put" and declared is not Idempotency.NATIVE_KEY:
        problem = "HTTP lets a PUT be repeated on its way, so it must be safe to repeat"
        report(f"{at}.create.method", problem, "write post, or idempotency: native_key")


def _check_requests(at: str, action: HttpAction, report: Report) -> None:
    """Whether templates can be filled, and whether what is promised is in them."""
    doubled = sorted(set(action.required) & set(action.optional))
    if doubled:
        report(f"{at}.optional", f"{', '.join(doubled)} is required too", "name it once")
    _check_create(f"{at}.create", action, report)
    if action.lookup:
        lookup = _check_request(f"{at}.lookup", action.lookup, action, report)
        if not lookup.has("key"):
            report(f"{at}.lookup", "it does not ask for the key", "put {key} into its query")
    if action.read:
        read = _check_request(f"{at}.read", action.read, action, report)
        if not read.has("record_id"):
            report(f"{at}.read", "it does not ask for the record", "put {record_id} into its path")
        fields = action.read.fields if isinstance(action.read.fields, dict) else {}
        for name in fields:
            _check_field(f"{at}.read.fields.{name}", name, action, report)


def _check_create(at: str, action: HttpAction, report: Report) -> None:
    create = _check_request(at, action.create, action, report)
    if action.idempotency is not Idempotency.NONE and not create.has("key"):
        report(at, "it does not send the key", "put {key} where the system keeps it")
    if create.has("send"):
        return
    if action.open_fields:
        report(at, "open fields are taken and never sent", "put {send} into the body")
    for name in (*action.required, *action.optional):
        if not create.has(f"send.{name}"):
            report(at, f"{name} is taken and never sent", f"put {{send.{name}}} into it")


@dataclass(kw_only=True)
class _Placeholders:
    """What a request names; where a template cannot be read, it may name anything."""

    names: set[str] = field(default_factory=set)
    unreadable: bool = False

    def has(self, name: str) -> bool:
        return self.unreadable or name in self.names


def _check_request(at: str, said: Ask, action: HttpAction, report: Report) -> _Placeholders:
    found = _Placeholders()
    for name in said.headers:
        _check_header(f"{at}.headers.{name}", name, report, secret=True)
    for where, source, compile_source in _templates(said):
        try:
            template = compile_source(source)
        except InvalidTemplate as error:
            report(f"{at}.{where}", "it cannot be read", str(error))
            found.unreadable = True
            continue
        found.names |= template.names
        for name in sorted(template.names):
            _check_placeholder(f"{at}.{where}", name, said, action, report)
            sent = name.removeprefix("send.")
            if where == "path" and sent != name and sent not in action.required:
                problem = f"{sent} may be missing, and a path must be whole"
                report(f"{at}.path", problem, "name it under required")
    return found


def _templates(said: Ask) -> Iterator[tuple[str, Any, Callable[[Any], Template]]]:
    """Where each template of a request stands, its source, and what compiles it."""
    yield "path", said.path, compile_path
    for name, text in said.query.items():
        yield f"query.{name}", text, compile_text
    for name, text in said.headers.items():
        yield f"headers.{name}", text, compile_text
    if isinstance(said, Create):
        yield "json", said.body, compile_template


def _check_placeholder(
    where: str, name: str, said: Ask, action: HttpAction, report: Report
) -> None:
    if name == "record_id" and not isinstance(said, Read):
        report(where, "the record's id is known only to `read`", "take {record_id} out")
    if name.startswith("send."):
        _check_field(where, name.removeprefix("send."), action, report)


def _check_field(where: str, name: str, action: HttpAction, report: Report) -> None:
    if name not in (*action.required, *action.optional) and not action.open_fields:
        report(where, f"the action takes no field {name}", "name it under required or optional")
