"""A command line in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.desk import CommandLine


@pytest.fixture
def meshline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """The command `meshline`, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))  # where a session is kept
    return CommandLine(tmp_path, monkeypatch, capsys)
