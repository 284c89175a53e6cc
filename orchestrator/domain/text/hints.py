"""What a person probably meant: names that resemble other names.

The library takes a while to load, so it is loaded when there are names to compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

_RENAMED = 70.0  # of 100; `teir` and `tier` have 75, `mail` and `tier` 25
_MISSPELT = 60.0  # where one of a few names is meant, less will do
_MOST = 50  # names on each side that are compared
_LONGEST = 100  # characters of a name that is compared: a payload's may be as long as its body
_MOST_KNOWN = 5_000  # names among which a misspelt one is looked for
_OF_YAML = frozenset('"{}[],:#&*!|>%@` ')  # at some place of a text they are more than themselves
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^\W_a-zA-Z0-9]+")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` is most likely a misspelling of, or None."""
    if len(name) > _LONGEST:
        return None
    from rapidfuzz import process

    known = [one for one in islice(names, _MOST_KNOWN) if len(one) <= _LONGEST]
    found = process.extractOne(
        name, known, scorer=resemblance, score_cutoff=_MISSPELT, processor=None
    )
    return found[0] if found else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """What to write instead of an unknown name."""
    known = list(names)
    if near := nearest(name, known):
        return f"write `{near}`"
    if not known:
        return "take it out"
    shown = ", ".join(f"`{one}`" for one in known[:12])
    return f"use one of {shown}{' ...' if len(known) > 12 else ''}"


def in_yaml(text: str) -> str:
    """A text as one value of YAML.

    >>> print(in_yaml("data.tier"), in_yaml("data['the tier']"))
    data.tier 'data[''the tier'']'
    """
    doubled = text.replace("'", "''")
    return f"'{doubled}'" if set(text) & _OF_YAML else text


def renames(unknown: Iterable[str], missing: Iterable[str]) -> dict[str, str]:
    """For unknown names the missing name that each resembles; the best pair first, each once."""
    unknown, missing = _comparable(unknown), _comparable(missing)
    pairs = sorted(
        ((resemblance(one, other), one, other) for one in unknown for other in missing),
        key=lambda pair: -pair[0],
    )
    found: dict[str, str] = {}
    for score, one, other in pairs:
        if score >= _RENAMED and one not in found and other not in found.values():
            found[one] = other
    return found


def _comparable(names: Iterable[str]) -> list[str]:
    return [name for name in islice(names, _MOST) if len(name) <= _LONGEST]


def resemblance(one: str, other: str, **_: object) -> float:
    """How alike two names are, from 0 to 100: by spelling, or by their words.

    `e_mail` is spelt like `email`; `customer_tier` is `tier` with a word more.
    """
    from rapidfuzz.distance import DamerauLevenshtein

    words, others = _words(one), _words(other)
    spelling = 100 * DamerauLevenshtein.normalized_similarity("".join(words), "".join(others))
    if not set(words) <= set(others) and not set(others) <= set(words):
        return spelling
    # One name with a word more is still that name, the more so the fewer words it adds.
    return max(spelling, 100.0 - 10 * abs(len(words) - len(others)))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)] or [name.lower()]
