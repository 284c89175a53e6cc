"""The steps of a recipe as the options of a command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import InvalidJson, Refused

OptionStep = dict[str, object]


def steps_of_options(
    *, zone: str | None = None, reason: str | None = None, **options: Iterable[str]
) -> list[OptionStep]:
    """The steps of a command line, in the order of OPTIONS, which are the other arguments.

    `reason` is that of each `sets`, and `zone` that of each conversion to a date-time. What `maps`
    says of one path is one step. Raises Refused.
    """
    steps = [make(text) for name, make in OPTIONS.items() for text in options.get(name, ())]
    for step in steps:
        if reason and "value" in step:
            step["reason"] = reason
    moments = [step for step in steps if "convert" in step and step["to"] == "date-time"]
    if zone is not None and not moments:
        raise Refused("no step has a use for it", field="zone", fix="convert to date-time with it")
    for step in moments if zone is not None else ():
        step["zone"] = zone
    return _maps_together(steps)


def _pair(action: str, key: str, form: str) -> Callable[[str], OptionStep]:
    def step(text: str) -> OptionStep:
        path, value = _sides(text, action, form)
        return {action: path, key: value}

    return step


def _conversion(text: str) -> OptionStep:
    """A conversion; after the type may be how a time is written, or a number's signs."""
    path, to = _sides(text, "convert", "path=type")
    kind, colon, written = to.partition(":")
    step: OptionStep = {"convert": path, "to": kind}
    if colon and kind in ("integer", "number"):
        signs = {"decimal": written[:1], "group": written[1:]}
        return step | {name: sign for name, sign in signs.items() if sign}
    return step | {"format": written} if colon else step


def _map(text: str) -> OptionStep:
    path, pair = _sides(text, "map", "path=old:new")
    old, colon, new = pair.partition(":")
    if not colon:
        raise Refused(f"{text!r} is not of the form path=old:new", field="map")
    return {"map": path, "values": {old: _value(new)}}


def _set(text: str) -> OptionStep:
    path, value = _sides(text, "set", "path=value", may_be_blank=True)
    return {"set": path, "value": _value(value)}


def _drop_if(text: str) -> OptionStep:
    path, value = _sides(text, "drop-if", "path=value", may_be_blank=True)
    return {"drop": path, "if": _value(value)}


OPTIONS: Mapping[str, Callable[[str], OptionStep]] = {
    "renames": _pair("rename", "to", "old=new"),
    "moves": _pair("move", "to", "old=new"),
    "trims": lambda path: {"trim": path},
    "cases": _pair("case", "to", "path=lower"),
    "wraps": lambda path: {"wrap": path},
    "splits": _pair("split", "by", "path=separator"),
    "joins": _pair("join", "by", "path=separator"),
    "converts": _conversion,
    "maps": _map,
    "sets": _set,
    "copies": _pair("set", "from", "path=field"),
    "drop_ifs": _drop_if,
    "drops": lambda path: {"drop": path},
}
"""What each option makes of its text; their steps are made in this order."""


def _maps_together(steps: list[OptionStep]) -> list[OptionStep]:
    made: list[OptionStep] = []
    values: dict[object, dict[str, object]] = {}  # of the maps, by path
    for step in steps:
        more = step.get("values")
        if isinstance(more, dict) and step["map"] in values:
            values[step["map"]].update(more)
            continue
        if isinstance(more, dict):
            values[step["map"]] = more
        made.append(step)
    return made


def _sides(text: str, option: str, form: str, *, may_be_blank: bool = False) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not equals or not left or not (right or may_be_blank):
        raise Refused(f"{text!r} is not of the form {form}", field=option, fix=f"write {form}")
    return left, right


def _value(text: str) -> object:
    try:
        return strict_json.loads(text)
    except InvalidJson:
        return text
