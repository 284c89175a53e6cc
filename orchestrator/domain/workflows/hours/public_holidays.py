"""The public holidays of a country or of a part of it, as dates.

They come with the library `holidays`, which is loaded when a calendar first names a place; nothing
is asked of a network. A workflow's version holds the dates, so that another release of the library
does not change what a published version promises.
"""

from __future__ import annotations

import re
from functools import lru_cache

from orchestrator.domain.text.hints import did_you_mean

YEARS = range(2026, 2036)
"""Those whose holidays a calendar has; laws change, so later ones would be guesses."""

_PLACE = re.compile(r"[A-Za-z]{2}(-[A-Za-z0-9 ]{1,30})?")


class UnknownPlace(ValueError):
    """Raised where a country or its part is not known; `fix` says what to write instead."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.fix = fix


def is_place(text: str) -> bool:
    """Whether a text is written as a country (DE) or a part of one (DE-BY), as ISO 3166 has them.

    >>> is_place("DE-BY"), is_place("2026-12-25")
    (True, False)
    """
    return _PLACE.fullmatch(text) is not None


@lru_cache(maxsize=64)
def public_holidays(place: str) -> tuple[str, ...]:
    """The dates within YEARS, such as 2026-12-25, in order. Raises UnknownPlace."""
    import holidays

    country, _, part = place.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        fix = f"{did_you_mean(country, known)}: a country as ISO 3166 has it, such as DE"
        raise UnknownPlace(f"{country!r} is not a country whose holidays are known", fix)
    parts = [f"{country}-{one}" for one in known[country]]
    if part and place not in parts:
        fix = did_you_mean(place, parts or [country])
        raise UnknownPlace(f"{place!r} is not a part of {country} whose holidays are known", fix)
    found = holidays.country_holidays(country, subdiv=part or None, years=YEARS)
    if found.end_year < YEARS[-1]:
        problem = f"the holidays of {place} are known until {found.end_year} only"
        raise UnknownPlace(problem, 'write dates, such as "2026-12-25"')
    return tuple(day.isoformat() for day in sorted(found) if day.year in YEARS)
