"""The page of an incident, without a login, by its signed link: names and counts, no values."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from orchestrator.dashboard.pages import StorePage, one_incident
from orchestrator.domain.drift.finding import Finding

_LONGEST_NAME = 200  # characters, as in the title of an incident
_PLAIN = re.compile(r"[\w.*/~-]*")
_MOST_DIGITS = 6  # more of them are a number of something, such as a telephone


class LinkedIncidentPage(StorePage):
    """One incident, to whoever holds the link of an alert about it."""

    by_link = True

    def get_current_user(self) -> None:
        """Nobody has logged in, and Flower's page frame asks who has."""

    async def get(self, incident: str) -> None:
        """Answer GET /incidents/ID."""
        store, number = self._reader.open, int(incident)
        await self.show(
            "incident.html",
            lambda tx: without_values(one_incident(tx, store(), number)),
            what="incident",
        )

    def write_error(self, status_code: int, **_: Any) -> None:
        """Say no more than the status: Flower's own page of an error has its navigation."""
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"Error {status_code}\n")


def without_values(shown: dict[str, Any]) -> dict[str, Any]:
    """What a page shows of an incident, less all in which payloads or people may be quoted.

    What stands in the way of an event, in its own words or its destination's, quotes values; so
    may reasons that people gave. The incident's title has the places and the keywords.
    """
    incident = shown["incident"]
    return shown | {
        "incident": incident
        | {
            "oldest": [{"id": one["id"], "since": one["since"]} for one in incident["oldest"]],
            "history": [one | {"detail": None} for one in incident["history"]],
        },
        "findings": [_bare(one) for one in shown["findings"]],
        "fix": [],
    }


def _bare(finding: Finding) -> Finding:
    to = None if finding.to is None else _named(finding.to)
    return replace(finding, path=_named(finding.path), to=to, evidence=())


def _named(path: str) -> str:
    """A place, as long as it reads like names: a sender may make keys of mail addresses."""
    plain = len(path) <= _LONGEST_NAME and _PLAIN.fullmatch(path)
    return path if plain and sum(map(str.isdigit, path)) < _MOST_DIGITS else "a field"
