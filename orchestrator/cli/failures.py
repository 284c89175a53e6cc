"""How a command ends: an exit code, and one line where something is wrong, never a traceback."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from orchestrator.cli.screen import complain, note
from orchestrator.domain.errors import MeshlineError

DEBUG = "MESHLINE_DEBUG"
DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def run(app: typer.Typer, arguments: list[str]) -> int:
    """Run a command and answer its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    try:
        _check_encoding(arguments)
        answer = app(arguments, prog_name="meshline", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        _tell_usage(error)
        return USAGE
    except typer.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
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


def _drop_output() -> None:
    """Let go of what could not be written.

    What is still in the buffer would fail again at the interpreter's end, and change the exit code.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
