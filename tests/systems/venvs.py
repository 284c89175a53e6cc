"""Environments of other people's systems: each in a venv of its own, made once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_VENVS = Path(__file__).parents[2] / ".venv-systems"


def python_with(requirement: str) -> Path:
    """The Python of a venv that holds one requirement. Skips the test where it cannot be made."""
    name = requirement.partition(">")[0].partition("=")[0]
    venv, stamp = _VENVS / name, _VENVS / f"{name}.installed"
    python = venv / "bin" / "python"
    wanted = f"{requirement} on Python {sys.version_info.major}.{sys.version_info.minor}"
    if stamp.exists() and stamp.read_text() == wanted and python.exists():
        return python
    shutil.rmtree(venv, ignore_errors=True)
    stamp.unlink(missing_ok=True)
    _run(requirement, sys.executable, "-m", "venv", str(venv))
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-compile")
    _run(requirement, str(python), "-m", "pip", "install", *quiet, requirement)
    stamp.write_text(wanted)
    return python


def _run(requirement: str, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        pytest.skip(f"{requirement} cannot be installed: {last[:300]}")
