"""What is fed in a process of its own: each takes bytes, and says whether they were taken.

A subject calls what the product calls for such an input. `Refused` and `InvalidFile` are answers;
any other exception is a crash. What a person would be told comes back, so that it can be searched
for secrets.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from connectors.definition_file import parse_definition
from connectors.http.wire.exchange import Client
from connectors.kinds import KINDS, Ports
from orchestrator.domain.contracts.contract import Formats, TooDear, compile_contract, schema_faults
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import Fault, MeshlineError
from orchestrator.domain.recipes.file import parse_recipe
from orchestrator.domain.recipes.recipe import apply_recipe
from orchestrator.domain.workflows.compiled import CompiledWorkflow, compile_workflow
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.pipeline.route import route
from orchestrator.pipeline.validate import validate
from tests.fuzz.files import workflows

Subject = Callable[[bytes], str]  # what a person would be told

_SAMPLE = {"email": "u1@private.example", "tier": "pro", "message": "x", "items": [{"n": 1}]}


def body(raw: bytes) -> str:
    """A request's body."""
    value = strict_json.loads(raw)
    return strict_json.digest(value)


def payload(raw: bytes) -> str:
    """A payload of the example's workflow, through both decisions."""
    return _decided(json.loads(raw), _example())


def contract(raw: bytes) -> str:
    """A contract that somebody publishes, and a payload that comes."""
    schema, value = json.loads(raw)
    faults: list[Fault] = schema_faults(schema)
    formats: Formats = "assert"
    compiled = None if faults else compile_contract(schema, formats, faults)
    if compiled is None:
        return " ".join(str(fault) for fault in faults)
    return " ".join(str(one) for one in compiled.violations(value))


def workflow(raw: bytes) -> str:
    """A workflow file; one that is taken decides on a payload."""
    parsed = parse_workflow(raw.decode(), name="fuzz.yaml")
    return _decided(_SAMPLE, compile_workflow(parsed))


def definition(raw: bytes) -> str:
    """A connector's definition; one that is taken is made into a connector."""
    found = parse_definition(raw.decode(), name="fuzz.yaml")
    KINDS[found.kind].make(found, Path(), Ports(client=_no_client))
    return found.connector


def recipe(raw: bytes) -> str:
    """A recipe; one that is taken changes a payload."""
    return str(apply_recipe(_SAMPLE, parse_recipe(raw.decode(), name="fuzz.yaml")))


SUBJECTS: Mapping[str, Subject] = {
    "body": body,
    "payload": payload,
    "contract": contract,
    "workflow": workflow,
    "definition": definition,
    "recipe": recipe,
}

REFUSALS = (MeshlineError, TooDear, UnicodeDecodeError)
"""What counts as an answer: what is too dear is quarantined, what is not UTF-8 is refused."""


@functools.cache
def _example() -> CompiledWorkflow:
    return compile_workflow(parse_workflow(workflows()[0].decode(), name="example"))


def _decided(value: object, compiled: CompiledWorkflow) -> str:
    verdict = validate(value, compiled)
    return (
        f"{verdict} {route(value, compiled)}" if type(verdict).__name__ == "Valid" else str(verdict)
    )


def _no_client() -> Client:
    raise AssertionError("a definition that is only read sends nothing")
