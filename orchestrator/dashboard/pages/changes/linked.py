"""The page of a change, without a login, by its signed link: it shows, and decides nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator.dashboard.pages.changes.page import ShownChange, look_at_change, words_of_page
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.store.database.engine import Tx


class LinkedChangePage(StorePage):
    """One change, to whoever holds the link of an alert about it."""

    by_link = True

    def get_current_user(self) -> None:
        """Nobody has logged in, and Flower's page frame asks who has."""

    def scope(self, tx: Tx) -> None:
        """The link is the right to see this one change."""

    async def get(self, change: str) -> None:
        """Answer GET /changes/TOKEN."""
        await self.show(
            "change.html",
            lambda tx, _: (
                fields_of(without_reasons(look_at_change(tx, change))) | words_of_page(linked=False)
            ),
            what="change",
        )

    def write_error(self, status_code: int, **_: Any) -> None:
        """Say no more than the status: Flower's own page of an error has its navigation."""
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"Error {status_code}\n")


def without_reasons(shown: ShownChange) -> ShownChange:
    """What a page shows of a change, less what people wrote: they may quote values."""
    return replace(
        shown,
        change=replace(shown.change, why=None, because=None),
        story=tuple(replace(one, why=None) for one in shown.story),
    )
