"""Text that strangers wrote, as people may see it: what would act or mislead is written out.

A control character commands a terminal, a bidirectional one shows an address backwards, and an
invisible one makes two names look alike. Command line, pages and alerts all show text through this.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# Python calls these printable, but nothing is drawn for them: fillers, joiners, selectors.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef]"
    "|(?<![\u203c-\u3299\U0001f000-\U0001faff])[\ufe00-\ufe0f]"  # after an emoji it colours it
)

# Where writing needs a joiner it is seen: it parts two Persian letters that would join, shapes an
# Indic cluster after its virama, makes one emoji of two. Anywhere else it is written out.
_JOINS = re.compile(
    "(?<=[\u0626\u0628\u062a-\u062e\u0633-\u063f\u0641-\u0647\u0649\u064a\u0678-\u0687\u069a-\u06bf"
    "\u06c1\u06c2\u06cc\u06ce\u06d0\u06d1])\u200c(?=[\u0622-\u064a\u0671-\u06d3])"
    "|(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca])[\u200c\u200d](?=[\u0900-\u0dff])"
    "|(?<=[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff])\u200d(?=[\u2190-\u2bff\U0001f000-\U0001faff])"
)


def visible(text: str) -> str:
    r"""`text` on one line, with every character escaped that cannot be printed.

    >>> visible("a\u202eb\x9b\n")
    'a\\u202eb\\x9b\\n'
    """
    if text.isascii() and text.isprintable():
        return text
    whole = text.encode(errors="backslashreplace").decode()
    return _BLANK.sub(lambda found: _spelled(found[0]), _written(whole, _spelled))


def visible_lines(text: str) -> str:
    """The same, with its line breaks kept."""
    return "\n".join(map(visible, text.split("\n")))


def visible_json(document: bytes) -> bytes:
    r"""A JSON document that says the same with `\u…` for each character that cannot be printed."""
    if document.isascii() and b"\x7f" not in document:
        return document
    text = document.decode()
    lines = [_written(line, _escaped) for line in text.split("\n")]
    return _BLANK.sub(lambda found: _escaped(found[0]), "\n".join(lines)).encode()


def _written(text: str, spell: Callable[[str], str]) -> str:
    """The text with what cannot be printed spelled out, less joiners where they are letters."""
    if text.isprintable():
        return text
    joins = {found.start() for found in _JOINS.finditer(text)}
    return "".join(
        one if one.isprintable() or at in joins else spell(one) for at, one in enumerate(text)
    )


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
