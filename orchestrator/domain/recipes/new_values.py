"""The value that a step puts in place of another."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.converting import Written, convert
from orchestrator.domain.recipes.lists import wrapped
from orchestrator.domain.recipes.steps import Step
from orchestrator.domain.recipes.texts import join, split, trimmed

_MAP_FIRST = "map the values that are written otherwise first, or take the event out"


def new_value(step: Step, value: object, sources: Sequence[object], path: str) -> object:
    """What a step makes of a value, and of those that its `from` names. Raises Refused.

    What it is not for stays: null, and of steps for texts what is not text.
    """
    if step.action == "set":
        return sources[0] if sources else step.value
    if step.action == "map":
        word = value if isinstance(value, str) else strict_json.dumps(value)
        return (step.values or {}).get(word, value)
    if sources:
        return _joined(sources, step, path)
    if isinstance(value, str) and step.action in ("trim", "case", "split"):
        return _of_text(value, step)
    match step.action:
        case "join" if isinstance(value, list):
            return _joined(value, step, path)
        case "wrap" if value is not None:  # the contract says whether null may be
            return _wrapped(value, step, path)
        case "convert" if value is not None:
            return _converted(value, step, path)
    return value


def _of_text(text: str, step: Step) -> object:
    if step.action == "split":
        return split(text, step.by or "")
    if step.action == "trim":
        return trimmed(text)
    return text.lower() if step.to == "lower" else text.upper()


def parts_of(step: Step, value: object, path: str) -> list[object]:
    """The parts of a text, one for each field that `into` names; none of null and of blanks.

    Raises Refused where there are more or fewer.
    """
    if value is None:
        return []
    if not isinstance(value, str):
        raise Refused("it is not text to split", field=path, fix=_MAP_FIRST)
    parts, wanted = split(value, step.by or ""), len(step.into or ())
    if parts and len(parts) != wanted:
        detail = f"it has {len(parts)} parts, and `into` names {wanted} fields"
        raise Refused(detail, field=path, fix=_MAP_FIRST)
    return parts


def _joined(parts: Sequence[object], step: Step, path: str) -> str:
    try:
        return join(parts, step.by or "")
    except ValueError as error:
        raise Refused(f"it cannot be joined: {error}", field=path, fix=_MAP_FIRST) from None


def _wrapped(value: object, step: Step, path: str) -> object:
    try:
        return wrapped(value, close_gaps=step.gaps is not None)
    except ValueError as error:
        raise Refused(f"it cannot become a list: {error}", field=path, fix=_MAP_FIRST) from None


def _converted(value: object, step: Step, path: str) -> object:
    written = Written(format=step.format, zone=step.zone, decimal=step.decimal, group=step.group)
    try:
        return convert(value, step.to or "", written)
    except ValueError as error:
        raise Refused(f"it cannot become {step.to}: {error}", field=path, fix=_MAP_FIRST) from None
