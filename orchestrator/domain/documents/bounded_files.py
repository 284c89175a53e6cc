"""Files that people name: read up to a bound, whatever is behind the name."""

from __future__ import annotations

import errno
from pathlib import Path


def read_bounded(path: Path, most: int) -> bytes:
    """What a file holds; `most` is in bytes. Raises OSError, also where there is more.

    A size that is asked for beforehand says nothing of a pipe or of /dev/zero.
    """
    with path.open("rb") as file:
        raw = file.read(most + 1)
    if len(raw) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 1_048_576} MiB")
    return raw
