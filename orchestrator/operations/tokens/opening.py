"""Opening the place where tokens are kept, by the first call that needs it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.operations.tokens.keys import read_keys, sealing_keys
from orchestrator.operations.tokens.sealing import Seal
from orchestrator.operations.tokens.vault import Vault
from orchestrator.store.database.engine import Store
from orchestrator.store.destinations.tokens import list_tokens


def vault_of(
    store: Store, *, key: str | None, home: Path | None, actor: str
) -> Callable[[], Vault]:
    """What opens the vault, once; whoever keeps no tokens reads no key.

    `key` is what MESHLINE_TOKEN_KEY says, `home` the home folder where the store is in it. It
    raises TokensUnusable, and then may be asked again.
    """

    @functools.cache
    def opened() -> Vault:
        return Vault(store, Seal(sealing_keys(key, home=home)), actor=actor)

    return opened


def closed_logins(
    store: Store, *, key: str | None, home: Path | None
) -> tuple[Sequence[str], Sequence[str]]:
    """The connectors whose tokens are kept, and those of them whose tokens cannot be opened here.

    Nothing is made or changed. Raises TokensUnusable where there is no key to try.
    """
    with store.read() as tx:
        kept = [one for one in list_tokens(tx) if one.sealed is not None]
    if not kept:
        return [], []
    seal = Seal(read_keys(key, home=home))
    closed = {one.connector for one in kept if not seal.opens(one.sealed or "")}
    return sorted({one.connector for one in kept}), sorted(closed)
