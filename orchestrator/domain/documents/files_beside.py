"""Files that a file names: read from its own folder, and from nowhere else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

FIX = "write a path relative to the workflow's folder"


def read_beside(file: str, folder: Path | None, most: int) -> bytes:
    """What the file holds that a workflow in `folder` names; `most` is in bytes, whole MiB.

    Raises OSError, and ValueError that says why it is not read.
    """
    path = _path(file, folder)
    # Not to wait at a pipe that nobody writes to; and what is open can no longer be exchanged.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
        kind = os.fstat(opened.fileno()).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise ValueError(f"{path.name} is not a file")
        body = opened.read(most + 1)
    if len(body) > most:
        raise ValueError(f"{path.name} is larger than {most // 1_048_576} MiB")
    return body


def _path(file: str, folder: Path | None) -> Path:
    """The file, links followed. Raises ValueError where it is not inside the workflow's folder."""
    if folder is None:
        raise ValueError(f"{file} needs a workflow that is a file, too")
    home = folder.resolve()
    if Path(file).is_absolute() and not Path(file).resolve().is_relative_to(home):
        raise ValueError(f"{file} is an absolute path outside the workflow's folder")
    path = (home / file).resolve()
    if not path.is_relative_to(home):
        raise ValueError(f"{file} leads out of the workflow's folder")
    return path
