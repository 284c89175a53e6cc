"""`meshline up --example` has one key, however often it is started."""

from __future__ import annotations

import stat
from pathlib import Path

from orchestrator.domain.access.actor import process
from orchestrator.embedded.example_key import example_key
from orchestrator.operations.access.keys import check_key, id_of_key, revoke_key
from orchestrator.store.access.keys import list_keys
from tests.stores import open_new


def test_the_key_of_the_example_is_kept_and_used_again(tmp_path: Path) -> None:
    file = tmp_path / "example.key"
    store = open_new(tmp_path / "meshline.db")
    first = example_key(store, file, "acme")

    assert {example_key(store, file, "acme") for _ in range(3)} == {first}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    revoke_key(store, id_of_key(first), actor=process("cli:up"))
    second = example_key(store, file, "acme")
    check_key(store, second)
    file.write_bytes(b"\xff not a key")
    third = example_key(store, file, "acme")
    assert len({first, second, third}) == 3
    with store.read() as tx:
        assert len(list_keys(tx)) == 3
    store.close()
