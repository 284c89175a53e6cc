"""Where a workflow's contract comes from: written in its file, or in a JSON Schema file by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.domain.contracts.document import embed
from orchestrator.domain.documents import strict_json
from orchestrator.domain.documents.files_beside import FIX, read_beside
from orchestrator.domain.errors import Fault, InvalidJson, PayloadTooLarge
from orchestrator.domain.text.hints import did_you_mean

_MOST_BYTES = 16 * 1_048_576
_MOST_VALUES = 100_000  # of the contract itself, which may be a small part of its file
_DEEPEST = 200
_KEYS = ("file", "pointer")


@dataclass(frozen=True, kw_only=True)
class ContractSource:
    """A contract, or what keeps it from being read."""

    contract: dict[str, Any] | None = None  # None: there is none to be read
    file: str | None = None  # the file it was read from, as the workflow names it
    faults: list[Fault] = field(default_factory=list)

    @property
    def key(self) -> dict[str, Any]:
        """What stands for `contract:` once it is resolved: nothing where it has faults."""
        if self.faults:
            return {"contract": {}}
        return {} if self.contract is None else {"contract": self.contract}

    def located(self, fault: Fault) -> Fault:
        """A fault that says in which file it is, where that is not the workflow's own."""
        if self.file is None or not fault.path.startswith("contract."):
            return fault
        return replace(fault, problem=f"in {self.file}, {fault.problem}")


def resolve_contract(raw: object, folder: Path | None) -> ContractSource:
    """The contract of `contract:`: a JSON Schema, or `{file: …, pointer: …}` that leads to one."""
    if not isinstance(raw, dict):
        return ContractSource()
    if "file" not in raw:
        return ContractSource(contract=raw)
    faults = [
        Fault(path=f"contract.{key}", problem="this key is not known", fix=did_you_mean(key, _KEYS))
        for key in raw
        if key not in _KEYS
    ]
    file, pointer = raw["file"], raw.get("pointer", "")
    if not isinstance(file, str) or not file:
        fix = "write the path of a JSON Schema file"
        faults.append(Fault(path="contract.file", problem="it is not a path", fix=fix))
    if not isinstance(pointer, str) or not (pointer == "" or pointer.removeprefix("#")[:1] == "/"):
        fix = "write a JSON Pointer such as /definitions/lead"
        faults.append(Fault(path="contract.pointer", problem="it is not a JSON Pointer", fix=fix))
    if faults:
        return ContractSource(faults=faults)
    return _read(file, pointer.removeprefix("#"), folder)


def _read(file: str, pointer: str, folder: Path | None) -> ContractSource:
    try:
        document = _document(file, folder)
    except InvalidJson as error:
        return _wrong("contract.file", error.detail, error.fix or "")
    except PayloadTooLarge as error:
        return _wrong("contract.file", error.detail, "take out of the file what is not used")
    except OSError as error:
        problem = f"{file} cannot be read: {error.strerror or error}"
        return _wrong("contract.file", problem, FIX)
    except ValueError as error:
        return _wrong("contract.file", str(error), FIX)
    try:
        contract = embed(document, pointer)
    except LookupError as error:
        problem = f"{pointer} leads nowhere in {file}: {error.args[0]}"
        return _wrong("contract.pointer", problem, "write a pointer to a schema in the file")
    except ValueError as error:
        fix = "move what it refers to under `$defs`, or leave the pointer out"
        return _wrong("contract.pointer", f"{pointer} of {file}: {error}", fix)
    if _has_more_values(contract, _MOST_VALUES):
        fix = "take out what is not used, or name a part of it by `pointer`"
        return _wrong("contract.file", f"{file} holds more than {_MOST_VALUES:,} values", fix)
    return ContractSource(contract=contract, file=file)


def _has_more_values(value: object, most: int) -> bool:
    todo, seen = [value], 0
    while todo and seen <= most:
        one = todo.pop()
        seen += 1
        if isinstance(one, dict):
            todo.extend(one.values())
        elif isinstance(one, list):
            todo.extend(one)
    return seen > most


def _wrong(path: str, problem: str, fix: str) -> ContractSource:
    return ContractSource(faults=[Fault(path=path, problem=problem, fix=fix)])


def _document(file: str, folder: Path | None) -> Mapping[str, Any]:
    """Raises OSError, ValueError or InvalidJson."""
    body = read_beside(file, folder, _MOST_BYTES)
    name = Path(file).name
    document = strict_json.loads(body, max_depth=_DEEPEST, field=name)
    if not isinstance(document, dict):
        raise InvalidJson("it is not an object", field=name, fix="name a JSON Schema file")
    return document
