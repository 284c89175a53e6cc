"""Keys are shown once, listed without their secrets, and revoked by their id."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import KeyRefused
from orchestrator.operations.access.keys import Caller, check_key
from tests.cli.desk import CommandLine


def check(meshline: CommandLine, key: str) -> Caller:
    with meshline.store() as store:
        return check_key(store, key)


def test_a_key_alone_stands_on_stdout_and_works(meshline: CommandLine) -> None:
    meshline.publish()

    ran = meshline("keys", "create", "--client", "acme", "--label", "web shop")

    assert ran.code == 0
    assert check(meshline, ran.out.strip()).clients == ("acme",)
    assert ran.err.startswith("this is the only time that it is shown")


def test_a_key_may_serve_some_clients_or_all(meshline: CommandLine) -> None:
    meshline.publish()
    some = meshline("keys", "create", "--client", "a", "--client", "b", "--label", "x", "--json")
    every = meshline("keys", "create", "--all-clients", "--label", "x", "--json")

    assert check(meshline, some.document["key"]).clients == ("a", "b")
    assert check(meshline, every.document["key"]).permits("anybody")


def test_a_client_that_nothing_is_published_for_is_pointed_out(meshline: CommandLine) -> None:
    meshline.publish()

    ran = meshline("keys", "create", "--client", "acmee", "--label", "x")

    assert ran.code == 0
    assert "'acmee' has no live workflow" in ran.err


def test_clients_and_all_clients_do_not_go_together(meshline: CommandLine) -> None:
    ran = meshline("keys", "create", "--client", "acme", "--all-clients", "--label", "x")

    assert ran.code == 2
    assert not (meshline.folder / ".meshline").exists()


def test_the_list_has_no_secret(meshline: CommandLine) -> None:
    meshline.publish()
    key = meshline("keys", "create", "--client", "acme", "--label", "web shop").out.strip()

    ran = meshline("keys", "list", "--json")

    (row,) = ran.document["keys"]
    assert row.keys() == {
        *("id", "label", "clients", "role", "person", "created_at", "created_by"),
        *("expires_at", "used_at", "replaced_by", "revoked_at", "rate_per_second", "quota_per_day"),
    }
    assert key.rpartition("_")[2] not in ran.out
    assert row["id"] in meshline("keys", "list").out


def test_a_revoked_key_is_refused_from_then_on(meshline: CommandLine) -> None:
    meshline.publish()
    key = meshline("keys", "create", "--client", "acme", "--label", "web shop").out.strip()
    (row,) = meshline("keys", "list", "--json").document["keys"]

    assert meshline("keys", "revoke", row["id"]).out == f"revoked {row['id']}\n"

    with pytest.raises(KeyRefused):
        check(meshline, key)
    assert f"no key '{row['id']}' in force" in meshline("keys", "revoke", row["id"]).error
    (row,) = meshline("keys", "list", "--json").document["keys"]
    assert row["revoked_at"]
