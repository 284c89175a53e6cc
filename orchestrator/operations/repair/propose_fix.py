"""Propose the commands that would mend what a diagnosis found; a person looks, and runs them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from orchestrator.domain.drift.finding import ChangeKind, Finding

_OPTIONS = {ChangeKind.RENAMED: "--rename", ChangeKind.MOVED: "--move"}


def propose_fix(
    number: int,
    findings: Sequence[Finding],
    *,
    saved: int | None = None,
    only_replay: bool = False,
) -> list[str]:
    """The commands for an incident, in order; none where no finding says by itself what to do.

    A field that has another name or place is brought back, unless a command line cannot say its
    name. What a missing value should be, or a new one mean, nobody but a person knows; where one
    said it before, that is the recipe `saved`. Mended events are only to be replayed.
    """
    replay = f"meshline quarantine replay --incident {number} --plan"
    if only_replay:
        return [replay]
    steps = proposed_options(findings) if saved is None else ["--saved", str(saved)]
    if not steps:
        return []
    recipe = ["meshline", "quarantine", "recipe", "--incident", str(number), *steps]
    return [
        shlex.join([*recipe, "--preview"]),
        shlex.join([*recipe, "--apply"]),
        shlex.join([*recipe, "--publish"]),
        replay,
    ]


def proposed_options(findings: Sequence[Finding]) -> list[str]:
    """The steps that findings suggest, as options of `meshline quarantine recipe`, word by word."""
    return [
        word
        for one in findings
        if one.kind in _OPTIONS and one.to and "=" not in one.to
        for word in (_OPTIONS[one.kind], f"{one.to}={one.path}")
    ]
