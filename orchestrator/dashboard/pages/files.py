"""Pages that are files: what a list shows, to be kept or read by a program."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.dashboard.pages.frame import Look, StorePage

CSV, JSON = "text/csv; charset=UTF-8", "application/json; charset=UTF-8"


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file as a browser saves it."""

    name: str  # letters, digits, dots and hyphens
    kind: str  # its media type
    content: bytes
    following: str | None = None  # the query of the file that goes on where this one ends


class StoreFile(StorePage):
    """A file that is made of what the store says."""

    async def give(self, look: Look[File]) -> None:
        """Read the store and answer with the file; an error becomes a page."""
        found = await self.found(look)
        if found is None:
            return
        self.set_header("Content-Type", found.kind)
        self.set_header("Content-Disposition", f'attachment; filename="{found.name}"')
        if found.following is not None:
            self.set_header("Link", f'<{self.request.path}?{found.following}>; rel="next"')
        self.finish(found.content)
