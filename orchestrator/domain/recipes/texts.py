"""What steps make of texts: trimmed, in one case, split, joined."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.documents import strict_json

_UNSEEN = "\u200b\u2060\ufeff"  # marks without a width, which copied texts bring along
_BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def trimmed(text: str) -> str:
    """The text without blanks at its ends, and without marks there that nobody sees."""
    return text.strip(_BLANKS + _UNSEEN)


def split(text: str, by: str) -> list[object]:
    """The parts of a text, trimmed; none of a blank text.

    A blank `by` splits at every run of blanks.
    """
    if not trimmed(text):
        return []
    parts = text.split(by) if by.strip() else text.split()
    return [trimmed(part) for part in parts]


def join(parts: Sequence[object], by: str) -> str:
    """Texts and numbers as one text; blank ones are left out. Raises ValueError with a sentence."""
    texts = []
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, str | int | float):
            raise ValueError("it has something that is neither text nor a number")  # noqa: TRY004
        texts.append(trimmed(part) if isinstance(part, str) else strict_json.dumps(part))
    return by.join(text for text in texts if text)
