"""A test that does not run is told of, and in CI it needs a reason that is known."""

from __future__ import annotations

import pytest

from tests.account import is_accepted

pytest_plugins = ("pytester",)

FILE = """
import pytest

def test_that_passes():
    pass

def test_that_is_skipped():
    pytest.skip("the moon is not here")

def test_that_runs_in_part(record_property):
    record_property("left out", "tides: the moon is not here")
"""


@pytest.mark.parametrize(("ci", "failed", "errors"), [("", 0, 0), ("true", 1, 1)])
def test_what_is_left_out_fails_in_ci_only(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, failed: int, errors: int
) -> None:
    monkeypatch.setenv("CI", ci)
    pytester.makepyfile(FILE)

    run = pytester.runpytest_inprocess("-p", "tests.account", "-k", "not passes")

    run.assert_outcomes(passed=1, skipped=1 - failed, failed=failed, errors=errors, deselected=1)
    run.stdout.fnmatch_lines(["*all: 2 of 3 tests are in this run", "not run: 1, as *a part*"])
    run.stdout.fnmatch_lines_random(["*the moon is not here"])


def test_a_file_that_leaves_itself_out_fails_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile("import pytest\npytest.skip('gone', allow_module_level=True)")

    pytester.runpytest_inprocess("-p", "tests.account").assert_outcomes(errors=1)


def test_a_known_reason_counts_for_the_tests_that_it_names_alone() -> None:
    reason = "only root needs another user's eyes"

    assert is_accepted("tests/embedded/test_postgres.py::test_x", reason)
    assert not is_accepted("tests/embedded/test_postgres.py::test_x", "there is no PostgreSQL")
    assert not is_accepted("tests/unit/pipeline/test_route.py::test_x", reason)
