"""What nearly every command begins with: the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from orchestrator.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store


@contextmanager
def opened_store(*, create: bool = False) -> Iterator[Store]:
    """The store for the length of the block, its schema current.

    Without `create` a missing SQLite file is an error: a look from the wrong folder must not show
    an empty store. Raises StoreUnavailable, SchemaMismatch, StartupFailed.
    """
    from orchestrator.store.database.engine import Store
    from orchestrator.store.database.migrate import open_store

    url = _store_url()
    if not create:
        missing = missing_file(Store(url))
        if missing:
            raise StoreUnavailable(no_store(missing))
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


def _store_url() -> str:
    from orchestrator.variables import plain_store_url

    if (found := plain_store_url()) is not None:
        return found
    from orchestrator.settings import settings

    return settings().store_url


def connectors_folder() -> Path | None:
    """The folder with the user's definitions of connectors; None where none is set."""
    return _folder("connectors")


def sources_folder() -> Path | None:
    """The folder with the sources; None where none is set."""
    return _folder("sources")


def _folder(name: Literal["connectors", "sources"]) -> Path | None:
    from orchestrator.variables import plain_texts

    texts = plain_texts()
    if texts is None:
        from orchestrator.settings import settings

        return settings().connectors if name == "connectors" else settings().sources
    return Path(texts[name]) if name in texts else None


def missing_file(store: Store) -> Path | None:
    """The file of a SQLite store, where it is not there yet."""
    name = store.url.database if store.is_sqlite else None
    if not name or name == ":memory:" or Path(name).exists():
        return None
    return Path(name).absolute()


def no_store(path: Path) -> str:
    """What to say where there is no SQLite store."""
    return (
        f"there is no store at {path}: go to the folder that holds it, set MESHLINE_HOME or"
        " MESHLINE_DATABASE_URL, or make one with `meshline up` or `meshline workflow publish FILE`"
    )
