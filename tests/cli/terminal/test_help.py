"""Help is quick, and every command explains itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.main import app
from tests.cli.desk import CommandLine

PROJECT = Path(__file__).parents[3]


def every_command() -> list[tuple[str, ...]]:
    """The words of every command, groups included."""
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    alone = [
        (one.name or one.callback.__name__,) for one in app.registered_commands if one.callback
    ]
    inside = [
        (name, command.name or command.callback.__name__)
        for name, group in groups.items()
        if name and group
        for command in group.registered_commands
        if command.callback
    ]
    return [(), *alone, *inside]


def test_the_commands_are_those_that_people_script_against() -> None:
    assert {" ".join(words) for words in every_command()} == {
        "",
        *(
            "up",
            "demo",
            "api",
            "worker",
            "relay",
            "keeper",
            "flower",
            "emit",
            "audit",
            "erase",
            "doctor",
        ),
        *(
            f"workflow {one}"
            for one in (
                "check",
                "try",
                "test",
                "publish",
                "list",
                "show",
                "graph",
                "rollback",
                "retire",
            )
        ),
        *(f"change {one}" for one in ("list", "show", "propose", "approve", "request-changes")),
        *("change backtest", "change rehearse", "change reject", "change withdraw"),
        *("change break-glass", "change freeze", "change thaw", "change rollout", "change stop"),
        "change outcomes",
        *(f"approvals {one}" for one in ("list", "show", "approve", "refuse")),
        *("change check", "change waive", "change diff", "change prove"),
        *("events list", "events show", "retention apply"),
        *(
            f"incidents {one}"
            for one in ("list", "show", "ack", "assign", "note", "resolve", "work")
        ),
        "sla list",
        *("alerts list", "alerts test", "alerts retry"),
        *(f"destinations {one}" for one in ("list", "pause", "resume")),
        *(f"connectors {one}" for one in ("list", "show", "check", "try", "schema")),
        *(f"sources {one}" for one in ("list", "check", "try")),
        *(f"dead-letters {one}" for one in ("list", "show", "requeue", "drop")),
        *(f"quarantine {one}" for one in ("list", "show", "fix", "replay", "discard")),
        "quarantine restore",
        *(f"quarantine {one}" for one in ("diagnose", "recipe", "recipes", "run")),
        *(f"jobs {one}" for one in ("list", "show", "stop", "go-on")),
        *(f"keys {one}" for one in ("create", "list", "limit", "rotate", "revoke")),
        *(f"people {one}" for one in ("add", "list", "show", "roles", "invite")),
        *(f"people {one}" for one in ("away", "disable", "enable", "password")),
        *("login", "logout"),
    }


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_explains_itself(meshline: CommandLine, words: tuple[str, ...]) -> None:
    ran = meshline(*words, "--help")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Usage: meshline")
    assert max(map(len, ran.out.splitlines())) <= 80


def test_help_loads_nothing_that_is_slow_to_load() -> None:
    program = """
import sys
from orchestrator.cli.terminal.failures import run
from orchestrator.cli.main import app
run(app, ["--help"])
print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    loaded = set(done.stderr.split())
    assert "typer" in loaded
    assert not loaded & {
        *("sqlalchemy", "alembic", "psycopg", "celery", "kombu", "flower", "aiohttp", "starlette"),
        *("uvicorn", "pydantic", "pydantic_settings", "jsonschema_rs", "cel_expr_python", "rich"),
    }


@pytest.mark.parametrize("words", [(), ("workflow",), ("quarantine",)], ids=" ".join)
def test_a_group_alone_answers_with_its_help(meshline: CommandLine, words: tuple[str, ...]) -> None:
    ran = meshline(*words)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Usage: meshline")
