"""Whether anything changed: what an open page asks every few seconds."""

from __future__ import annotations

from tornado.web import authenticated

from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.errors import MeshlineError
from orchestrator.store.views.overview.revision import revision_of


class RevisionPage(StorePage):
    """The number of the last change, as JSON; a page that is open compares it with the last one."""

    @authenticated
    async def get(self) -> None:
        """Answer GET /now/revision."""
        try:
            revision = await self._reader.read(revision_of)
        except MeshlineError as error:
            self.set_status(503)
            self.finish({"detail": str(error)})
        else:
            self.finish({"revision": revision})
