"""What the stories of one test share: worker processes, their clock, and where stores come from."""

from __future__ import annotations

from typing import Any

from orchestrator.settings import Settings
from tests.model.clock import ModelClock
from tests.model.databases import Databases
from tests.model.world import World
from workers.app import Process

NO_BROKER = "redis://127.0.0.1:1/0"
"""What Celery is set up for; nobody calls there."""


class Lab:
    """What outlives a story. Worker processes do, for the workflows that they compile are dear."""

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.clock = ModelClock()
        self.breaking = 0  # decisions that will raise
        self.config = Settings(
            database_url=databases.template,
            broker_url=NO_BROKER,
            group_size=3,
            groups_in_flight=4,
            slice_size=2,
            start_limit=4,
        )
        self.workers = [Process(self.config) for _ in range(3)]
        for process in self.workers:
            process.store.close()

    def new_world(self, *, within: bool = False) -> World:
        """A world in which nothing has happened yet."""
        self.breaking = 0
        return World(self.databases, self.clock, self.config, self.workers, within=within)

    def close(self) -> None:
        """End the processes."""
        for process in self.workers:
            process.close()

    def shaky(self, decide: Any) -> Any:
        """A decision that raises when the story says so."""

        def decide_or_break(*given: object) -> object:
            if self.breaking:
                self.breaking -= 1
                raise RuntimeError("the decision broke")
            return decide(*given)

        return decide_or_break
