"""The prose linter: turns of phrase that stop a reader, and what to write instead.

It reads pages, the command line's help, messages, docstrings and templates: `python -m
tools.prose`. It does not read code in a page.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PAGES = ("*.md", "docs/**/*.md", "sdk/*.md", "benchmarks/*.md")
_CODE = ("orchestrator", "workers", "connectors", "sdk/meshline", "tools")
_LEFT_ALONE = ("migrations", "CHANGELOG.md", "prose.py")
_VERB = (
    r"\b(?:is|are|was|were|has|have|may|can|must|does|do|will|comes?|goes|gets|keeps?|needs?"
    r"|takes?|waits?|costs?|counts?)\b"
)
_UNITS = "second|minute|hour|day|week|month|year|while|time"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A turn of phrase, and what a reader understands at once."""

    phrase: str  # a regular expression
    instead: str


RULES = (
    Rule(
        phrase=r"\b(?:is|are|was|were|be) told\b(?! (?:from|apart))",
        instead="say who tells whom, or `says`",
    ),
    Rule(phrase=r"\blet(?:s|ting)? go\b", instead="release"),
    Rule(
        phrase=rf"\b(?:one|once|twice|a (?:line|row|page|file|message)) an? (?!(?:{_UNITS})\b)\w",
        instead="one per …, once per …",
    ),
    Rule(phrase=r"\bbut for\b", instead="except"),
    Rule(
        phrase=r"(?<!there)(?<!nothing)\s(?:is|are|was) no"
        r" (?!longer|more|such|better|other|sooner|less)\w",
        instead="is not a …",
    ),
    Rule(
        phrase=r"\b(?:stands?|stood)\b(?!-ins?\b| for\b| =)"
        r"|\bstanding (?:amendment|at|here|in|ones?|still|there)\b",
        instead="is, is open, is stopped, is in quarantine",
    ),
    Rule(
        phrase=r"\bno more\b(?! than\b| \w+s\b)",
        instead="no longer",
    ),
    Rule(
        phrase=r"(?:(?<=[.!]\s)|(?<=\n\n)|(?<=\n-\s))(?:What|Who|Whoever|Whatever)\b(?![^.!|]*\?)"
        rf"[^.:;?|]*?{_VERB}[^.:;?|]*?{_VERB}",
        instead="a noun as the subject: 'A trigger that …', 'Anybody who …'",
    ),
    Rule(phrase=r"\bmay come again\b", instead="may be repeated"),
    Rule(phrase=r"\bthe soonest first\b", instead="most urgent first"),
    Rule(phrase=r"\bso it is(?: without\b|\.)", instead="say what the default is"),
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A banned phrase in its place."""

    path: str
    line: int
    phrase: str  # with the words around it
    instead: str


def faults() -> Iterator[Fault]:
    """Every banned phrase of the project, by file and line."""
    for pattern in _PAGES:
        for page in sorted(ROOT.glob(pattern)):
            if _is_read(page):
                yield from _faults_of(page, _prose_of(page.read_text("utf-8")), 1)
    for folder in _CODE:
        for path in sorted((ROOT / folder).rglob("*.html")):
            yield from _faults_of(path, re.sub(r"{[{%].*?[%}]}", "x", path.read_text("utf-8")), 1)
        for path in sorted((ROOT / folder).rglob("*.py")):
            if _is_read(path):
                yield from _faults_of_code(path)


def faults_in(text: str) -> Iterator[tuple[int, str, Rule]]:
    """The banned phrases of a text: line from 0, the words around it, and the rule."""
    for rule in RULES:
        for found in re.finditer(rule.phrase.replace(" ", r"\s+"), text, re.IGNORECASE):
            around = text[max(0, found.start() - 30) : found.end() + 30]
            yield text.count("\n", 0, found.start()), " ".join(around.split()), rule


def _is_read(path: Path) -> bool:
    return not set(path.relative_to(ROOT).parts) & set(_LEFT_ALONE)


def _prose_of(page: str) -> str:
    """A page without its code and the addresses of its links; the lines stay."""

    def blank(found: re.Match[str]) -> str:
        return "\n" * found[0].count("\n")

    without_fences = re.sub(r"(?ms)^```.*?^```$", blank, page)
    return re.sub(r"`[^`\n]*`|(?<=\])\([^)\s]*\)", "x", without_fences)


def _faults_of_code(path: Path) -> Iterator[Fault]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield from _faults_of(path, node.value, node.lineno)


def _faults_of(path: Path, text: str, first: int) -> Iterator[Fault]:
    name = path.relative_to(ROOT).as_posix()
    for line, phrase, rule in faults_in(text):
        yield Fault(path=name, line=first + line, phrase=phrase, instead=rule.instead)


def main() -> int:
    """Print every fault; 1 if there is one."""
    found = list(faults())
    for one in found:
        print(f"{one.path}:{one.line}: … {one.phrase} …: write {one.instead}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
