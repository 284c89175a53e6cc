"""The words are held against the code: what they name exists, and what they show works."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from connectors.definition_file import parse_definition
from connectors.registry import catalog, load_connectors
from orchestrator.api.metrics import Metrics
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.heartbeats import ProcessKind
from orchestrator.domain.incidents.advice import ADVICE, BLOCKED, Step, advise
from orchestrator.domain.incidents.incident import HELD
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.settings import Settings
from orchestrator.store.database.schema import metadata
from tests.house.pages import EXAMPLE, ROOT, blocks, marked, rows_of, text_of
from tools.docs import PAGES, PARTS, render
from tools.docs.settings import OTHERS

WRITTEN = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "sdk/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
CODE = sorted(
    path
    for folder in ("orchestrator", "workers", "connectors", "sdk", "workflows")
    for ending in ("py", "yaml", "html")
    for path in (ROOT / folder).rglob(f"*.{ending}")
)

EXTEND = "docs/howto/extend/"
"""Pages that name what they add themselves: tests/howto/test_extending.py follows each."""

pages = pytest.mark.parametrize("page", WRITTEN)
present = pytest.mark.parametrize("page", [one for one in WRITTEN if not one.startswith(EXTEND)])
"""Pages that name only what there is."""


def prose(page: str) -> str:
    """A page without its fences."""
    return re.sub(r"(?ms)^```.*?^```$", "", text_of(page))


def code_of(page: str) -> list[str]:
    """Every command line and every word that a page sets as code."""
    lines = [
        line for block in blocks(page, "sh") for line in block.replace("\\\n", " ").splitlines()
    ]
    return lines + re.findall(r"`([^`\n]+)`", prose(page))


# What the pages name


@pytest.mark.parametrize("page", [*PAGES, *PARTS])
def test_a_generated_page_is_what_its_source_says_now(page: str) -> None:
    assert text_of(page) == render(page, text_of(page)), "run `make docs`"


def links_of(page: str) -> Iterator[tuple[str, Path, str]]:
    """Each link of a page that leads into the project: as written, its file, its anchor."""
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not re.match(r"[a-z]+:", link):
            file, _, anchor = link.partition("#")
            yield link, ((ROOT / page).parent / file if file else ROOT / page).resolve(), anchor


@pages
def test_every_link_leads_somewhere(page: str) -> None:
    for link, target, anchor in links_of(page):
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.relative_to(ROOT).as_posix()), link


def anchors(page: str) -> set[str]:
    headings = re.findall(r"(?m)^#+ (.+)$", prose(page))
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_every_page_is_reached_from_the_index() -> None:
    reached, ahead = set(), ["docs/README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            targets = (target.relative_to(ROOT).as_posix() for _, target, _ in links_of(page))
            ahead += [one for one in targets if one.startswith("docs/") and one.endswith(".md")]

    assert {page for page in WRITTEN if page.startswith("docs/")} - reached == set()


@present
def test_every_command_is_one_of_ours(page: str) -> None:
    for line in code_of(page):
        for words in commands_in(line):
            check_command(words, line)


def commands_in(line: str) -> Iterator[list[str]]:
    """The words after each `meshline` that begins a command."""
    begins = r"(?:^|&& |\| |migrate |exec door )(?:\.venv/bin/)?meshline "
    if line.startswith("docker compose"):
        begins = r"(?:migrate|exec door meshline) "
    for match in re.finditer(begins, line):
        rest = re.split(r" (?:&&|\|) ", line[match.end() :])[0]
        yield shlex.split(rest, comments=True)


def check_command(words: list[str], line: str) -> None:
    command = all_commands()
    while words and (below := getattr(command, "commands", None)):
        if words[0].startswith("-"):
            break
        assert words[0] in below, f"there is no command {words[0]!r}: {line}"
        command = below[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    known |= {"--help", "--version"}
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"there is no option {word}: {line}"


@cache
def all_commands() -> Any:
    """The whole command line; to build it takes a quarter of a second."""
    from orchestrator.cli.main import app

    return typer.main.get_command(app)


@pytest.mark.parametrize("steps", [*ADVICE.items(), *BLOCKED.items()], ids=lambda one: one[0])
def test_every_command_of_the_advice_is_one_of_ours(steps: tuple[str, tuple[Step, ...]]) -> None:
    blockers = {"desk": steps[0]} if steps[0] in BLOCKED else None
    reason = HELD if blockers else steps[0]
    for by in ({"incident": 7}, {"event_id": "an-event"}):
        told = advise(reason, client="a", workflow="b", blockers=blockers, **by)
        assert any(one.command for one in told), reason
        for line in filter(None, (one.command for one in told)):
            [words] = commands_in(line)
            check_command(words, line)


@pages
def test_every_make_target_exists(page: str) -> None:
    targets = set(re.findall(r"(?m)^([a-z][a-z-]*):", text_of("Makefile")))
    named = [
        found
        for line in code_of(page)
        for found in re.findall(r"(?:^|&& )make ([a-z][a-z-]*)", line)
    ]

    assert set(named) <= targets


@present
def test_every_variable_is_read_somewhere(page: str) -> None:
    named = set(re.findall(r"\bMESHLINE_[A-Z_]*[A-Z]", text_of(page)))
    shipped = {
        name
        for path in (ROOT / "connectors" / "definitions").glob("*.yaml")
        for name in re.findall(r"env:(MESHLINE_\w+)", path.read_text("utf-8"))
    }

    known = {f"MESHLINE_{name.upper()}" for name in Settings.model_fields}
    assert named <= known | OTHERS.keys() | shipped


@pytest.mark.parametrize("name", OTHERS)
def test_a_variable_that_is_no_setting_is_read_by_the_code(name: str) -> None:
    assert any(re.search(rf"(env:|\"){name}\b", path.read_text("utf-8")) for path in CODE)


@present
def test_every_file_that_is_named_exists(page: str) -> None:
    for word in code_of(page):
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?(::\w+)?", word) and not word.startswith("."):
            top = word.partition("/")[0]
            if (ROOT / top).is_dir():
                assert (ROOT / word.partition("::")[0]).exists(), word


def test_every_proof_is_a_test() -> None:
    named = re.findall(
        r"`((?:tests|connectors)/[\w/]+\.py)::(\w+)`", text_of("docs/explanation/durability.md")
    )

    assert len(named) > 20
    for file, test in named:
        assert re.search(rf"^ *(async )?def {test}\(", text_of(file), re.MULTILINE), test


def test_every_page_that_the_code_names_exists() -> None:
    for path in CODE:
        for name in re.findall(r"docs/[\w/-]+\.md", path.read_text("utf-8")):
            assert (ROOT / name).exists(), f"{path.relative_to(ROOT)} names {name}"


def test_the_readme_is_read_in_minutes_and_its_picture_is_small() -> None:
    assert len(text_of("README.md").splitlines()) < 120
    for picture in (ROOT / "docs" / "pictures").iterdir():
        assert picture.stat().st_size < 150_000, picture.name
        assert f"docs/pictures/{picture.name}" in text_of("README.md")


# What the pages list


def test_the_floor_plan_is_the_one_that_the_linter_keeps() -> None:
    contracts = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    kept = [layer.split(" | ") for one in contracts for layer in one.get("layers", ())]
    headings = ("The floor plan", "Floors inside the layers")
    rows = [row for heading in headings for row in rows_of("ARCHITECTURE.md", heading)]
    drawn = [marked(row[0]) for row in rows]

    assert drawn == kept


def test_every_table_is_told_of() -> None:
    told = [marked(row[0])[0] for row in rows_of("ARCHITECTURE.md", "The tables")]

    assert sorted(told) == sorted([*metadata.tables, "alembic_version"])


def test_every_reason_has_its_advice() -> None:
    told = [marked(row[0])[0] for row in rows_of("docs/reference/reasons.md", "The table")]

    assert told == [reason.value for reason in Reason]


def test_every_check_of_the_doctor_is_explained() -> None:
    told = [name for row in rows_of("docs/howto/read-the-doctor.md", "The checks")
            for name in marked(row[0])]  # fmt: skip
    checks = {
        name
        for path in (ROOT / "orchestrator" / "cli" / "doctor").glob("*.py")
        for name in re.findall(
            r'\b(?:ok|attention|broken)\(\s*"([a-z -]+)"', path.read_text("utf-8")
        )
    }

    assert sorted(told) == sorted(checks | set(ProcessKind))


def test_every_key_of_a_workflow_is_told_of() -> None:
    told = {marked(row[0])[0] for row in rows_of("docs/reference/workflow-file.md", "The keys")}
    known = {field.alias or name for name, field in Workflow.model_fields.items()}

    assert told == known - {"trigger"} | {"trigger.type"}


def test_every_metric_is_told_of() -> None:
    told = {marked(row[0])[0] for row in rows_of("docs/reference/http.md", "Metrics")}
    shown = re.findall(r"(?m)^# TYPE (meshline_\w+?)(?:_total)? ", Metrics().render(None).decode())

    assert told == {name for name in shown if not name.endswith("_created")}


def test_what_an_answer_means_is_told_as_the_code_has_it() -> None:
    table = re.findall(r"(?m)^\| .*\|$", text_of("connectors/http/answers.py"))

    assert len(table) > 8
    assert "\n".join(table[2:]) in text_of("docs/reference/connectors.md")


def test_every_decision_is_listed() -> None:
    decisions = sorted(path.name for path in ROOT.glob("docs/explanation/adr/0*.md"))

    assert re.findall(r"\((0[\w-]+\.md)\)", text_of("docs/explanation/adr/README.md")) == decisions
    for name in decisions:
        headings = re.findall(r"(?m)^## (.+)$", text_of(f"docs/explanation/adr/{name}"))
        assert headings == ["Context", "Decision", "Consequences"], name


# What the pages show


def workflow_of(block: str, folder: Path) -> Workflow:
    """A whole workflow, or parts of one put into the example."""
    parts: dict[str, Any] = YAML(typ="safe").load(block)
    whole = parts if "workflow" in parts else YAML(typ="safe").load(EXAMPLE) | parts
    text = json.dumps(whole) if "workflow" not in parts else block
    actions = catalog(load_connectors(ROOT / "workflows" / "connectors"))
    return parse_workflow(text, name="leads.yaml", folder=folder, catalog=actions)


@pytest.mark.parametrize("block", blocks("docs/reference/workflow-file.md", "yaml"))
def test_what_the_page_of_the_workflow_file_shows_is_what_it_says(
    block: str, tmp_path: Path
) -> None:
    contract = YAML(typ="safe").load(EXAMPLE)["contract"]
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "leads.json").write_text(json.dumps({"$defs": {"lead": contract}}))
    faults: list[str] = []
    try:
        workflow_of(block, tmp_path)
    except InvalidFile as error:
        faults = [f"leads.yaml:{one.line}: {one.path}: {one.problem}; {one.fix}"
                  for one in error.faults]  # fmt: skip

    (told,) = blocks("docs/reference/workflow-file.md", "text")
    assert faults in ([], told.splitlines())
    assert bool(faults) == ("upsert_contcat" in block)


def test_the_readme_shows_the_example_as_it_is() -> None:
    shown = blocks("README.md", "yaml")

    assert shown
    for part in shown:
        assert part in EXAMPLE.read_text("utf-8")


@pytest.mark.parametrize("block", blocks("docs/reference/connectors.md", "yaml"))
def test_a_definition_on_the_page_of_connectors_is_right(block: str) -> None:
    parse_definition(block, name="shown.yaml")


@pages
def test_python_and_json_can_be_read(page: str) -> None:
    for block in blocks(page, "python"):
        compile(block, page, "exec")
    for block in blocks(page, "json"):
        json.loads(block)


def test_the_sdks_test_helper_does_what_its_page_shows() -> None:
    *_, shown = blocks("docs/reference/sdk.md", "python")

    exec(compile(shown, "docs/reference/sdk.md", "exec"), {})
