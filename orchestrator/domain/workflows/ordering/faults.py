"""What is wrong with the keys of a workflow file that order its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.domain.contracts.paths import ContractPaths, DeclaredPath, UndeclaredPath
from orchestrator.domain.errors import Fault
from orchestrator.domain.workflows.cel.text import plain_path, tokens
from orchestrator.domain.workflows.compile_facts import undeclared

ORDERING_KEYS = ("ordering_key", "on_stall", "latest")

_USABLE: Mapping[str, tuple[frozenset[str], str]] = {
    "ordering_key": (
        frozenset({"string", "integer", "number", "boolean"}),
        "name a text, a number or a boolean",
    ),
    "latest": (
        frozenset({"string", "integer", "number"}),
        "name a moment or a number that grows with each update",
    ),
}


def ordering_faults(
    said: Mapping[str, str], contract: Mapping[str, object] | None
) -> Iterator[Fault]:
    """Faults of `said`, the keys that can be read; without a contract its paths are not checked."""
    for key in ("on_stall", "latest"):
        if key in said and "ordering_key" not in said:
            fix = "add `ordering_key: data.email`, or take it out"
            yield Fault(path=key, problem="it needs an `ordering_key`", fix=fix)
    paths = ContractPaths(contract) if contract is not None else None
    for key, (types, fix) in _USABLE.items():
        path = plain_path(tokens(said.get(key, "")))
        if path is None or paths is None or not path.steps:
            continue  # the model says what is wrong with it
        match paths.find(path.steps):
            case UndeclaredPath() as not_there:
                yield undeclared(key, path, not_there)
            case DeclaredPath(types=found) if not found & types:
                problem = f"`{path.text}` is never a value that can be compared"
                yield Fault(path=key, problem=problem, fix=fix)


def ordering_notes(said: Mapping[str, str], contract: Mapping[str, object] | None) -> list[Fault]:
    """What the author of these keys should know."""
    paths = ContractPaths(contract) if contract is not None else None
    notes = []
    for key, told in _WITHOUT.items():
        path = plain_path(tokens(said.get(key, "")))
        if path is None or paths is None:
            continue
        found = paths.find(path.steps)
        if isinstance(found, DeclaredPath) and not found.always:
            problem = f"the contract does not require `{path.text}`: {told}"
            fix = "make it required in the contract, unless that is what you want"
            notes.append(Fault(path=key, problem=problem, fix=fix, is_note=True))
    return notes


_WITHOUT: Mapping[str, str] = {
    "ordering_key": "an event without it is not ordered",
    "latest": "an event without it is never dropped, and drops none",
}
