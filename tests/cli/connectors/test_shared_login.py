"""A login with a refresh token on the command line: one call takes part, and the doctor looks."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.desk import CommandLine
from tests.servers.rotating import FIRST, SECRETS, Provider, rotating_provider

KEY = base64.b64encode(bytes(range(32))).decode()
TRY = ("connectors", "try", "tool.yaml", "--action", "record", "--field", "text=hi", "--yes")


@pytest.fixture
def provider(meshline: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with rotating_provider() as provider:
        meshline.write("tool.yaml", provider.definition())
        yield provider


def check(meshline: CommandLine, name: str, **environment: str) -> dict[str, Any] | None:
    """One check of the doctor."""
    checks = meshline("doctor", "--json", **environment).document["checks"]
    return next((one for one in checks if one["check"] == name), None)


def test_a_call_by_hand_takes_the_newest_token_and_keeps_what_it_refreshes(
    meshline: CommandLine, provider: Provider
) -> None:
    meshline.publish()

    done = [meshline(*TRY, "--json") for _ in range(2)]
    provider.access = "taken back"
    again = meshline(*TRY, "--json")

    assert [one.code for one in (*done, again)] == [0, 0, 0]
    assert provider.shown == [FIRST, "refresh-1-abc"]
    assert not any("-abc" in one.out for one in (*done, again))
    rows = meshline("audit", "--json", "--action", "refresh_login").document["audit"]
    assert [row["actor"].partition(":")[0] for row in rows] == ["cli", "cli"]
    assert (meshline.folder / ".meshline" / "token.key").stat().st_mode & 0o777 == 0o600
    told = check(meshline, "tokens")
    assert told is not None
    assert (told["health"], told["found"]) == ("ok", "those of tool can be opened")


def test_a_call_by_hand_makes_no_store_to_keep_a_token_in(
    meshline: CommandLine, provider: Provider
) -> None:
    done = meshline(*TRY)

    assert done.code == 1
    assert "token: there is no store at" in done.out
    assert provider.shown == []
    assert not (meshline.folder / ".meshline").exists()


def test_where_the_store_is_elsewhere_the_setting_is_required_and_the_doctor_says_so(
    meshline: CommandLine, provider: Provider, tmp_path: Path
) -> None:
    with meshline.store() as store:
        elsewhere = {"MESHLINE_DATABASE_URL": f"sqlite:///{store.url.database}"}

    refused = meshline(*TRY, **elsewhere)
    (tmp_path / "defs").mkdir()
    (tmp_path / "tool.yaml").rename(tmp_path / "defs" / "tool.yaml")
    known = {**elsewhere, "MESHLINE_CONNECTORS": str(tmp_path / "defs")}
    connectors = check(meshline, "connectors", **known)
    with_key = check(meshline, "connectors", **known, MESHLINE_TOKEN_KEY=KEY)

    assert refused.code == 1
    assert "token: MESHLINE_TOKEN_KEY is not set: refresh tokens are kept" in refused.out
    assert provider.shown == []
    assert connectors is not None and "tool" not in connectors["found"]
    assert with_key is not None and "tool" in with_key["found"]


def test_the_doctor_names_the_connectors_whose_tokens_this_machine_does_not_open(
    meshline: CommandLine, provider: Provider
) -> None:
    meshline.publish()
    assert meshline(*TRY, MESHLINE_TOKEN_KEY=KEY).code == 0

    other = base64.b64encode(bytes(32)).decode()
    told = check(meshline, "tokens", MESHLINE_TOKEN_KEY=other)
    without = check(meshline, "tokens")

    assert told is not None and without is not None
    assert told["found"] == "no key of this machine opens those of tool"
    assert without["health"] == "attention"
    assert "token.key cannot be read" in without["found"]
    assert not (meshline.folder / ".meshline" / "token.key").exists()
