"""A listing is quick: none loads what only other commands need, and the benchmark has them all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from benchmarks.cli import LISTINGS
from orchestrator.cli.main import app
from tests.cli.desk import CommandLine, held_lead, late_lead
from tests.leads import TEXT, publish_leads

PROJECT = Path(__file__).parents[3]
OF_FILES = {"connectors list", "sources list"}  # definitions, for which they load models
SLOW = {
    *("alembic", "aiohttp", "argparse", "celery", "cel_expr_python", "email_validator"),
    *("jsonschema_rs", "kombu", "psycopg", "pydantic", "pydantic_settings", "rapidfuzz", "rich"),
    *("ruamel", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "starlette", "uvicorn"),
    *(
        "orchestrator.domain.workflows.compiled",
        "orchestrator.domain.workflows.workflow",
        "orchestrator.settings",
    ),
}
HOURS = """{zone: Europe/Berlin, hours: {mon-sun: "00:00-24:00"}}"""
EACH_IN_TURN = """
import json, sys
from orchestrator.cli.main import main

for words in sys.argv[1:]:
    known = set(sys.modules)
    sys.argv = ["meshline", *words.split()]
    try:
        main()
    except SystemExit as ended:
        print("LOADED", json.dumps([words, ended.code, list(set(sys.modules) - known)]))
"""


def loaded_by(*listings: str) -> dict[str, set[str]]:
    """What each of these commands loads that none before it did."""
    done = subprocess.run(
        [sys.executable, "-c", EACH_IN_TURN, *listings],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = {}
    for line in done.stdout.splitlines():
        if line.startswith("LOADED "):
            words, code, modules = json.loads(line.removeprefix("LOADED "))
            assert code == 0, (words, done.stderr)
            found[words] = set(modules)
    return found


def every_listing(command: Any, *words: str) -> Iterator[str]:
    """The commands that list something: they are called so, or have a limit and show not one."""
    for name, one in getattr(command, "commands", {}).items():
        yield from every_listing(one, *words, name)
    limited = any(one.name == "limit" for one in command.params)
    if words and (words[-1] == "list" or (limited and words[-1] != "show")):
        yield " ".join(words)


def test_the_benchmark_measures_every_listing() -> None:
    assert set(every_listing(get_command(app))) <= set(LISTINGS)


def test_no_listing_on_sqlite_loads_what_it_does_not_need(meshline: CommandLine) -> None:
    promises = TEXT.replace("72h}", f"72h, success_rate: {{at_least: 95%}}, calendar: {HOURS}}}")
    assert promises != TEXT
    late_lead(meshline)
    held_lead(meshline, "fake")
    with meshline.store() as store:
        publish_leads(store, promises)
    filtered = "quarantine list --limit 5 --reason contract_violation --client acme"

    listings = {*LISTINGS, filtered} - OF_FILES

    loaded = loaded_by(*sorted(listings))

    assert set(loaded) == listings
    slow = {words: SLOW & modules for words, modules in loaded.items()}
    assert not {words: modules for words, modules in slow.items() if modules}
    assert "sqlalchemy.dialects.sqlite" in set().union(*loaded.values())


def test_connectors_are_listed_without_a_store_and_without_settings(meshline: CommandLine) -> None:
    (loaded,) = loaded_by("connectors list").values()

    assert not (SLOW - {"pydantic", "ruamel"} | {"asyncio", "sqlalchemy"}) & loaded


def test_no_listing_loads_plugins_of_pydantic(
    meshline: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = meshline.folder / "slow-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Name: slow\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[pydantic]\nslow = slow:plugin\n")
    (meshline.folder / "slow.py").write_text("plugin = None\n")
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS", raising=False)

    (loaded,) = loaded_by("connectors list").values()  # `-c` looks in its folder first

    assert "pydantic" in loaded
    assert "slow" not in loaded


def test_at_its_end_a_command_does_not_look_through_all_that_it_loaded() -> None:
    program = """
import gc, sys
from orchestrator.cli.main import main
sys.argv = ["meshline", "--version"]
try:
    main()
except SystemExit:
    print(len(gc.get_objects()) < gc.get_freeze_count())
"""

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "True"
