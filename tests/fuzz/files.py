"""Workflow files, definitions and recipes: what is shipped, with parts changed."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.fuzz.schemas import Schemas
from tests.fuzz.values import Maker, mangled, written

_HERE = Path(__file__).resolve().parents[2]
_RULES = (
    "data.email", "data.items[0].id", "data.items.filter(i, i.n > 2).size()", "1 +", "has(data.x)",
    "data.email.matches('(a+)+$')", "data['tier']", "data.items.map(i, data.items.map(j, i))",
    "tier == 'pro' && message", "{{ tier }}", "$.tier", "email = 'x'", "'a' + 1", "true", "(" * 300,
    "[1,2,3].all(x, x in [1,2,3])", "size(data.message) * 99999999999", "timestamp('never')",
)  # fmt: skip
_RECIPES = (
    b"steps: [{rename: customer_tier, to: tier}]",
    b"- {convert: n, to: number}\n- {drop: message}\n",
    b"steps: [{map: tier, values: {gold: pro}}, {set: tier, value: pro, reason: test}]",
    b"- {move: data.tier, to: tier}\n- {rename: 'items.*.x', to: 'items.*.id'}",
    b"- {trim: email}\n- {case: tier, to: upper}\n- {wrap: 'items.*.n', gaps: close}\n",
    b"- {split: message, by: ' ', into: [a, b]}\n- {join: c, from: [email, tier], by: '-'}\n",
    b"- {convert: 'items.*.n', to: date-time, format: seconds}\n- {drop: tier, if: [pro, null]}",
    b"- {convert: message, to: date-time, format: '%d.%m.%Y %H:%M', zone: Europe/Berlin}",
    b"- {convert: message, to: number, decimal: ',', group: .}\n- {set: a, from: tier}",
)


@functools.cache
def workflows() -> tuple[bytes, ...]:
    """The example."""
    return tuple(path.read_bytes() for path in sorted((_HERE / "workflows").glob("*.yaml")))


@functools.cache
def definitions() -> tuple[bytes, ...]:
    """The shipped definitions and the example's."""
    folders = (_HERE / "connectors" / "definitions", _HERE / "workflows" / "connectors")
    return tuple(path.read_bytes() for folder in folders for path in sorted(folder.glob("*.yaml")))


def workflow_file(make: Maker) -> bytes:
    """A workflow file that is almost right."""
    raw = make.chance.choice(workflows())
    kind = make.chance.randrange(4)
    if kind == 0:
        return mangled(make.chance, raw)
    if kind == 1 and make.one_in(3):
        return _bomb(make)
    document = _read(raw)
    if kind == 2:
        document["contract"] = Schemas(make).any()
    facts = document["facts"]
    facts[make.chance.choice(("email", "tier", "extra", make.name()))] = make.chance.choice(_RULES)
    if make.one_in(2):
        document["routes"][0]["when"] = make.chance.choice(_RULES)
    if make.one_in(3):
        _change(make, document)
    return written(document)


def definition_file(make: Maker) -> bytes:
    """A connector's definition that is almost right."""
    raw = make.chance.choice(definitions())
    kind = make.chance.randrange(4)
    if kind == 0:
        return mangled(make.chance, raw)
    if kind == 1 and make.one_in(3):
        return _bomb(make)
    document = _read(raw)
    for _ in range(make.chance.randrange(1, 4)):
        _change(make, document)
    return written(document)


def recipe_file(make: Maker) -> bytes:
    """A recipe that is almost right."""
    raw = make.chance.choice(_RECIPES)
    if make.one_in(2):
        return mangled(make.chance, raw)
    document = _read(raw)
    _change(make, document)
    return written(document)


def _read(raw: bytes) -> Any:
    found: Any = YAML(typ="safe").load(io.BytesIO(raw))
    return found


def _change(make: Maker, document: Any) -> None:
    """Change one place somewhere in the document."""
    inside = document
    while True:
        if isinstance(inside, dict) and inside:
            key: Any = make.chance.choice(list(inside))
        elif isinstance(inside, list) and inside:
            key = make.chance.randrange(len(inside))
        else:
            return
        if isinstance(inside[key], dict | list) and inside[key] and not make.one_in(3):
            inside = inside[key]
            continue
        if isinstance(inside, dict) and make.one_in(3):
            inside[make.name()] = inside.pop(key)
        else:
            inside[key] = make.value(2)
        return


def _bomb(make: Maker) -> bytes:
    """YAML that is small to send and large to read."""
    count = make.chance.choice((100, 2_000, 30_000))
    kind = make.chance.randrange(8)
    if kind == 0:
        return b"".join(b"a%d: &a%d x\n" % (n, n) for n in range(count))
    if kind == 1:
        return b"a: " + b"[" * count
    if kind == 2:
        return b"a: " + b"[" * count + b"]" * count
    if kind == 3:
        return b"a: >\n" + b"  x\n\n" * count
    if kind == 4:
        levels = [b"a0: &a0 [x,x,x,x,x,x,x,x,x]"]
        levels += [
            b"a%d: &a%d [%s]" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 9)
        ]
        return b"\n".join(levels)
    if kind == 5:
        return b"a: x\n" * count
    if kind == 6:
        return b"workflow: " + b"x" * min(count * 30, 1_000_000)
    return b"- " * count + b"x"
