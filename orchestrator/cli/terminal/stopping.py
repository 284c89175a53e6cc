"""Ctrl-C in a command that works in chunks: it ends between two of them, and says how to go on.

A chunk is one transaction. So what was done is kept and counted, and the rest was not begun.
"""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from orchestrator.cli.terminal.screen import note


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put Ctrl-C off to the end of the block; a second one is not put off.

    Raises KeyboardInterrupt at the end.
    """
    with _put_off() as asked:
        yield
    if asked():
        raise KeyboardInterrupt


@contextmanager
def stopping(total: int, command: Callable[[], str]) -> Iterator[Callable[[int], None]]:
    """Let Ctrl-C end the block after the chunk that is under way.

    The block tells what it is given how many of `total` are done, after each chunk. Where all are
    done there is nothing to stop. `command` goes on with the rest. Raises KeyboardInterrupt.
    """
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done = count
        if asked() and done < total:
            raise KeyboardInterrupt

    try:
        with _put_off() as asked:
            yield tell
    except KeyboardInterrupt:
        note(f"stopped after {done:,} of {total:,}; go on with: {command()}")
        raise


@contextmanager
def looking() -> Iterator[None]:
    """Say on Ctrl-C that a look changed nothing."""
    try:
        yield
    except KeyboardInterrupt:
        note("stopped; no event was changed")
        raise


@contextmanager
def resuming() -> Iterator[None]:
    """Say on Ctrl-C that the same command goes on, where nobody knows yet how much there is."""
    try:
        yield
    except KeyboardInterrupt:
        note(f"stopped; what was done is kept; go on with: {command_again({})}")
        raise


def command_again(times: Mapping[str, str | None]) -> str:
    """The command as it was typed, with its times written out: `2h` ago moves on.

    `times` are what `--since` and `--until` meant.
    """
    words: list[str] = []
    for word in sys.argv[1:]:
        option, equals, _ = word.partition("=")
        if words and (meant := times.get(words[-1])):
            words.append(meant)
        elif equals and (meant := times.get(option)):
            words.append(f"{option}={meant}")
        else:
            words.append(word)
    return shlex.join(["meshline", *words])


def command_from_line(line: int) -> str:
    """The command as it was typed, from that line on."""
    words = sys.argv[1:]
    if "--from-line" in words:
        at = words.index("--from-line")
        del words[at : at + 2]
    words = [word for word in words if not word.startswith("--from-line=")]
    return shlex.join(["meshline", *words, "--from-line", str(line)])


@contextmanager
def _put_off() -> Iterator[Callable[[], bool]]:
    """Only note a first Ctrl-C; the second one is Python's own."""
    count = 0

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal count
        count += 1
        if count > 1:
            signal.default_int_handler(number, frame)

    # A shell starts what runs in the background with Ctrl-C ignored: it stays so.
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    signal.signal(signal.SIGINT, on_signal)
    try:
        yield lambda: count > 0
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
