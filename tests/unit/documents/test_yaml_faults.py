"""What a person reads of a text that is not YAML: its line, and what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.definition_file import read_definition
from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.recipes.file import read_recipe
from orchestrator.domain.workflows.file import read_workflow

PARSERS_WORDS = re.compile(
    r"scalar|flow (mapping|sequence)|block (end|mapping)|token|while scanning"
)


@pytest.mark.parametrize(
    ("text", "line", "problem", "fix"),
    [
        ("a:\n\tb: 1\n", 2, "a tab is where", "spaces"),
        ("a:\n  b: 1\n\tc: 2\n", 3, "a tab is where", "spaces"),
        ("a: New leads: reach\n", 1, "`: `", "quotes"),
        ("a: 1\nb\nc: 2\n", 3, "has no `: `", "`name: value`"),
        ("a: [1, 2\nb: 3\n", 2, "`]` or a comma is missing", "close"),
        ("a: {x: data.a ? 1 : 2}\n", 1, "`}` or a comma is missing", "in quotes"),
        ("a: {x: 1\n", 2, "before the end", "close"),
        ('a: "\\d+"\n', 1, "\\d means nothing", "'...'"),
        ('a: 1\nb: "abc\nc: 1\n', 2, "no closing quote", "write the quote"),
        ("a: *x\n", 1, "begins with *", "quotes"),
        ("a: @x\n", 1, "begins with @", "quotes"),
        ("a: & b\n", 1, "begins with &", "quotes"),
        ('a: "Onboard " + email\n', 1, "goes on after its closing quote", "'\"Onboard \" + email'"),
        ("a:\n    b: 1\n  c: 2\n", 3, "indented otherwise", "one column"),
        ("a: 1\n---\nb: 2\n", 2, "second document", "one document"),
        ("a: {,}\n", 1, "a value is missing", "comma"),
        ("a: > 5\n", 1, "follows > or |", "next lines"),
        ("a: 1\nb: \x07\n", 2, "#x0007", "take it out"),
        ("a: {{ x }}\n", 1, "a key must be a string", "without {{ }}"),
        ("a: 1\n" + "[" * 200 + "]" * 200, 2, "", ""),
        ("a: 1\nb: " + "{a: " * 150 + "1" + "}" * 150, 2, "nests too deep", "100 levels"),
        ("a: 1\nb: " + "x" * 1_100_000, 2, "larger than 1 MiB", "split it"),
    ],
)
def test_a_fault_of_the_text_has_its_line_and_says_what_to_write(
    text: str, line: int, problem: str, fix: str
) -> None:
    (found,) = strict_yaml.parse(text).faults

    assert found.line == line
    assert problem in found.problem
    assert fix in found.fix
    assert not PARSERS_WORDS.search(str(found))


@pytest.mark.parametrize("read", [read_workflow, read_definition, read_recipe])
def test_every_file_says_at_which_line_it_is_not_utf_8_or_becomes_too_large(
    tmp_path: Path, read: object
) -> None:
    for name, raw, line, fix in (
        ("latin.yaml", b"a: 1\nb: 2\ntitle: M\xfcller\n", 3, "save it as UTF-8"),
        ("large.yaml", b"a: 1\nb: " + b"x" * 1_100_000, 2, "split it"),
    ):
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(InvalidFile) as refused:
            read(tmp_path / name)  # type: ignore[operator]

        assert [(one.line, one.fix) for one in refused.value.faults] == [(line, fix)]
