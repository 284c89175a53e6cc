"""One step into a value: a property, an entry of a list, the value of a key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from orchestrator.domain.contracts.declared import Member, Undeclared
from orchestrator.domain.text.hints import did_you_mean, in_yaml
from orchestrator.domain.workflows.cel.syntax import Constant, ListOf, Node
from orchestrator.domain.workflows.checks.guards import NOT_EMPTY, NOT_NULL, entry_step
from orchestrator.domain.workflows.checks.problems import Problem, fault, note
from orchestrator.domain.workflows.checks.values import (
    UNKNOWN,
    Value,
    declared,
    of_kind,
    said,
    without_null,
)
from orchestrator.domain.workflows.checks.written import member as member_text
from orchestrator.domain.workflows.checks.written import written

_SIZES = frozenset({"size", "length", "len", "count", "Length"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Where a step leads."""

    value: Value
    absent: Absent | None = None
    problems: tuple[Problem, ...] = ()

    def after(self, before: Absent | None) -> Found:
        """The same where what it starts from may be absent itself; the graver cause counts."""
        if before is None or (before.is_entry and self.absent):
            return self
        return replace(self, absent=before)


@dataclass(frozen=True, kw_only=True, slots=True)
class Absent:
    """What may be missing on the way."""

    at: str  # the place in the contract
    ask: str  # the condition under which it is there
    is_entry: bool = False  # of a list that may be shorter


def member(of: Value, name: str, text: str, *, tested: bool = False) -> Found:
    """The property `name` of what is written as `text`; `tested` where `has` asks for it."""
    if not of.is_known and of.place is None:
        return Found(value=UNKNOWN)
    if of.entry is not None:
        kind = fault(f"`{text}` is a list", f"write `{text}[0]`, or a loop: `{text}.map(x, ...)`")
        is_list = of.kinds == {"list"}
        return Found(value=UNKNOWN if is_list else of.entry, problems=(kind,) if is_list else ())
    if of.is_known and "map" not in of.kinds:
        return Found(value=UNKNOWN, problems=(_no_fields(of, name, text),))
    if of.place is None:
        return Found(value=UNKNOWN)
    found = of.place.member(name)
    if isinstance(found, Undeclared):
        return Found(value=UNKNOWN, problems=(_undeclared(of, name, text, found),))
    return _declared(of, name, found, text, tested=tested)


def _declared(of: Value, name: str, found: Member, text: str, *, tested: bool) -> Found:
    at = member_text(of.at, name)
    sure = frozenset(steps[1:] for steps in of.sure if steps[0] == name and len(steps) > 1)
    value = declared(found.place, at)
    value = Value(kinds=value.kinds, place=value.place, at=at, options=value.options, sure=sure)
    if (NOT_NULL,) in sure:
        value = without_null(value)
    is_object = found.in_object or of.kinds == {"map"}
    is_there = (found.required and is_object) or (name,) in of.sure
    if tested:
        return Found(value=of_kind("bool"))
    may_be_null = found.required and "null" in of.kinds and of.is_known
    ask = f"{text} != null" if may_be_null else f"has({member_text(text, name)})"
    return Found(value=value, absent=None if is_there else Absent(at=at, ask=ask))


def indexed(of: Value, key: Node, at: Value, text: str) -> Found:
    """The value at `[key]`; `at` is what is known of the key."""
    is_list, is_map = of.kinds == {"list"}, of.kinds == {"map"}
    match key:
        case Constant(value=str(name)) if not is_list:
            return member(of, name, text)
        case Constant(value=int(index)) if "list" in of.kinds and not isinstance(index, bool):
            return _entry(of, index, text)
    if problem := _unfit_key(of, key, at, text):
        return Found(value=UNKNOWN, problems=(problem,))
    if is_list:
        return Found(value=each(of, first=False))
    if is_map and of.place is not None:
        behind = of.place.value()
        is_said = behind.schema is not True
        return Found(value=declared(behind, f"{of.at}[...]") if is_said else UNKNOWN)
    return Found(value=of.entry or UNKNOWN, problems=tuple(_lookup(of, at, text, written(key))))


def beyond(of: Node, key: Node) -> Problem | None:
    """What is wrong with an index that a list which is written out does not have."""
    match of, key:
        case ListOf(items=items), Constant(value=int(index)) if index >= len(items):
            problem = f"`{written(of)}` has {len(items)} entries and no `[{index}]`"
            return fault(problem, "write an index that it has, from 0")
    return None


def _unfit_key(of: Value, key: Node, at: Value, text: str) -> Problem | None:
    """What is wrong with a key that such a value does not have."""
    if of.is_known and of.kinds.isdisjoint({"list", "map"}):
        return fault(f"`{text}` is {said(of.kinds)} and has no entries", f"write `{text}`")
    if of.kinds == {"list"} and isinstance(key, Constant) and isinstance(key.value, str):
        fix = f"write `{text}[0]`, or a loop: `{text}.map(x, x.{key.value})`"
        return fault(f"`{text}` is a list", fix)
    wanted = frozenset({"int"} if of.kinds == {"list"} else {"string"})
    if of.kinds in ({"list"}, {"map"}) and at.is_known and at.kinds.isdisjoint(wanted):
        problem = f"`{text}` is a {said(of.kinds)}, and `{written(key)}` is {said(at.kinds)}"
        return fault(problem, f"write a {said(wanted)} there")
    return None


def _lookup(of: Value, at: Value, text: str, key: str) -> Iterator[Problem]:
    """What is wrong with `{"pro": ..., "starter": ...}[tier]`, for keys that are missing."""
    keys = {steps[0] for steps in of.sure}
    if of.kinds != {"map"} or not keys or at.options is None:
        return
    missing = [one for one in at.options if isinstance(one, str) and one not in keys]
    if missing:
        shown = ", ".join(f'"{one}"' for one in missing[:6])
        problem = f"`{text}` has no entry for {shown}, which `{key}` can be"
        make = fault if len(missing) == len(at.options) else note
        yield make(problem, "add the entries")


def _entry(of: Value, index: int, text: str) -> Found:
    if index < 0:
        problem = f"`{text}[{index}]`: entries are counted from 0"
        return Found(value=UNKNOWN, problems=(fault(problem, f"write `{text}[0]`"),))
    missing = Absent(at=of.at, ask=f"size({text}) > {index}", is_entry=True)
    is_there = index == 0 and (NOT_EMPTY,) in of.sure
    if of.place is None:
        return Found(value=of.entry or UNKNOWN, absent=None if is_there else missing)
    value = declared(of.place.item(index), f"{of.at}[{index}]")
    step = entry_step(index)
    sure = frozenset(steps[1:] for steps in of.sure if steps[0] == step and len(steps) > 1)
    value = Value(
        kinds=value.kinds, place=value.place, at=value.at, options=value.options, sure=sure
    )
    least, most = of.place.bounds()
    if most is not None and index >= most:
        problem = f"`{text}[{index}]` is never there: the contract allows {most} entries"
        return Found(value=value, problems=(fault(problem, f"write at most `[{most - 1}]`"),))
    if index < least or is_there:
        return Found(value=value)
    return Found(value=value, absent=missing)


def absent(text: str, what: Absent, fact: str | None) -> Problem:
    """That a path may be absent, of which nobody says so; `fact` is the text of a whole fact."""
    from_data = text.partition(".")[0].partition("[")[0] == "data"
    if from_data and fact:
        ways = f"write {{value: {in_yaml(fact)}, optional: true}}"
    else:
        ways = f"ask `{what.ask} && ...` first"
    if what.is_entry:
        problem = f"`{text}` is not there where the list is shorter"
        ways = f"{ways}, or say `minItems` in the contract" if what.at else ways
        return (fault if from_data and fact else note)(problem, ways)
    where = "" if from_data else f" (it is `{what.at}`)"
    problem = f"the contract does not require `{text}`{where}"
    return fault(problem, f"{ways}, or make it required in the contract")


def each(of: Value, *, first: bool) -> Value:
    """What a loop goes over: entries of a list, keys of an object; `first` of two names."""
    if of.kinds == {"map"}:
        return of_kind("string")
    if of.kinds != {"list"}:
        return UNKNOWN
    if first:
        return of_kind("int")
    if of.place is not None:
        return declared(of.place.item(), f"{of.at}[]")
    return of.entry or UNKNOWN


def not_a_collection(of: Value, text: str) -> Problem | None:
    """What is wrong with a loop over what is neither a list nor an object."""
    if of.is_known and of.kinds and of.kinds.isdisjoint({"list", "map"}):
        return fault(f"`{text}` is {said(of.kinds)}", "loop over a list")
    return None


def _undeclared(of: Value, name: str, text: str, found: Undeclared) -> Problem:
    path = member_text(text, name)
    where = f" in `{of.at}`" if of.at != text else ""
    problem = f"the contract does not declare `{path}`{where}"
    if found.nearest:
        fix = f"write `{member_text(text, found.nearest)}`"
    elif found.names:
        declared_ones = [member_text(text, one) for one in found.names]
        fix = f"{did_you_mean('', declared_ones)}, or declare it in the contract"
    else:
        fix = f"declare it in the contract: `{of.at}` declares no property"
    return fault(problem, fix)


def _no_fields(of: Value, name: str, text: str) -> Problem:
    if name in _SIZES:
        return fault(f"`{text}.{name}` is not a field", f"write `size({text})`")
    path = member_text(text, name)
    if of.kinds == {"list"}:
        fix = f"write `{member_text(f'{text}[0]', name)}`, or a loop: `{text}.map(x, x.{name})`"
        return fault(f"the contract does not declare `{path}`: `{text}` is a list", fix)
    problem = f"the contract does not declare `{path}`: `{text}` is {said(of.kinds)}"
    return fault(problem, f"write `{text}`, or declare it as an object in the contract")
