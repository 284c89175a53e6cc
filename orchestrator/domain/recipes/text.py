"""A recipe as a person types it: the options of the command line, or what a recipe's file says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.file import parse_recipe, recipe_of
from orchestrator.domain.recipes.options import steps_of_options
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.domain.text.hints import did_you_mean

OPTION_NAMES: Mapping[str, str] = {
    "--rename": "renames", "--move": "moves", "--trim": "trims", "--case": "cases",
    "--wrap": "wraps", "--split": "splits", "--join": "joins", "--convert": "converts",
    "--map": "maps", "--set": "sets", "--set-from": "copies", "--drop-if": "drop_ifs",
    "--drop": "drops",
}  # fmt: skip
"""The options of `meshline quarantine recipe` that are steps, and their names in OPTIONS."""

_ZONE = "--zone"
_FIELD = "recipe"


def recipe_of_text(text: str, *, note: str | None = None) -> Recipe:
    r"""The recipe that a text says; `note` is why, and the reason of each default.

    The text is options as `meshline quarantine recipe` takes them, on one line or several, or the
    YAML or JSON of a recipe's file. Raises Refused; InvalidFile with every fault of YAML.

    >>> recipe_of_text("--rename customer_tier=tier\n--trim email").describe()["steps"]
    [{'rename': 'customer_tier', 'to': 'tier'}, {'trim': 'email'}]
    """
    if not text.strip():
        raise Refused("it has no step", field=_FIELD, fix="write one such as --rename OLD=NEW")
    if not text.lstrip().startswith("--"):
        found = parse_recipe(text, name=_FIELD)
        return Recipe(steps=found.steps, note=note or found.note, author=found.author)
    given: dict[str, list[str]] = {}
    words = iter(_words(text))
    for word in words:
        option, equals, value = word.partition("=")
        if option not in OPTION_NAMES and option != _ZONE:
            fix = did_you_mean(option, [*OPTION_NAMES, _ZONE])
            raise Refused(f"{option!r} is not a step", field=_FIELD, fix=fix)
        said = value if equals else next(words, None)
        if said is None:
            raise Refused(f"{option} has no value", field=_FIELD, fix=f"write {option} VALUE")
        given.setdefault(option, []).append(said)
    if "--set" in given and note is None:
        raise Refused("a default needs a reason", field="why", fix="say why this value is right")
    zones = given.pop(_ZONE, [None])
    options = {OPTION_NAMES[name]: values for name, values in given.items()}
    return recipe_of(steps_of_options(zone=zones[-1], reason=note, **options), note=note)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise Refused(
            f"it cannot be read: {error}", field=_FIELD, fix="close every quotation mark"
        ) from None
