"""What real drift has around a change: nulls, absent objects, new ones, lists, wide rows."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.drift.mutations import Mutation, Payload
from benchmarks.drift.places import holders, values
from benchmarks.drift.recorded import Source
from orchestrator.domain.drift.finding import ITEM, ChangeKind, Path
from orchestrator.domain.drift.profile import profiled

_NAMES = ("enterprise", "tenant", "workspace", "campaign")
_MOST = 4  # optional objects that are absent
_DEEPEST = 4


def without_optional(
    source: Source, accepted: list[Payload], broken: list[Payload], rng: random.Random
) -> list[Path]:
    """Take optional objects out of all broken events and some accepted: nothing changed."""
    places = [path for path, field in profiled(broken).fields.items()
              if path and len(path) <= _DEEPEST and path[-1] != ITEM and field.objects]  # fmt: skip
    rng.shuffle(places)
    taken: list[Path] = []
    for path in places:
        if len(taken) < _MOST and all(_may_lack(source, one, path) for one in (*accepted, *broken)):
            for payload in (*accepted[::3], *broken):
                _take(payload, path)
            taken.append(path)
    return taken


def _may_lack(source: Source, payload: Payload, path: Path) -> bool:
    changed = copy.deepcopy(payload)
    _take(changed, path)
    return not source.contract.violations(changed)


def _take(payload: Payload, path: Path) -> None:
    for holder in list(holders(payload, path)):
        del holder[path[-1]]


def new_object(source: Source, payloads: Sequence[Payload], rng: random.Random) -> Mutation | None:
    """An object that was not there, with the names that most objects have, and nulls."""
    name = rng.choice([one for one in _NAMES if not values(payloads, (one,))])
    if not all(source.contract.violations(one | {name: {}}) for one in payloads[:3]):
        return None

    def apply(payload: Payload) -> None:
        number = rng.randint(10**5, 10**7)
        payload[name] = {
            "id": number,
            "node_id": f"MDEw{number:x}Rr9c8Q2w==",
            "name": rng.choice(["North", "Octo works", "Blue"]),
            "description": None,
            "website_url": None,
            "html_url": f"https://new.example/{name}/{number}",
            "created_at": f"2021-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T10:11:12Z",
            "updated_at": f"2022-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T10:11:12Z",
        }

    return Mutation(truth=((ChangeKind.ADDED, (name,), None),), touched=((name,),), apply=apply)


def nulls(source: Source, payloads: Sequence[Payload], path: Path) -> bool:
    """Make a field null wherever it is, if the contract lets it be; whether it does."""
    kept = copy.deepcopy(list(payloads))
    for payload in payloads:
        for holder in holders(payload, path):
            holder[path[-1]] = None
    if any(source.contract.violations(one) for one in payloads):
        for payload, before in zip(payloads, kept, strict=True):
            payload.clear()
            payload.update(before)
        return False
    return True


def as_list(payloads: Sequence[Payload], path: Path) -> Mutation | None:
    """An object becomes a list of such objects."""
    before = values(payloads, path)
    if not before or not all(isinstance(one, dict) for one in before):
        return None

    def apply(payload: Payload) -> None:
        for holder in holders(payload, path):
            if isinstance(holder[path[-1]], dict):
                holder[path[-1]] = [holder[path[-1]]]

    return Mutation(truth=((ChangeKind.RETYPED, path, None),), touched=(path,), apply=apply)


def wide(rng: random.Random) -> tuple[dict[str, object], list[Any], list[Any], Iterator[Any]]:
    """A row of 130 columns of which five are renamed, and the others wholly replaced."""
    old = [f"{one}_{number}" for number, one in enumerate(_columns(rng))]
    new = [f"{one.title()}{number}" for number, one in enumerate(_columns(rng))]
    kept = dict(zip(rng.sample(old, 5), rng.sample(new, 5), strict=True))
    schema = {"type": "object", "additionalProperties": False, "required": ["row"], "properties": {
        "row": {"type": "object", "additionalProperties": False, "required": old,
                "properties": dict.fromkeys(old, True)}}}  # fmt: skip
    rows = [{one: f"{one[:3]}{rng.getrandbits(40):x}" for one in old} for _ in range(6)]
    broken = []
    for row in rows:
        fresh = {kept[one]: value for one, value in row.items() if one in kept}
        broken.append({"row": {one: fresh.get(one, rng.randint(1, 99)) for one in new}})
    truth = (
        *((ChangeKind.RENAMED, ("row", was), ("row", now)) for was, now in kept.items()),
        *((ChangeKind.REMOVED, ("row", one), None) for one in old if one not in kept),
        *((ChangeKind.ADDED, ("row", one), None) for one in new if one not in kept.values()),
    )
    return schema, [{"row": row} for row in rows], broken, iter(truth)


def _columns(rng: random.Random) -> list[str]:
    letters = "bcdfghjklmnpqrstvwz"
    return ["".join(rng.choice(letters) for _ in range(7)) for _ in range(130)]
