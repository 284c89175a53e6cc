"""Real breaks: objects of a vendor's document held against the version before it.

For every schema that both versions have, objects are built from its examples: those of the old
version passed, those of the new one come now. The contract is the old schema, closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.drift.cases import Case
from benchmarks.drift.mutations import Truth
from benchmarks.drift.openapi import Document, Json
from benchmarks.drift.recorded import INPUTS
from orchestrator.domain.contracts.contract import compile_contract
from orchestrator.domain.drift.finding import ITEM, ChangeKind, Path
from orchestrator.domain.drift.profile import Profile, profiled

INTERCOM = INPUTS / "intercom"
PAIRS = (("2.10", "2.11"), ("2.13", "2.14"))

# Read off the vendor's two documents; all else follows from what is in one and not in the other.
_SAID: dict[tuple[str, str], dict[Path, Path]] = {
    ("2.10", "data_export"): {("job_identfier",): ("job_identifier",)},
    ("2.13", "data_export"): {("job_identfier",): ("job_identifier",)},
    ("2.13", "update_ticket_request"): {
        ("assignment", "admin_id"): ("admin_id",),
        ("assignment", "assignee_id"): ("assignee_id",),
    },
}


def breaks() -> Iterator[Case]:
    """One case for each schema whose new objects break the old one's contract."""
    for old, new in PAIRS:
        before, after = (Document(one, INTERCOM / f"intercom-{one}.yaml") for one in (old, new))
        for name in sorted(before.schemas.keys() & after.schemas.keys()):
            case = _case(before, after, name, _SAID.get((old, name), {}))
            if case is not None:
                yield case


def _case(before: Document, after: Document, name: str, said: Mapping[Path, Path]) -> Case | None:
    schema = before.contract(before.schemas[name])
    contract = compile_contract(schema, "annotate", [])
    assert contract is not None
    accepted = [one for one in before.objects(name) if not contract.violations(one)]
    broken = [one for one in after.objects(name) if contract.violations(one)]
    if not accepted or not broken:
        return None
    return Case(
        label=f"{before.version} to {after.version}",
        source=name,
        schema=schema,
        accepted=accepted,
        broken=broken,
        truth=frozenset(_truth(profiled(accepted), profiled(broken), schema, said)),
    )


def _truth(old: Profile, new: Profile, schema: Json, said: Mapping[Path, Path]) -> Iterator[Truth]:
    """What is in one version and not in the other, and what was read off the documents."""
    for was, now in said.items():
        yield (ChangeKind.RENAMED if was[:-1] == now[:-1] else ChangeKind.MOVED), was, now
        if not set(new.fields[now].types) <= set(old.fields[was].types):
            yield ChangeKind.RETYPED, now, None
    retyped = {
        path for path in old.fields.keys() & new.fields.keys()
        if set(new.fields[path].types) - set(old.fields[path].types)
    }  # fmt: skip
    tops = _tops(retyped)
    yield from ((ChangeKind.RETYPED, path, None) for path in tops)
    moved = (*said, *said.values())
    for path in old.fields.keys() - {()}:
        missing = new.lacking(path) and not old.lacking(path) and path[-1] != ITEM
        if missing and not _is_told(path, moved, tops):
            yield (ChangeKind.PARTIAL if path in new.fields else ChangeKind.REMOVED), path, None
    for path in new.fields.keys() - old.fields.keys():
        fresh = old.lacking(path) and path[-1] != ITEM and not _is_open(schema, path[:-1])
        if fresh and not _is_told(path, moved, tops):
            yield ChangeKind.ADDED, path, None
    for path, one in new.fields.items():
        listed = _listed(schema, path)
        if listed and set(one.values) - set(listed) and path not in tops:
            yield ChangeKind.NEW_VALUE, path, None


def _tops(paths: set[Path]) -> set[Path]:
    return {one for one in paths if not any(one[:depth] in paths for depth in range(len(one)))}


def _is_told(path: Path, moved: tuple[Path, ...], retyped: set[Path]) -> bool:
    """Whether a place holds, or is held by, what was moved; or is held by what was retyped."""
    held = any(path[: len(one)] == one for one in (*moved, *retyped))
    return held or any(one[: len(path)] == path for one in moved)


def _at(schema: Json, path: Path) -> Json:
    for step in path:
        below = schema if step == ITEM else schema.get("properties", {})
        schema = below.get("items" if step == ITEM else step, {})
    return schema


def _is_open(schema: Json, path: Path) -> bool:
    """Whether the vendor declares nothing at a place, so that anything may stand there."""
    return _at(schema, path).get("type") == "object" and "properties" not in _at(schema, path)


def _listed(schema: Json, path: Path) -> list[str]:
    return [one for one in _at(schema, path).get("enum", []) if one is not None]
