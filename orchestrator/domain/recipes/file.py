"""Recipes as people give them: a YAML or JSON file, or options of a command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from orchestrator.domain.documents import strict_json, strict_yaml
from orchestrator.domain.documents.bounded_files import read_bounded
from orchestrator.domain.documents.model_faults import model_faults
from orchestrator.domain.errors import Fault, InvalidFile, InvalidJson, Refused
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.recipes.steps import FORMS, MOST_STEPS, Step
from orchestrator.domain.text.hints import did_you_mean

_KEYS = ("note", "author", "steps")


def read_recipe(path: Path) -> Recipe:
    """The recipe in a file; see `parse_recipe`. Raises InvalidFile with every fault."""
    try:
        text = read_bounded(path, strict_yaml.MOST_BYTES).decode()
    except OSError as error:
        problem = f"it cannot be read: {error.strerror or error}"
        raise _invalid(str(path), "", problem, "name a recipe's file") from None
    except UnicodeDecodeError:
        raise _invalid(str(path), "", "it is not UTF-8", "save it as UTF-8") from None
    return parse_recipe(text, name=str(path))


def parse_recipe(text: str, *, name: str) -> Recipe:
    """The recipe that a text says, in YAML or JSON: `{note: …, steps: [...]}`, or the steps alone.

    Raises InvalidFile with every fault, each with its line.
    """
    document = strict_yaml.parse(text)
    raw = {"steps": document.value} if isinstance(document.value, list) else document.value
    faults = list(document.faults)
    if not isinstance(raw, dict):
        empty = Fault(path="", problem="it is not a recipe", fix="write `steps: [...]`", line=1)
        raise InvalidFile(name, faults or [empty])
    faults += [
        Fault(path=key, problem="this key is not known", fix=did_you_mean(key, _KEYS))
        for key in raw
        if key not in _KEYS
    ]
    for key in ("note", "author"):
        if not isinstance(raw.get(key), str | None):
            faults.append(Fault(path=key, problem="it is not text", fix="write one line of text"))
    steps = _steps(raw.get("steps"), faults)
    if faults:
        at = "" if raw is document.value else "steps."
        raise InvalidFile(name, [_placed(one, document, at) for one in faults])
    return Recipe(steps=steps, note=raw.get("note"), author=raw.get("author"))


def recipe_of(steps: Iterable[Mapping[str, object]], *, note: str | None = None) -> Recipe:
    """The recipe of steps that are JSON. Raises InvalidFile with every fault."""
    faults: list[Fault] = []
    made = _steps(list(steps), faults)
    if faults:
        raise InvalidFile("recipe", faults)
    return Recipe(steps=made, note=note)


def steps_of_options(
    *,
    renames: Iterable[str] = (),
    moves: Iterable[str] = (),
    converts: Iterable[str] = (),
    maps: Iterable[str] = (),
    sets: Iterable[str] = (),
    drops: Iterable[str] = (),
    reason: str | None = None,
) -> list[dict[str, object]]:
    """The steps of a command line, in the order of these arguments; `reason` is that of each set.

    `old=new` for rename and move, `path=type` for convert, `path=old:new` for map (those of one
    path are one step), `path=value` for set. Raises Refused.
    """
    steps: list[dict[str, object]] = []
    for action, texts in (("rename", renames), ("move", moves), ("convert", converts)):
        for text in texts:
            path, to = _sides(text, action, "path=type" if action == "convert" else "old=new")
            steps.append({action: path, "to": to})
    steps += [{"map": path, "values": values} for path, values in _maps(maps).items()]
    for text in sets:
        path, value = _sides(text, "set", "path=value")
        step: dict[str, object] = {"set": path, "value": _value(value)}
        steps.append({**step, "reason": reason} if reason else step)
    return steps + [{"drop": path} for path in drops]


def _maps(texts: Iterable[str]) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for text in texts:
        path, pair = _sides(text, "map", "path=old:new")
        old, colon, new = pair.partition(":")
        if not colon:
            raise Refused(f"{text!r} is not of the form path=old:new", field="map")
        found.setdefault(path, {})[old] = _value(new)
    return found


def _sides(text: str, option: str, form: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not equals or not left or (option != "set" and not right):
        raise Refused(f"{text!r} is not of the form {form}", field=option, fix=f"write {form}")
    return left, right


def _value(text: str) -> object:
    try:
        return strict_json.loads(text)
    except InvalidJson:
        return text


def _steps(raw: object, faults: list[Fault]) -> tuple[Step, ...]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_STEPS:
        fix = f"write 1 to {MOST_STEPS} steps, such as {FORMS['rename']}"
        faults.append(Fault(path="steps", problem="it is not a list of steps", fix=fix))
        return ()
    made = []
    for place, one in enumerate(raw):
        try:
            made.append(Step.model_validate(one))
        except ValidationError as error:
            faults += [
                Fault(path=f"steps.{place}.{fault.path}".rstrip("."), problem=fault.problem,
                      fix=fault.fix)
                for fault in model_faults(error, {(): Step})
            ]  # fmt: skip
    return tuple(made)


def _placed(fault: Fault, document: strict_yaml.Document, prefix: str) -> Fault:
    line = fault.line or document.line(fault.path.removeprefix(prefix))
    return Fault(path=fault.path, problem=fault.problem, fix=fault.fix, line=line)


def _invalid(name: str, path: str, problem: str, fix: str) -> InvalidFile:
    return InvalidFile(name, [Fault(path=path, problem=problem, fix=fix)])
