"""What a process of ours asks of the system before it does anything else."""

from __future__ import annotations

import ctypes
import os
import resource
import stat
from contextlib import suppress
from pathlib import Path

MOST_OPEN_FILES = 65_536
"""What the limit of open files is raised to at most. Some programs walk over all of them."""

_OTHER_FILES = 64  # of one process: the store's, the broker's, its log, its event loop's
_FEWEST_CONNECTIONS = 16  # however few files a process may open

PRIVATE = 0o077  # what a file of ours is not made with: rights for others

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # glibc's malloc.h
_LARGE = 1024 * 1024  # bytes: blocks from here on go back to the system when they are freed
_MOST_ARENAS = 2  # each keeps what its threads have freed


def prepare_process() -> None:
    """Private files, as many open ones as may be, and memory that is given back."""
    os.umask(PRIVATE)
    raise_open_files()
    give_memory_back()


def make_private(*paths: Path) -> None:
    """Take the rights of others away from files and folders of ours that are there."""
    for path in paths:
        with suppress(OSError):  # another user's, or a file system without rights
            mode = path.lstat().st_mode
            wanted = 0o700 if stat.S_ISDIR(mode) else 0o600
            if (stat.S_ISDIR(mode) or stat.S_ISREG(mode)) and stat.S_IMODE(mode) != wanted:
                path.chmod(wanted)


def write_private(path: Path, text: str) -> None:
    """Write a secret into a new file that only this user reads, in place of one that is there."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def raise_open_files() -> int:
    """Raise the soft limit of open files to the hard one; the limit that holds then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS has a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return MOST_OPEN_FILES if soft == resource.RLIM_INFINITY else soft


def connections_that_fit(most: int, *, accepted_at_once: int) -> int:
    """At most `most`: as many as leave room for other files, and for those just accepted."""
    room = raise_open_files() - _OTHER_FILES - 2 * accepted_at_once
    return min(most, max(_FEWEST_CONNECTIONS, room))


def give_memory_back() -> None:
    """Let freed blocks return to the system, where the C library is glibc.

    By itself it learns from one large body to keep as much for the next, which may never come.
    """
    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _LARGE)
        mallopt(_M_ARENA_MAX, _MOST_ARENAS)


def trim_memory() -> None:
    """Give the holes between blocks back too; some milliseconds, other threads go on."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
