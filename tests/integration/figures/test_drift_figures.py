"""The drift diagnosis on recorded payloads: right often enough, and never wrong on a real break."""

from __future__ import annotations

import itertools

import pytest

from benchmarks.drift.__main__ import PRECISION, REAL_RECALL
from benchmarks.drift.cases import ABSENT, LISTED, NULLS, WIDE, generated
from benchmarks.drift.mutations import MAKERS
from benchmarks.drift.real.sets import real_sets
from benchmarks.drift.recorded import GITHUB, INPUTS
from benchmarks.drift.scores import Scores, scored, table
from orchestrator.domain.drift.finding import ChangeKind

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not GITHUB.is_dir(),
        reason=f"the recorded inputs are not beside this checkout ({INPUTS})",
    ),
]


def test_generated_mutations_are_named_right() -> None:
    scores = Scores()
    for case in generated(65, seed=3):
        scored(scores, case)

    told = "\n".join(table(scores))
    kinds = (ChangeKind.RENAMED, ChangeKind.MOVED, ChangeKind.RETYPED, ChangeKind.NEW_VALUE)
    right, wrong, missed = (
        sum(counts[kind] for kind in kinds)
        for counts in (scores.right, scores.wrong, scores.missed)
    )
    assert right >= 0.95 * (right + wrong), told
    assert right >= 0.85 * (right + missed), told


def test_what_stands_around_a_change_misleads_nobody() -> None:
    around = {label: Scores() for label in (ABSENT, NULLS, LISTED, WIDE)}
    for case in generated(39, seed=11):
        if case.label in around:
            scored(around[case.label], case)

    for label, scores in around.items():
        assert scores.cases, label
        assert not scores.wrong.total() + scores.missed.total(), "\n".join(table(scores))


def test_the_same_seed_is_the_same_cases() -> None:
    first, second = (list(itertools.islice(generated(9, seed=5), 9)) for _ in range(2))

    assert [one.truth for one in first] == [one.truth for one in second]
    assert [one.broken for one in first] == [one.broken for one in second]
    assert {one.label for one in first} >= set(MAKERS)
    assert [one.truth for one in generated(9, seed=6)] != [one.truth for one in first]


@pytest.fixture(scope="module")
def real() -> dict[str, Scores]:
    found: dict[str, Scores] = {}
    for title, cases in real_sets(INPUTS):
        found[title] = Scores()
        for case in cases:
            scored(found[title], case)
    return found


@pytest.mark.parametrize("kind", [one for one in ChangeKind if one is not ChangeKind.UNCLEAR])
def test_of_real_changes_what_is_named_is_right_and_little_is_missed(
    real: dict[str, Scores], kind: ChangeKind
) -> None:
    together = Scores()
    for scores in real.values():
        together.add(scores)

    told = "\n".join(table(together))
    assert together.right[kind] >= 2, told
    assert (together.precision(kind) or 0) >= PRECISION, told
    assert (together.recall(kind) or 0) >= REAL_RECALL[kind], told


def test_where_nothing_was_renamed_or_moved_nothing_is_named_so(real: dict[str, Scores]) -> None:
    scores = real["github-enterprise"]

    assert scores.cases > 40
    assert not scores.wrong[ChangeKind.MOVED] + scores.wrong[ChangeKind.RENAMED]
