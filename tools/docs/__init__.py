"""The generated pages: each is written from the one place in the code that decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.docs import acts, cli, errors, flows, gates, http, lifecycle, settings, telemetry


@dataclass(frozen=True, kw_only=True)
class Page:
    """One generated page, or one generated part of a page."""

    source: str  # the file to change instead
    write: Callable[[], str]


PAGES: Mapping[str, Page] = {
    "docs/reference/lifecycle.md": Page(
        source="orchestrator/domain/lifecycle.py", write=lifecycle.write
    ),
    "docs/reference/settings.md": Page(source="orchestrator/settings.py", write=settings.write),
    "docs/reference/cli.md": Page(source="orchestrator/cli/", write=cli.write),
    "docs/reference/errors.md": Page(
        source="orchestrator/domain/errors.py, orchestrator/domain/reasons.py and"
        " orchestrator/api/problems.py",
        write=errors.write,
    ),
    "docs/reference/roles.md": Page(source="orchestrator/domain/acts.py", write=acts.write),
    "docs/reference/gates.md": Page(
        source="orchestrator/domain/changes/gates/gate.py", write=gates.write
    ),
    "docs/reference/telemetry.md": Page(source="orchestrator/telemetry.py", write=telemetry.write),
}
"""Whole pages, by their path in the project."""

PARTS: Mapping[str, Mapping[str, Page]] = {
    "docs/reference/http.md": {
        "addresses": Page(source="orchestrator/api/desk/", write=http.addresses),
    },
    "ARCHITECTURE.md": {
        "a good event": Page(source="tools/docs/flows.py", write=flows.good_event),
        "a bad event": Page(source="tools/docs/flows.py", write=flows.bad_event),
    },
}
"""Parts of written pages, by page and name; they are between two comments."""


def render(name: str, text: str) -> str:
    """The whole text of a page, from the text that it has.

    Raises ValueError where a page lacks the comments around a generated part.
    """
    if name in PAGES:
        page = PAGES[name]
        first = f"<!-- Written by `make docs` from {page.source}. Change that, not this. -->"
        return f"{first}\n\n{page.write()}"
    for title, part in PARTS[name].items():
        begin = f"<!-- {title}: written by `make docs` from {part.source} -->\n"
        end = f"<!-- end of {title} -->\n"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"{name} lacks {begin.strip()} … {end.strip()}")
        text = f"{before}{begin}\n{part.write()}\n{end}{after}"
    return text
