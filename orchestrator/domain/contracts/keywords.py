"""Keywords of a contract that check nothing: misspelt ones, those of other documents, defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orchestrator.domain.contracts.document import DRAFT_7, Path, dotted, draft_of
from orchestrator.domain.errors import Fault
from orchestrator.domain.text.abbreviate import shorten

_ONE = (
    "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
    "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties", "additionalItems",
)  # fmt: skip
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_BY_NAME = (
    "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies",
)  # fmt: skip
_PLAIN = (
    "$schema", "$id", "$ref", "$anchor", "$comment", "type", "enum", "const", "multipleOf",
    "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength",
    "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties",
    "required", "title", "description", "default", "readOnly", "writeOnly", "examples", "format",
    "contentEncoding", "contentMediaType",
)  # fmt: skip
_SINCE_2019 = {
    "$defs": "", "$dynamicRef": "$ref", "$dynamicAnchor": "$id", "$vocabulary": "",
    "deprecated": "", "contentSchema": "", "dependentRequired": "dependencies",
    "dependentSchemas": "dependencies", "prefixItems": "items: [...]", "maxContains": "",
    "minContains": "", "unevaluatedItems": "additionalItems",
    "unevaluatedProperties": "additionalProperties", "$anchor": "$id",
}  # fmt: skip
_UNTIL_7 = {
    "additionalItems": "items, beside prefixItems",
    "dependencies": "dependentRequired or dependentSchemas",
}
_KEYWORDS = frozenset({*_ONE, *_LISTS, *_BY_NAME, *_PLAIN, *_SINCE_2019})
_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_KEYWORD_PARTS = [[one.lower() for one in _PART.findall(keyword)] for keyword in _KEYWORDS]
_HARMLESS = frozenset({"", "$defs", "deprecated", "$vocabulary", "$anchor", "contentSchema"})

_FOREIGN = {
    "nullable": 'write `type: [string, "null"]`, with the type that it has',
    "example": "write `examples: [...]`, or leave it",
    "discriminator": "write `oneOf` with a `const` in each",
    "optional": "leave the name out of `required`",
    "id": "write `$id`, or leave it",
    "comment": "write `$comment`, or leave it",
    "schema": "write `$schema`, or leave it",
    "regex": "write `pattern`",
    "regexp": "write `pattern`",
    "choices": "write `enum`",
    "values": "write `enum`",
    "options": "write `enum`",
    "min": "write `minimum`, `minLength` or `minItems`",
    "max": "write `maximum`, `maxLength` or `maxItems`",
    "fields": "write `properties`",
    "enumNames": "leave it",
    "note": "leave it",
    "notes": "leave it",
}
PERSONAL = "x-pii"
"""Our own word: it checks nothing, and says whose values may be seen."""

_LIKE = 75.0  # of 100: `minLenght` and `minLength` have 89
_SHORTEST = 4  # letters of a keyword that is recognised: `not` and `note` are two words
_MOST_NOTES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class _Used:
    """A word of a schema."""

    path: Path  # of the schema object that it is in
    word: str
    value: object
    beside: Mapping[str, object]  # the schema object


def keyword_faults(schema: dict[str, object]) -> list[Fault]:
    """Misspelt keywords as faults; what checks nothing, though an author may think so, as notes."""
    used = list(_words(schema))
    draft_7 = draft_of(schema) == DRAFT_7
    faults = [fault for one in used if (fault := _misspelt(one))]
    misspelt = {fault.path for fault in faults}
    notes: dict[tuple[str, str], list[Path]] = {}
    for one in used:
        place = (*one.path, one.word)
        if dotted(("contract", *place)) not in misspelt and (said := _said(one, draft_7=draft_7)):
            notes.setdefault(said, []).append(place)
    gathered = [_note(said, places) for said, places in notes.items()]
    return [*faults, *gathered[:_MOST_NOTES]]


def _words(schema: object, path: Path = ()) -> Iterator[_Used]:
    """All words at places where a keyword is expected; a word in data is none."""
    todo: list[tuple[object, Path]] = [(schema, path)]
    while todo:
        value, at = todo.pop()
        if not isinstance(value, dict):
            continue
        for word, inner in value.items():
            yield _Used(path=at, word=word, value=inner, beside=value)
            if word in _ONE and isinstance(inner, dict):
                todo.append((inner, (*at, word)))
            if word in _LISTS and isinstance(inner, list):
                todo.extend((one, (*at, word, place)) for place, one in enumerate(inner))
            if word in _BY_NAME and isinstance(inner, dict):
                todo.extend((one, (*at, word, name)) for name, one in inner.items())


def _misspelt(one: _Used) -> Fault | None:
    if one.word in _KEYWORDS or one.word in _FOREIGN or _is_longer(one.word):
        return None
    if one.word == PERSONAL:
        return None
    meant = _meant(one.word)
    if meant is None:
        return None
    return Fault(
        path=dotted(("contract", *one.path, one.word)),
        problem=f"`{shorten(one.word)}` is not a keyword of JSON Schema, so it checks nothing",
        fix=f"write `{meant}`",
    )


def _meant(word: str) -> str | None:
    """The keyword that a word is a misspelling of."""
    if len(word) > 40:
        return None
    from rapidfuzz.distance import DamerauLevenshtein

    plain = _plain(word)
    best, likeness = None, 0.0
    for keyword in _KEYWORDS:
        other = _plain(keyword)
        if plain == other:
            return keyword
        like = 100 * DamerauLevenshtein.normalized_similarity(plain, other)
        if len(other) >= _SHORTEST and like > likeness:
            best, likeness = keyword, like
    return best if likeness >= _LIKE else None


def _is_longer(word: str) -> bool:
    """Whether a word is a keyword with words more, as other programs have: `enumNames`."""
    parts = [one.lower() for one in _PART.findall(word)]
    return any(
        len(keyword) < len(parts)
        and any(
            parts[start : start + len(keyword)] == keyword
            for start in range(len(parts) - len(keyword) + 1)
        )
        for keyword in _KEYWORD_PARTS
    )


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace("$", "")


def _said(one: _Used, *, draft_7: bool) -> tuple[str, str] | None:
    """What to know of a word: that, and what to write instead."""
    word = one.word
    if word == "default":
        problem = "`default` is never applied: a payload that lacks the value stays without it"
        return problem, "make the fact optional, and say what is sent without it in `send`"
    if word == PERSONAL:
        return None
    if word in _KEYWORDS:
        return _of_another_draft(one, draft_7=draft_7) or _of_another_type(one)
    problem = f"`{shorten(word)}` is not a keyword of JSON Schema, so it checks nothing"
    return problem, _FOREIGN.get(word, "nothing, if it is for other programs")


def _of_another_draft(one: _Used, *, draft_7: bool) -> tuple[str, str] | None:
    if draft_7 and "$ref" in one.beside and one.word in _ASSERTING:
        problem = f"draft 7 ignores what is beside `$ref`, so `{one.word}` checks nothing"
        return problem, "write both into `allOf`, or take draft 2020-12"
    others = _SINCE_2019 if draft_7 else _UNTIL_7
    if one.word not in others or one.word in _HARMLESS:
        return None
    problem = f"`{one.word}` is not a keyword of the contract's draft, so it checks nothing"
    instead = others[one.word]
    return problem, f"write `{instead}`" if instead else "take draft 2020-12"


_FOR_TYPES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), frozenset({"string"})),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        frozenset({"integer", "number"}),
    ),
    **dict.fromkeys(
        ("items", "minItems", "maxItems", "uniqueItems", "contains", "prefixItems"),
        frozenset({"array"}),
    ),
    **dict.fromkeys(
        (
            "properties", "required", "additionalProperties", "patternProperties",
            "propertyNames", "minProperties", "maxProperties",
        ),
        frozenset({"object"}),
    ),
}  # fmt: skip
_ASSERTING = frozenset({*_FOR_TYPES, "type", "enum", "const", "allOf", "anyOf", "oneOf", "not"})


def _of_another_type(one: _Used) -> tuple[str, str] | None:
    takes, said = _FOR_TYPES.get(one.word), one.beside.get("type")
    types = {said} if isinstance(said, str) else set(said) if isinstance(said, list) else set()
    if takes is None or not types or not types.isdisjoint(takes):
        return None
    shown, other = " or ".join(sorted(map(str, types))), " or ".join(sorted(takes))
    problem = f"`{one.word}` says nothing of type {shown}, so it checks nothing"
    return problem, f"write it where the type is {other}"


def _note(said: tuple[str, str], places: list[Path]) -> Fault:
    problem, fix = said
    if len(places) > 1:
        problem = f"{problem} ({len(places)} places, here is the first)"
    return Fault(path=dotted(("contract", *places[0])), problem=problem, fix=fix, is_note=True)
