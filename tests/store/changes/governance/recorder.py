"""What an interleaving tells outside of itself: which change a proposal became, and counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from orchestrator.domain.access.actor import Actor
from orchestrator.operations import publish_workflow, retire_workflow
from orchestrator.operations.access import people
from orchestrator.operations.changes.propose import propose
from tests.store.changes.governance.memory import Memory


class Recorder:
    """Notes the token of the last proposal, and how many interleavings and versions there were."""

    def __init__(self) -> None:
        self.proposed: str | None = None
        self.actors: dict[tuple[str, bool], Actor] = {}  # by mail, and whether it is proven
        self.played = 0
        self.live = 0  # versions that went live
        self.said = 0  # decisions that counted

    def count(self, memory: Memory) -> None:
        """An interleaving is over."""
        self.played += 1
        self.live += sum(" is live by " in one for one in memory.told)
        self.said += len(memory.words)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what becomes of proposals; passwords cost nothing meanwhile."""

        def propose_and_note(*given: Any) -> Any:
            done = honest(*given)
            self.proposed = done.change
            return done

        honest = propose
        with (
            patch.object(publish_workflow, "propose", propose_and_note),
            patch.object(retire_workflow, "propose", propose_and_note),
            patch.object(people, "digest_of", lambda _: "a digest"),
        ):
            yield
