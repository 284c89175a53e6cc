"""What a CEL expression refers to, read from its text: paths into `data`, and names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<comment>//[^\n]*)
    | (?P<string>
        (?:[bB]?[rR]|[rR][bB])(?:\"{3}.*?\"{3}|'{3}.*?'{3}|\"[^\"\n]*\"|'[^'\n]*')
      | [bB]?(?:
            \"{3}(?:[^\\]|\\.)*?\"{3} | '{3}(?:[^\\]|\\.)*?'{3}
          | \"(?:[^\"\\\n]|\\.)*\" | '(?:[^'\\\n]|\\.)*'
        )
      )
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>[0-9][A-Za-z0-9_.]*)
    | (?P<symbol>[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN_STRING = re.compile(r"""(["'])(?!\1)[^\\]*\1|""|''""")


@dataclass(frozen=True, kw_only=True)
class Token:
    """One word of an expression."""

    kind: str  # comment, string, name, number, symbol
    text: str


@dataclass(frozen=True, kw_only=True)
class DataPath:
    """A path into the payload as an expression names it: `data.a.b` or `data["a-b"].c`."""

    steps: tuple[str, ...]
    dotted: int  # how many of the steps, from the first, are written with dots
    text: str  # as in the expression, without a call or an index that follows


@dataclass(frozen=True, kw_only=True)
class RootedPath:
    """A path into the value of a name, such as `line.sku`."""

    root: str
    steps: tuple[str, ...]
    is_all: bool  # the expression is nothing else


def tokens(text: str) -> list[Token]:
    """The words of an expression, comments left out."""
    found = (Token(kind=str(one.lastgroup), text=one.group()) for one in _TOKEN.finditer(text))
    return [token for token in found if token.kind != "comment"]


def blanked(text: str) -> str:
    """An expression with blanks for its texts and comments: every other character at its place."""
    return _TOKEN.sub(
        lambda one: " " * len(one[0]) if one.lastgroup in ("comment", "string") else one[0], text
    )


def names(words: Sequence[Token]) -> frozenset[str]:
    """The names by themselves: neither a field of something nor a function."""
    return frozenset(
        word.text
        for index, word in enumerate(words)
        if word.kind == "name" and _text(words, index - 1) != "." and _text(words, index + 1) != "("
    )


def calls(words: Sequence[Token], function: str, name: str) -> bool:
    """Whether a function or macro is called with something that begins with `name`."""
    return any(
        word.text == function
        and (_text(words, index + 1), _text(words, index + 2)) == ("(", name)
        and _text(words, index - 1) != "."
        for index, word in enumerate(words)
    )


def data_paths(words: Sequence[Token]) -> Iterator[DataPath]:
    """The paths into the payload, in the order they come. After an index a path is not followed."""
    for index, word in enumerate(words):
        if word.kind == "name" and word.text == "data" and _text(words, index - 1) != ".":
            yield _path(words, index + 1)[0]


def paths_from(name: str, words: Sequence[Token]) -> Iterator[str]:
    """The paths that begin with a name, as they are written: `line.sku`."""
    for index, word in enumerate(words):
        if word.kind == "name" and word.text == name and _text(words, index - 1) != ".":
            yield name + _path(words, index + 1)[0].text.removeprefix("data")


def rooted_paths(words: Sequence[Token], roots: Collection[str]) -> Iterator[RootedPath]:
    """Every path that begins at one of these names, wherever in an expression."""
    for index, word in enumerate(words):
        if word.kind == "name" and word.text in roots and _text(words, index - 1) != ".":
            path, end = _path(words, index + 1)
            whole = index == 0 and end == len(words)
            yield RootedPath(root=word.text, steps=path.steps, is_all=whole)


def plain_path(words: Sequence[Token]) -> DataPath | None:
    """The path, where the expression is nothing but a path into the payload."""
    if not words or words[0].kind != "name" or words[0].text != "data":
        return None
    path, end = _path(words, 1)
    return path if end == len(words) else None


def plain_string(word: Token) -> str | None:
    """The text of a string literal without prefix or escapes, or None for any other token."""
    if word.kind == "string" and _PLAIN_STRING.fullmatch(word.text):
        return word.text[1:-1]
    return None


def _path(words: Sequence[Token], index: int) -> tuple[DataPath, int]:
    """The path whose first step begins at `index`, and where it ends."""
    steps: list[str] = []
    dotted, text = 0, "data"
    while step := _step(words, index):
        name, written, length = step
        if _text(words, index + length) == "(":
            break  # a method of what the path leads to
        if written.startswith(".") and dotted == len(steps):
            dotted += 1
        steps.append(name)
        text += written
        index += length
    return DataPath(steps=tuple(steps), dotted=dotted, text=text), index


def _step(words: Sequence[Token], index: int) -> tuple[str, str, int] | None:
    """One step at `index`: its name, how it is written, and its number of tokens."""
    if _text(words, index) == "." and index + 1 < len(words) and words[index + 1].kind == "name":
        name = words[index + 1].text
        return name, f".{name}", 2
    if _text(words, index) == "[" and _text(words, index + 2) == "]":
        key = plain_string(words[index + 1])
        return (key, f"[{words[index + 1].text}]", 3) if key is not None else None
    return None


def _text(words: Sequence[Token], index: int) -> str:
    return words[index].text if 0 <= index < len(words) else ""
