"""A contract from payloads alone: closed, of the types that were seen, asking for what all have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.drift.real.document import Json
from orchestrator.domain.drift.shapes import type_of


def inferred_contract(payloads: Sequence[Any]) -> Json:
    """What every payload satisfies."""
    kinds = sorted({type_of(one) for one in payloads})
    found: Json = {"type": ["number", *kinds] if "integer" in kinds else kinds} if kinds else {}
    objects = [one for one in payloads if isinstance(one, dict)]
    if objects:
        names = dict.fromkeys(name for one in objects for name in one)
        found["additionalProperties"] = False
        found["required"] = [name for name in names if all(name in one for one in objects)]
        found["properties"] = {
            name: inferred_contract([one[name] for one in objects if name in one]) for name in names
        }
    if items := [item for one in payloads if isinstance(one, list) for item in one]:
        found["items"] = inferred_contract(items)
    return found
