"""Payloads of two versions as cases, one for each name that both sides have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path as File
from typing import Any

from benchmarks.drift.cases import Case
from benchmarks.drift.real.described import Described
from benchmarks.drift.real.document import Json
from benchmarks.drift.real.inferred import inferred_contract
from benchmarks.drift.real.truths import truths
from orchestrator.domain.contracts.contract import compile_contract
from orchestrator.domain.contracts.document import embed

_ENDINGS = ("_event", "$event", "")


def payload_cases(one: Described) -> Iterator[Case]:
    """The cases of a set whose new payloads break the contract of the old ones."""
    if one.before is None or one.after is None:
        return
    before, after = _payloads(one.before), _payloads(one.after)
    for name in sorted(before.keys() & after.keys()):
        schema = _schema(one.contracts, name, before[name])
        contract = compile_contract(schema, "annotate", []) if schema else None
        if schema is None or contract is None:
            continue
        accepted = [each for each in before[name] if not contract.violations(each)]
        broken = [each for each in after[name] if contract.violations(each)]
        if accepted and broken:
            said = one.said(name)
            yield Case(
                label=one.folder.name,
                source=name,
                schema=schema,
                accepted=accepted,
                broken=broken,
                truth=frozenset(truths(accepted, broken, schema, said)),
            )


def _payloads(side: File) -> dict[str, list[Any]]:
    """Payloads by name: `NAME.json`, `NAME/*.json`, or a list of `{name, examples}`."""
    if side.is_file():
        return {one["name"]: one["examples"] for one in json.loads(side.read_text("utf-8"))}
    found: dict[str, list[Any]] = {}
    for file in sorted(side.rglob("*.json")):
        name = file.stem if file.parent == side else file.parent.name
        read = json.loads(file.read_text("utf-8"))
        found.setdefault(name, []).extend(read if isinstance(read, list) else [read])
    return found


def _schema(contracts: File | None, name: str, payloads: Sequence[Any]) -> Json | None:
    """The contract of a name: a file, a definition of a document, or else what payloads show."""
    if contracts is None:
        return inferred_contract(payloads)
    if contracts.is_dir():
        file = contracts / f"{name}.json"
        return json.loads(file.read_text("utf-8")) if file.is_file() else None
    document = json.loads(contracts.read_text("utf-8"))
    for ending in _ENDINGS:
        if f"{name}{ending}" in document.get("definitions", {}):
            return embed(document, f"/definitions/{name}{ending}")
    return document if "properties" in document else None
