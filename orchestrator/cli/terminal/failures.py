"""How a command ends: an exit code, and one line where something is wrong, never a traceback."""

from __future__ import annotations

import os
import select
import sys
import traceback

import typer

from orchestrator.cli.terminal.screen import ReaderGone, complain, note
from orchestrator.domain.errors import MeshlineError

DEBUG = "MESHLINE_DEBUG"
DONE, FAILED, USAGE = 0, 1, 2
INTERRUPTED = 130  # by Ctrl-C; as a shell says it of a program that a signal ended
_SIGNALLED = 128  # and the number of the signal that ended it
UNREAD = 141  # the reader of a pipe went away, as `head` does


def run(app: typer.Typer, arguments: list[str]) -> int:
    """Run a command and answer its exit code: one of those above."""
    try:
        code = _run(app, arguments)
        sys.stdout.flush()
    except (ReaderGone, BrokenPipeError):
        _drop_output()
        return UNREAD
    except OSError as error:
        _drop_output()
        complain(_sentence(error))
        return FAILED
    return code


def _run(app: typer.Typer, arguments: list[str]) -> int:
    try:
        _check_encoding(arguments)
        answer = app(arguments, prog_name="meshline", standalone_mode=False)
    except typer.TyperException as error:
        _tell_usage(error)
        return USAGE
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ReaderGone:
        raise
    except SystemExit as end:
        if isinstance(end.code, int) and end.code > _SIGNALLED:  # SIGTERM while it started
            return end.code
        # Else it is typer's own answer to a broken pipe, be it this one or a socket's.
        if _unread():
            raise ReaderGone from None
        complain("a connection was closed by the other side")
        return FAILED
    except Exception as error:  # noqa: BLE001 - this is where every failure becomes a line
        complain(_sentence(error))
        if os.environ.get(DEBUG):
            traceback.print_exc()
        if isinstance(error, OSError):
            _drop_output()
        return FAILED
    return answer if isinstance(answer, int) else DONE


def _check_encoding(arguments: list[str]) -> None:
    for number, argument in enumerate(arguments, start=1):
        if not argument.isascii() and any("\ud800" <= one <= "\udfff" for one in argument):
            raise typer.BadParameter(f"argument {number} is not UTF-8")


def _tell_usage(error: typer.TyperException) -> None:
    message = error.format_message().strip().replace("Value error, ", "")
    if message.startswith("Usage:"):  # a group without a command answers with its help
        note(message)
        return
    context = getattr(error, "ctx", None)
    see = f"; see `{context.command_path} --help`" if context else ""
    complain(f"{message[:1].lower()}{message[1:].rstrip('.')}{see}")


def _sentence(error: Exception) -> str:
    if isinstance(error, MeshlineError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    first = (str(error).splitlines() or [""])[0]
    hint = f"set {DEBUG}=1 and run it again for the traceback"
    return f"unexpected {type(error).__name__}: {first}; {hint}"


def _unread() -> bool:
    """Whether stdout is a pipe that nobody reads any more."""
    looked = select.poll()
    looked.register(1, 0)  # errors are told without being asked for
    return any(what & select.POLLERR for _, what in looked.poll(0))


def _drop_output() -> None:
    """Discard what could not be written.

    What is still in a buffer would fail again at the interpreter's end, and change the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
