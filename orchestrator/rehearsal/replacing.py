"""What a rehearsal calls in the place of each connector, and the definitions that say so.

A worker of a rehearsal has no definition but these under the names that its workflow uses, so it
cannot reach a real system.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from connectors.definition_file import document_of
from connectors.registry import Known
from orchestrator.domain.delivery.handoff import Action
from orchestrator.domain.errors import Refused
from orchestrator.domain.workflows.checks.environments import DRY, STAGING
from orchestrator.domain.workflows.workflow import Workflow

SANDBOX = "sandbox"
"""In place of a connector to the sandbox: a sandbox of the rehearsal's own."""

_SANDBOX_URL = "env:MESHLINE_SANDBOX_URL"


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """One connector of a workflow, and what is called in its place."""

    connector: str
    instead: str  # the name of the tool's own sandbox account, `sandbox`, or `dry`
    document: Mapping[str, object]  # the definition under the connector's name

    @property
    def variables(self) -> frozenset[str]:
        """The variables of the environment that the definition reads."""
        return frozenset(
            one.removeprefix("env:") for one in _texts(self.document) if one.startswith("env:")
        )


def replacements(workflow: Workflow, known: Mapping[str, Known]) -> tuple[Replaced, ...]:
    """One for each connector that the workflow uses. Raises Refused, which names what is missing.

    What `environments: {staging: ...}` names is taken; else a connector to the sandbox gets a
    sandbox of its own, and every other is dry.
    """
    staged = workflow.environments.get("staging") or {}
    used: dict[str, set[str]] = {}
    for one in workflow.destinations.values():
        used.setdefault(one.connector, set()).add(one.action)
    return tuple(
        _replaced(name, actions, staged.get(name), known) for name, actions in sorted(used.items())
    )


def write_definitions(replaced: Collection[Replaced], folder: Path) -> None:
    """One file for each connector. JSON is YAML too."""
    folder.mkdir(mode=0o700)
    for one in replaced:
        (folder / f"{one.connector}.yaml").write_bytes(orjson.dumps(one.document))


def _replaced(
    name: str, actions: set[str], instead: str | None, known: Mapping[str, Known]
) -> Replaced:
    own = known.get(name)
    if own is None or (lacking := actions - own.connector.actions.keys()):
        what = f"connector {name!r}" if own is None else f"action {min(lacking)!r} of {name}"
        raise Refused(
            f"this machine has no {what}, so it is not known what would be sent",
            field="connector",
            fix="set MESHLINE_CONNECTORS to the folder that defines it",
        )
    said = _document(own)
    if instead is None and said is not None and said.get("base_url") == _SANDBOX_URL:
        return Replaced(connector=name, instead=SANDBOX, document=said)
    if instead in (None, DRY):
        document = _dry(name, own.connector.actions.values())
        return Replaced(connector=name, instead=DRY, document=document)
    return Replaced(
        connector=name,
        instead=str(instead),
        document={**_account(name, str(instead), actions, known), "connector": name},
    )


def _account(
    name: str, instead: str, actions: set[str], known: Mapping[str, Known]
) -> Mapping[str, object]:
    found = known.get(instead)
    said = None if found is None else _document(found)
    if found is None or said is None or not actions <= found.connector.actions.keys():
        raise Refused(
            f"the connector {instead!r} cannot take the place of {name!r}",
            field=f"environments.{STAGING}.{name}",
            fix=f"define it in a file of its own with the actions of {name!r}, or write `{DRY}`",
        )
    return said


def _dry(name: str, actions: Collection[Action]) -> Mapping[str, object]:
    """Records in the worker's memory: what is sent is read back."""
    return {
        "connector": name,
        "kind": "fake",
        "title": f"{name}, of which nothing is sent",
        "actions": {
            one.name: {
                "idempotency": one.idempotency.value,
                "proof": one.proof.value,
                "required": sorted(one.required),
                "optional": sorted(one.optional),
                "open_fields": one.open_fields,
                "undo": one.can_undo,
            }
            for one in actions
        },
    }


def _document(known: Known) -> dict[str, object] | None:
    """A definition with what it extends in it, and files by whole paths; None: of a package."""
    if known.path is None:
        return None
    folder = known.path.parent.absolute()
    return {key: _whole(value, folder) for key, value in document_of(known.path).items()}


def _whole(value: object, folder: Path) -> object:
    if isinstance(value, dict):
        return {key: _whole(one, folder) for key, one in value.items()}
    if isinstance(value, list):
        return [_whole(one, folder) for one in value]
    if isinstance(value, str) and value.startswith("file:"):
        return f"file:{folder / value.removeprefix('file:')}"
    return value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, Mapping) else ():
        yield from _texts(one)
    for one in value if isinstance(value, list) else ():
        yield from _texts(one)
