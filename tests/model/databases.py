"""Empty stores by the hundred: one is migrated, the others are copies of it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from orchestrator.domain.access.actor import login
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.model.clock import SEARCH_PATH, SERVER_CLOCK
from tests.model.workflows import workflow


class Databases(Protocol):
    """Where stores come from; `template` is the address of the first."""

    template: str

    def new(self) -> str:
        """The address of a store with one live workflow, and nothing else."""

    def forget(self, url: str) -> None:
        """Take it away again; it is closed."""


class Files:
    """SQLite files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.template = f"sqlite:///{folder / 'template.db'}"
        _fill(self.template).close()  # the last one to close folds the log into the file

    def new(self) -> str:
        path = self._folder / f"{uuid.uuid4().hex}.db"
        shutil.copyfile(self._folder / "template.db", path)
        return f"sqlite:///{path}"

    def forget(self, url: str) -> None:
        for path in self._folder.glob(f"{Path(url).name}*"):
            path.unlink()


class Copies:
    """Databases of a PostgreSQL server, by its address; `fill` makes the first of them."""

    def __init__(self, server: str, *, fill: Callable[[str], Store] | None = None) -> None:
        self._server = server
        self.template = self._create()
        store = (fill or _fill)(self.template)
        with store.write() as tx:
            for statement in SERVER_CLOCK:
                tx.exec_driver_sql(statement)
        store.close()

    def new(self) -> str:
        url = self._create(f'TEMPLATE "{_name(self.template)}"')
        self._run(f'ALTER DATABASE "{_name(url)}" SET search_path = {SEARCH_PATH}')
        return url

    def forget(self, url: str) -> None:
        self._run(f'DROP DATABASE "{_name(url)}"')

    def _create(self, how: str = "") -> str:
        name = f"model_{uuid.uuid4().hex}"
        self._run(f'CREATE DATABASE "{name}" {how}')
        return f"{self._server.rpartition('/')[0]}/{name}"

    def _run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(statement.encode())


def _fill(url: str) -> Store:
    store = open_store(url)
    publish_workflow(store, workflow(1), actor=login("cli:tester"))
    return store


def _name(url: str) -> str:
    return url.rpartition("/")[2]
