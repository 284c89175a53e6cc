"""Pages of the documentation as tests read them: their blocks and their tables."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


EXAMPLE = ROOT / "workflows" / "lead-routing.yaml"


@cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The text in a page's fences of one language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text_of(page))


def rows_of(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, its head left out."""
    section = text_of(page).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"(?m)^\|(.*)\|$", section)[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines]


def marked(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)
