"""What goes wrong while everything runs: said once when it begins, and once when it is over."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Mapping

from orchestrator.broker import call_broker
from orchestrator.domain.errors import MeshlineError
from orchestrator.domain.heartbeats import ProcessKind, Vital, presence_of
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.desk.heartbeats import list_heartbeats, try_to_write

Look = Callable[[], str | None]
"""What is wrong now, in one line; None if nothing is."""

_SECONDS = 2.0  # between two looks
_LITTLE_DISK = 200_000_000  # bytes


class Troubles:
    """Looks at a running system every two seconds, in a thread of its own: a look may hang."""

    def __init__(self, looks: Mapping[str, Look], say: Callable[[str], None]) -> None:
        self._looks = looks
        self._say = say
        self._known: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; what hangs is left to itself."""
        self._stopping.set()

    def look(self) -> None:
        """Look once, and say what began or is over."""
        for name, look in self._looks.items():
            found = _looked(look)
            if found and name not in self._known:
                self._known.add(name)
                self._say(f"trouble: {name}: {found}")
            elif not found and name in self._known:
                self._known.remove(name)
                self._say(f"over: {name} is well again")

    def _run(self) -> None:
        while not self._stopping.wait(_SECONDS):
            self.look()


def _looked(look: Look) -> str | None:
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - the other looks go on, whatever this one meets
        return f"it cannot be looked at: {error}"


def looks_at(config: Settings, store: Store) -> dict[str, Look]:
    """Every look at a system whose settings these are, by what it looks at."""
    instance = f"{socket.gethostname()}:{os.getpid()}"

    def store_takes_a_commit() -> str | None:
        return _error_of(lambda: try_to_write(store, instance))

    def broker_answers() -> str | None:
        return _error_of(lambda: call_broker(config))

    looks: dict[str, Look] = {"store": store_takes_a_commit, "broker": broker_answers}
    if not (config.database_url and config.broker_url):
        looks["disk"] = lambda: _disk(config)
    for kind in ProcessKind:
        looks[str(kind)] = lambda kind=kind: _silent(kind, store, config)  # type: ignore[misc]
    return looks


def _error_of(act: Callable[[], None]) -> str | None:
    try:
        act()
    except MeshlineError as error:
        return str(error)
    return None


def _disk(config: Settings) -> str | None:
    free = shutil.disk_usage(config.home).free
    if free >= _LITTLE_DISK:
        return None
    return (
        f"{free / 1e6:.0f} MB are free in {config.home}: make room, the store cannot commit on a"
        " full disk"
    )


def _silent(kind: ProcessKind, store: Store, config: Settings) -> str | None:
    try:
        with store.read() as tx:
            presence = presence_of(kind, list_heartbeats(tx))
    except MeshlineError:
        return None  # the look at the store says so
    if presence.vital is not Vital.LATE:
        return None
    log = config.home / "logs" / f"{_LOGS.get(kind, kind)}.log"
    return f"{presence.found}; see {log}"


_LOGS = {ProcessKind.DOOR: "api"}
