"""Recorded GitHub webhooks as traffic: any number of events, each with values of its own."""

from __future__ import annotations

import functools
import json
import random
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.domain.contracts.contract import Contract, compile_contract
from orchestrator.domain.contracts.document import embed

INPUTS = Path(__file__).parents[3] / "shared" / "inputs"
GITHUB = INPUTS / "github-webhooks"

_HEX = re.compile(r"\b[0-9a-f]{12,64}\b")
_DIGITS = re.compile(r"\d{5,}")
_MOMENT = re.compile(r"^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)")
_TOKEN = re.compile(r"^(?=.*\d)[A-Za-z0-9_+/-]{14,}={0,2}$")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One kind of event: its contract, and recorded payloads that satisfy it."""

    name: str
    schema: dict[str, object]
    contract: Contract
    payloads: tuple[dict[str, Any], ...]

    def traffic(self, count: int, rng: random.Random) -> list[dict[str, Any]]:
        """Events as they would come: of any recorded one, with ids, hashes and times of its own."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            event = _varied(rng.choice(self.payloads), rng)
            if not self.contract.violations(event):  # some contracts list the one recorded value
                found.append(event)
        return found


@functools.cache
def sources() -> tuple[Source, ...]:
    """Every kind of event with at least two recorded payloads that are valid."""
    document = json.loads((GITHUB / "schema.json").read_text())
    found = []
    for one in json.loads((GITHUB / "payloads" / "index.json").read_text()):
        name = one["name"]
        ending = "_event" if f"{name}_event" in document["definitions"] else "$event"
        schema = embed(document, f"/definitions/{name}{ending}")
        contract = compile_contract(schema, "annotate", [])
        assert contract is not None
        valid = tuple(each for each in one["examples"] if not contract.violations(each))
        if len(valid) > 1 and _can_vary(contract, valid):
            found.append(Source(name=name, schema=schema, contract=contract, payloads=valid))
    return tuple(found)


def _can_vary(contract: Contract, payloads: tuple[dict[str, Any], ...]) -> bool:
    rng = random.Random(0)
    return any(not contract.violations(_varied(one, rng)) for one in payloads)


def _varied(value: Any, rng: random.Random) -> Any:
    if isinstance(value, Mapping):
        return {name: _varied(inner, rng) for name, inner in value.items()}
    if isinstance(value, list):
        return [_varied(inner, rng) for inner in value]
    if isinstance(value, int) and value > 9_999:
        return int(_digits(str(value), rng))
    return _text(value, rng) if isinstance(value, str) else value


def _text(value: str, rng: random.Random) -> str:
    if moment := _MOMENT.match(value):
        month, day = rng.randint(1, 12), rng.randint(1, 28)
        return f"{moment[1]}-{month:02}-{day:02}T{rng.randint(0, 23):02}{value[13:]}"
    if _TOKEN.match(value) and not value.isalpha():
        letters = string.ascii_letters + string.digits
        return value[:4] + "".join(rng.choice(letters) for _ in value[4:])
    value = _HEX.sub(lambda one: "".join(rng.choice("0123456789abcdef") for _ in one[0]), value)
    return _DIGITS.sub(lambda one: _digits(one[0], rng), value)


def _digits(text: str, rng: random.Random) -> str:
    return rng.choice("123456789") + "".join(rng.choice(string.digits) for _ in text[1:])
