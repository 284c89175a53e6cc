"""Which setting an unknown variable was meant for."""

from __future__ import annotations

from collections.abc import Collection

from rapidfuzz.distance import OSA

_ALIKE = 0.75  # of 1: one sign in four may be wrong, left out or doubled
_LEAST = 4  # letters of a word that alone reminds of a setting


def nearest_setting(name: str, settings: Collection[str]) -> str | None:
    """The setting that a name resembles, by its letters or by its words.

    Names are given without the prefix.

    >>> nearest_setting("DATABSE_URL", ["DATABASE_URL", "PORT"])
    'DATABASE_URL'
    >>> nearest_setting("BROKER", ["BROKER_URL", "PORT"])
    'BROKER_URL'
    >>> nearest_setting("CRM_TOKEN", ["BROKER_URL", "PORT"]) is None
    True
    """
    scores = {one: _likeness(name.upper(), one.upper()) for one in settings}
    best = max(scores, key=lambda one: scores[one], default=None)
    return best if best is not None and scores[best] >= _ALIKE else None


def _likeness(name: str, setting: str) -> float:
    words, known = name.split("_"), setting.split("_")
    alike: float = OSA.normalized_similarity(name, setting)
    short = min(words, known, key=len)
    begins = words[: len(short)] == known[: len(short)] and len("".join(short)) >= _LEAST
    if sorted(words) == sorted(known) or (begins and len(known) > len(words)):
        return max(alike, _ALIKE)
    return alike
