"""Text that strangers wrote, as people may see it: what would act or mislead is written out.

A control character commands a terminal, a bidirectional one shows an address backwards, and an
invisible one makes two names look alike. Command line, pages and alerts all show text through this.
"""

from __future__ import annotations


def visible(text: str) -> str:
    r"""`text` on one line, with every character escaped that cannot be printed.

    >>> visible("a\u202eb\x9b\n")
    'a\\u202eb\\x9b\\n'
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode()
        for one in text.encode(errors="backslashreplace").decode()
    )


def visible_lines(text: str) -> str:
    """The same, with its line breaks kept."""
    return text if text.isprintable() else "\n".join(map(visible, text.split("\n")))


def visible_json(document: bytes) -> bytes:
    r"""A JSON document that says the same with `\u…` for each character that cannot be printed."""
    if document.isascii() and b"\x7f" not in document:
        return document
    text = document.decode()
    odd = {one for one in set(text) if not one.isprintable() and one != "\n"}
    return text.translate({ord(one): _escaped(one) for one in odd}).encode() if odd else document


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
