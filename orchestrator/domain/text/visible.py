"""Text that strangers wrote, as people may see it: what would act or mislead is written out.

A control character commands a terminal, a bidirectional one shows an address backwards, and an
invisible one makes two names look alike. Command line, pages and alerts all show text through this.
"""

from __future__ import annotations

import re

# Python calls these printable, but nothing is drawn for them: fillers, joiners, selectors.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef]"
    "|(?<![\u203c-\u3299\U0001f000-\U0001faff])[\ufe00-\ufe0f]"  # after an emoji it colours it
)


def visible(text: str) -> str:
    r"""`text` on one line, with every character escaped that cannot be printed.

    >>> visible("a\u202eb\x9b\n")
    'a\\u202eb\\x9b\\n'
    """
    if text.isascii() and text.isprintable():
        return text
    whole = text.encode(errors="backslashreplace").decode()
    shown = whole if whole.isprintable() else "".join(map(_shown, whole))
    return _BLANK.sub(lambda found: _spelled(found[0]), shown)


def visible_lines(text: str) -> str:
    """The same, with its line breaks kept."""
    return "\n".join(map(visible, text.split("\n")))


def visible_json(document: bytes) -> bytes:
    r"""A JSON document that says the same with `\u…` for each character that cannot be printed."""
    if document.isascii() and b"\x7f" not in document:
        return document
    text = document.decode()
    odd = {one for one in set(text) if not one.isprintable() and one != "\n"}
    text = text.translate({ord(one): _escaped(one) for one in odd})
    return _BLANK.sub(lambda found: _escaped(found[0]), text).encode()


def _shown(character: str) -> str:
    return character if character.isprintable() else _spelled(character)


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
