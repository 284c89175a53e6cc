"""The sets of real changes below a folder; their form is in benchmarks/README.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File

from benchmarks.drift.cases import Case
from benchmarks.drift.real.described import described
from benchmarks.drift.real.payloads import payload_cases
from benchmarks.drift.real.versions import document_pairs, version_cases

_DEEPEST = 3


def real_sets(folder: File, depth: int = 0) -> Iterator[tuple[str, Iterator[Case]]]:
    """Each set with its name and cases; a folder that is no set is looked into."""
    one = described(folder)
    if one.before and one.after:
        yield folder.name, payload_cases(one)
        return
    pairs = document_pairs(folder)
    for before, after in pairs:
        title = f"{folder.name}, {before.version} to {after.version}"
        yield title, version_cases(before, after, one)
    if not pairs and depth < _DEEPEST:
        for inner in sorted(each for each in folder.iterdir() if each.is_dir()):
            yield from real_sets(inner, depth + 1)
