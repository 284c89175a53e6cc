"""The variables `MESHLINE_…` of a process: settings, what definitions name, and the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from orchestrator.domain.errors import StartupFailed
from orchestrator.domain.setting_names import nearest_setting

PREFIX = "MESHLINE_"
_OTHERS = frozenset({"MESHLINE_KEY", "MESHLINE_DEBUG", "MESHLINE_ACTOR"})  # read without settings
_SHIPPED = Path(__file__).parents[1] / "connectors" / "definitions"


def check_names(settings: Collection[str], *, files: Collection[Path]) -> None:
    """Look for variables that were meant for a setting. Raises StartupFailed that names both."""
    for name in unknown_variables(settings, files=files):
        nearest = nearest_setting(
            name.upper().removeprefix(PREFIX), [one.upper() for one in settings]
        )
        if nearest:
            raise StartupFailed(
                f"{name} is not a setting, and no definition names it: write {PREFIX}{nearest},"
                " or unset it"
            )


def unknown_variables(
    settings: Collection[str],
    *,
    files: Collection[Path],
    environment: Mapping[str, str] = os.environ,
) -> list[str]:
    """The variables with our prefix that are neither a setting nor named in one of the files.

    `files` are connector definitions, folders of them, or contacts; those that are shipped count
    too. A variable that is empty sets nothing, and is left out.
    """
    known = {f"{PREFIX}{one.upper()}" for one in settings} | _OTHERS
    unknown = [
        name
        for name, value in environment.items()
        if value and name.upper().startswith(PREFIX) and name.upper() not in known
    ]
    if not unknown:
        return []
    named = set(re.findall(rf"(?i)\b{PREFIX}\w+", "\n".join(_texts((_SHIPPED, *files)))))
    return sorted(set(unknown) - named)


def _texts(places: Collection[Path]) -> Iterator[str]:
    for place in places:
        for file in sorted(place.glob("*.y*ml")) if place.is_dir() else [place]:
            try:
                yield file.read_text("utf-8", errors="replace")
            except OSError:
                continue  # whoever needs the file says so
