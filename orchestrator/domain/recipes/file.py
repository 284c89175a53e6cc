"""Recipes as people give them: a YAML or JSON file, or steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.documents.model_faults import model_faults
from orchestrator.domain.documents.text_files import read_text
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.recipes.step_rules import FORMS
from orchestrator.domain.recipes.steps import MOST_STEPS, Step
from orchestrator.domain.text.hints import did_you_mean

_KEYS = ("note", "author", "steps")


def read_recipe(path: Path) -> Recipe:
    """The recipe in a file; see `parse_recipe`. Raises InvalidFile with every fault."""
    text = read_text(path, strict_yaml.MOST_BYTES, name_one="name a recipe's file")
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
