"""The house keeps its own rules."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def pins(lock: str) -> dict[str, str]:
    """Package and version of each line that pins one."""
    return dict(re.findall(r"(?m)^([a-z0-9.-]+)==([^\s;\\]+)", (ROOT / lock).read_text()))


def test_imports_go_down_the_floor_plan_only() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_every_folder_of_connectors_is_on_a_floor() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    kept = {
        layer
        for contract in contracts["contracts"]
        for layers in contract.get("layers", ())
        for layer in layers.split(" | ")
    }

    folders = {path.parent.name for path in (ROOT / "connectors").glob("*/__init__.py")}

    assert {f"connectors.{name}" for name in folders} <= kept


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_by_hash_and_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"(?m)^(?=[a-z])", text)[1:]

    assert len(entries) > 40
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "-url" not in text


def test_the_tests_run_on_what_is_shipped() -> None:
    shipped, tested = pins("requirements.lock"), pins("requirements-dev.lock")

    assert shipped.items() <= tested.items()


def test_every_requirement_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]

    def names(requirements: list[str]) -> set[str]:
        found = {re.split(r"[\[<>=;]", one)[0].strip() for one in requirements}
        return {name.replace(".", "-") for name in found} - {"meshline"}

    runtime = names([*project["dependencies"], *extras["embedded"], *extras["build"]])
    assert runtime <= pins("requirements.lock").keys()
    assert runtime | names(extras["dev"]) <= pins("requirements-dev.lock").keys()


def test_the_server_and_the_sdk_have_one_version() -> None:
    server = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    sdk = tomllib.loads((ROOT / "sdk" / "pyproject.toml").read_text())["project"]

    assert f"meshline=={sdk['version']}" in server["dependencies"]
    assert server["version"] == sdk["version"]
    assert sdk["dependencies"] == []


def test_both_packages_say_what_they_are_and_bring_their_licence() -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert "Apache License" in licence and "END OF TERMS AND CONDITIONS" in licence
    for folder in (ROOT, ROOT / "sdk"):
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]

        assert project["license"] == "Apache-2.0"
        assert [(folder / one).read_text() for one in project["license-files"]] == [licence]
        assert (folder / project["readme"]).is_file()
        assert all(project[part] for part in ("description", "authors", "keywords", "classifiers"))


def test_make_explains_itself_and_its_targets_exist() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)

    explained = set(re.findall(r"(?m)^  make ([\w-]+)", done.stdout))
    phony = re.search(r"(?m)^\.PHONY: (.*)$", (ROOT / "Makefile").read_text())
    assert phony
    assert explained == set(phony[1].split())
    assert {"demo", "test", "check", "bench", "up"} <= explained


MOST_LINES = 40  # of a body: neither its signature nor its docstring count

LONG = {
    "orchestrator/settings.py celery_config": "one table of settings, each with its reason",
    "orchestrator/api/metrics.py __init__": "one line per metric",
    "orchestrator/api/app.py build_app": "one line per address of the door",
}
"""Functions that may be longer, with the reason."""


def test_no_function_is_long_without_a_reason() -> None:
    long = {
        f"{path.relative_to(ROOT).as_posix()} {node.name}"
        for folder in ("orchestrator", "workers", "connectors", "sdk", "tools")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts  # they are never changed
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _lines(node) > MOST_LINES
    }

    assert long == LONG.keys()


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


MOST_MODULES = 18  # of a folder: what somebody can still read as a list

CROWDED = {
    "orchestrator/store/migrations/versions": "one file a migration, and none is ever taken away",
}
"""Folders that may hold more modules, with the reason."""


def test_no_folder_holds_more_modules_than_can_be_read_as_a_list() -> None:
    modules = Counter(
        path.parent.relative_to(ROOT).as_posix()
        for folder in (
            "orchestrator",
            "workers",
            "connectors",
            "sdk",
            "tests",
            "tools",
            "benchmarks",
        )
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "__init__.py"
    )
    crowded = {folder: count for folder, count in modules.items() if count > MOST_MODULES}

    assert crowded.keys() <= CROWDED.keys(), f"divide {crowded}"


def test_what_tests_share_is_not_in_a_test() -> None:
    """Else a test that is moved or left out takes others with it, and its fixtures run for them."""
    shared = re.compile(r"(?m)^\s*(?:from|import) (tests(?:\.\w+)*\.test_\w+)")
    found = {
        f"{path.relative_to(ROOT)} imports {module}"
        for folder in ("tests", "tools", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        for module in shared.findall(path.read_text())
    }

    assert found == set(), "move what is shared into a module beside it"
