"""Empty stores of today's schema, copied from one that was migrated: that takes a twentieth."""

from __future__ import annotations

import uuid
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store


def open_new(file: Path) -> Store:
    """An open, empty store in a file that is not there yet; else the one that is."""
    make_file(file)
    return open_store(f"sqlite:///{file}")


def make_file(file: Path) -> None:
    """Write an empty store, where there is no file yet."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "store.db"
        open_store(f"sqlite:///{file}").close()
        return file.read_bytes()


def new_database(server: EmbeddedServer, *, migrated: bool = False) -> str:
    """The address of a new database on a server: with nothing in it, or an empty store."""
    return _create(server.url, f'TEMPLATE "{_template(server.url)}"' if migrated else "")


def drop_database(server: EmbeddedServer, url: str) -> None:
    """Remove a database of a server, also where somebody is still connected to it.

    Each has some 600 files, which cost little while they are young: nothing has gone to a disk yet.
    """
    _tell(server.url, f'DROP DATABASE "{_name(url)}" WITH (FORCE)')


@cache
def _template(server: str) -> str:
    url = _create(server)
    open_store(url).close()
    return _name(url)


def _create(server: str, how: str = "") -> str:
    name = f"test_{uuid.uuid4().hex[:12]}"
    _tell(server, f'CREATE DATABASE "{name}" {how}')
    return server.rpartition("/")[0] + f"/{name}"


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _tell(server: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())
