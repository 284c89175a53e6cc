"""The generated pages: each is written from the one place in the code that decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.docs import cli, errors, lifecycle, settings


@dataclass(frozen=True, kw_only=True)
class Page:
    """One generated page."""

    source: str  # the file to change instead
    write: Callable[[], str]


PAGES: Mapping[str, Page] = {
    "reference/lifecycle.md": Page(
        source="orchestrator/domain/lifecycle.py", write=lifecycle.write
    ),
    "reference/settings.md": Page(source="orchestrator/settings.py", write=settings.write),
    "reference/cli.md": Page(source="orchestrator/cli/", write=cli.write),
    "reference/errors.md": Page(
        source="orchestrator/domain/errors.py, orchestrator/domain/reasons.py and"
        " orchestrator/api/problems.py",
        write=errors.write,
    ),
}


def render(name: str) -> str:
    """The whole text of a generated page."""
    page = PAGES[name]
    first = f"<!-- Written by `make docs` from {page.source}. Change that, not this. -->"
    return f"{first}\n\n{page.write()}"
