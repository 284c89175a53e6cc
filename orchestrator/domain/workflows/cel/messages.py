"""What is wrong with an expression that does not compile, in words that say what to write instead.

The library's own words are those of its parser's tables: `extraneous input`, `expecting {'[', …}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestrator.domain.text.abbreviate import shorten
from orchestrator.domain.text.hints import did_you_mean, nearest
from orchestrator.domain.workflows.cel.foreign import foreign
from orchestrator.domain.workflows.cel.meant import FUNCTIONS, MEANT
from orchestrator.domain.workflows.cel.text import tokens

_ERROR = re.compile(r"ERROR: <input>:-?\d+:(?P<column>-?\d+): (?P<problem>.*)")
_UNKNOWN_NAME = re.compile(r"undeclared reference to '(?P<name>[^']*)'")
_OVERLOAD = re.compile(r"no matching overload for '(?P<name>[^']*)' applied to '\((?P<of>.*)\)'")
_SELECT = re.compile(r"expression of type '(?P<of>[^']*)' cannot be the operand of a select")
_RESERVED = re.compile(r"reserved identifier: (?P<name>\w+)")
_LAST = re.compile(r"(?:&&|\|\||[=!<>]=|\w{1,40}|\S)(?=\s*$)")
_CODE = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
_KINDS = {
    "int": "a whole number",
    "double": "a decimal number",
    "uint": "an unsigned number",
    "string": "text",
    "bool": "true or false",
    "null_type": "null",
    "timestamp": "a moment",
    "google.protobuf.Timestamp": "a moment",
    "google.protobuf.Duration": "a duration",
    "dyn": "a value of any type",
}
_OPERATORS = {"_?_:_": "? :", "_[_]": "[...]"}
_NUMBERS = {"int", "double", "uint"}


def explained(message: str, text: str, names: Iterable[str]) -> tuple[str, str]:
    """What is wrong with `text`, and what to write instead; `names` are those that it may use."""
    found = list(_ERROR.finditer(message))
    if not found:
        return clean(message), "write a CEL expression"
    if "Syntax error" in message or _RESERVED.search(message):
        column = int(found[0]["column"])
        return _open_text(text) or foreign(text) or _unexpected(text, column)
    if unknown := _UNKNOWN_NAME.search(message):
        return _unknown(message, text, unknown["name"], names)
    said = [_typed(one["problem"]) or (_said(one["problem"]), _SEE) for one in found]
    problems = [
        f"{problem} (column {one['column']})" for (problem, _), one in zip(said, found, strict=True)
    ]
    return shorten("; ".join(dict.fromkeys(problems)), 400), said[0][1]


def clean(message: str) -> str:
    """The first line of the library's message, without its codes."""
    first = message.splitlines()[0] if message else ""
    return shorten(_CODE.sub("", _CODE.sub("", first)), 200)


_SEE = "write it in CEL, see https://cel.dev"


def _said(problem: str) -> str:
    return shorten(clean(problem).replace(" (in container '')", ""), 200)


def _unknown(message: str, text: str, name: str, names: Iterable[str]) -> tuple[str, str]:
    column = next(one["column"] for one in _ERROR.finditer(message) if name in one["problem"])
    if not re.search(rf"\b{re.escape(name)}\s*\(", text):
        return f"undeclared reference to '{name}' (column {column})", did_you_mean(name, names)
    if name in FUNCTIONS:
        return f"`{name}` does not take these arguments (column {column})", _SEE
    problem = f"there is no function `{shorten(name, 60)}` (column {column})"
    if name in MEANT:
        return problem, MEANT[name]
    if near := nearest(name, FUNCTIONS):
        return problem, f"write `{near}`"
    return problem, "use a function of CEL"


def _typed(problem: str) -> tuple[str, str] | None:
    """A fault of types."""
    if found := _SELECT.search(problem):
        return f"{_kind(found['of'])} has no fields", "write only the part before the dot"
    found = _OVERLOAD.search(problem)
    if found is None:
        return None
    kinds = _split(found["of"])
    name = _OPERATORS.get(found["name"], found["name"].strip("_@"))
    shown = " and ".join(_kind(one) for one in kinds)
    of_numbers = _NUMBERS.issuperset(kinds)
    if of_numbers and len(set(kinds)) == 2:
        fix = "write double(...) around the whole number, and 2.0 for 2"
    elif name in ("&&", "||", "!"):
        fix = "write conditions there; `+` joins texts"
    elif "string" in kinds and _NUMBERS & set(kinds):
        fix = "combine values of one type: write string(...) around the number"
    else:
        fix = "compare and combine values of one type"
    return f"`{name}` does not take {shown}", fix


def _split(kinds: str) -> list[str]:
    """`string, list(int)` one by one; commas within brackets belong to a kind."""
    return [one.strip() for one in re.split(r",(?![^(]*\))", kinds) if one.strip()]


def _kind(of: str) -> str:
    if of.startswith("list("):
        return "a list"
    if of.startswith("map("):
        return "an object"
    return _KINDS.get(of, of)


def _open_text(text: str) -> tuple[str, str] | None:
    for word in tokens(text):
        if word.text in ('"', "'"):
            problem = f"a text in it lacks its closing {word.text}"
            return problem, f"write {word.text} at its end, and the other quotes around one in it"
    return None


def _unexpected(text: str, column: int) -> tuple[str, str]:
    """A fault of syntax that is no other language's word."""
    words = tokens(text)
    for opening, closing in ("()", "[]", "{}"):
        opened = sum(one.text == opening for one in words)
        closed = sum(one.text == closing for one in words)
        if opened != closed:
            few = closing if opened > closed else opening
            return f"a `{few}` is missing in it", f"write as many `{opening}` as `{closing}`"
    if 0 < column <= len(text.rstrip()):
        found = tokens(text[column - 1 :])
        shown = shorten(found[0].text, 40) if found else text[column - 1]
        fix = """write a CEL expression; put a fixed text in quotes within it: '"text"'"""
        return f"`{shown}` is not expected there (column {column})", fix
    last = _LAST.search(text)
    return (
        f"it ends after `{last[0] if last else ''}`, where something has to follow",
        "write the rest of it",
    )
