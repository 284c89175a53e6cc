"""Applications have older Pythons than the server: the SDK works on all of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import meshline
from meshline.testing import RecordingTransport
from tests.sdk.conftest import WireDoor

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


def _interpreter(version: str) -> str | None:
    """A Python of this version: the running one, one on the PATH, or one of pyenv's."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    candidates = [str(one) for one in kept] + [shutil.which(f"python{version}") or ""]
    return next((one for one in candidates if one and _runs(one)), None)


def _runs(python: str) -> bool:
    done = subprocess.run([python, "-c", "import ssl, sqlite3"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_the_sdk_works_on(version: str, wire: WireDoor, door: RecordingTransport) -> None:
    python = _interpreter(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed here")

    done = subprocess.run(
        [python, "-W", "error", str(ROOT / "tests" / "sdk" / "smoke.py"), wire.url],
        env={"PYTHONPATH": str(ROOT / "sdk"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.split() == ["event-1", meshline.__version__]
    assert len(door.events) == 6
    first = door.events[0].data
    assert first == {
        "when": "2026-04-05T00:00:00+00:00",
        "id": "00000000-0000-0000-0000-000000000001",
        "lines": [{"price": "1.10"}],
    }


def test_the_project_says_the_versions_that_are_tried() -> None:
    said = (ROOT / "sdk" / "pyproject.toml").read_text()

    assert all(f"Python :: {version}" in said for version in VERSIONS)
    assert f'requires-python = ">={VERSIONS[0]}"' in said
    assert f'version = "{meshline.__version__}"' in said
