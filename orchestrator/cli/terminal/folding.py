"""Folding text to the width of a terminal: at spaces, and never inside a word that people copy."""

from __future__ import annotations

import re
from collections.abc import Iterator

_UNITS = re.compile(r"`[^`]+`[^\s`]*|\S+")
_TOKENS = re.compile(r"(?:'[^']*'|\"[^\"]*\"|[^\s'\"]|['\"])+")
_JOINERS = "\u200c\u200d"
_HANGING = 4  # spaces before what continues a command on the next line


def cells(text: str) -> int:
    """How many columns of a terminal `text` takes: a wide character takes two, an accent none.

    >>> cells("tier"), cells("雪")
    (4, 2)
    """
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    def size(each: str) -> int:
        if category(each) in {"Mn", "Me"} or each in _JOINERS or "\u1160" <= each <= "\u11ff":
            return 0  # Korean written in single letters stacks them onto the first
        return 2 if east_asian_width(each) in "WF" else 1

    return sum(map(size, text))


def fold(text: str, width: int, *, indent: int = 0) -> list[str]:
    """One line of text as lines of at most `width` columns; all but the first are indented.

    A word that is wider than a line stays whole. A command in backticks moves to the next line as
    a whole; one that is wider than a line is continued with a backslash, so that it can be copied.

    >>> fold("two words", 5, indent=2)
    ['two', '  words']
    """
    if cells(text) <= width:
        return [text]
    start = len(text) - len(text.lstrip(" "))
    lines, line, used = [], text[:start], start
    indent += start
    first = True
    for word in _words(text, width - indent):
        needed = cells(word) + (0 if first else 1)
        if not first and used + needed > width:
            lines.append(line)
            line, used, needed = " " * indent, indent, needed - 1
        elif not first:
            line += " "
        line, used, first = line + word, used + needed, False
    return [each for whole in (*lines, line) for each in _continued(whole, width, indent)]


def shorten(text: str, most: int) -> str:
    """Free text of at most about `most` characters: a part in its middle is left out, at spaces.

    >>> shorten("one two three four five six seven", 22)
    'one two three … seven'
    """
    if len(text) <= most:
        return text
    head, tail = text[: most * 2 // 3], text[-(most // 3) :]
    head = head.rpartition(" ")[0] or head
    tail = tail.partition(" ")[2] or tail
    return f"{head} … {tail}"


def _words(text: str, width: int) -> Iterator[str]:
    """What stays together: words, commands, and pieces of writing that has no spaces."""
    for word in _UNITS.findall(text):
        if word.isascii() or cells(word) <= width:
            yield word
        else:
            yield from _pieces(word, width)


def _pieces(word: str, width: int) -> Iterator[str]:
    """A word that is wider than a line, parted where two wide characters meet."""
    piece, used = "", 0
    for each in word:
        size = cells(each)
        if piece and used + size > width and size == 2 and cells(piece[-1]) == 2:
            yield piece
            piece, used = "", 0
        piece, used = piece + each, used + size
    yield piece


def _continued(line: str, width: int, indent: int) -> Iterator[str]:
    """A line that holds a command wider than itself, with a backslash at each of its breaks."""
    if cells(line) <= width or "`" not in line:
        yield line
        return
    start = len(line) - len(line.lstrip(" "))
    kept = " " * start
    for token in _TOKENS.findall(line):
        if kept.strip() and cells(kept) + cells(token) + 3 > width:
            yield f"{kept} \\"
            kept = " " * (indent + _HANGING)
        kept += f" {token}" if kept.strip() else token
    yield kept
