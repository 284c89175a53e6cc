from __future__ import annotations

import pytest

from orchestrator.domain.documents import strict_yaml


def test_scalars_are_read_as_yaml_1_2_has_them() -> None:
    document = strict_yaml.parse(
        "[yes, no, true, 1, 0o17, 0x1f, 1.5, 1e3, ~, null, '1', 2026-01-01, 1_000, 12:30]"
    )

    assert document.faults == []
    assert document.value == [
        "yes", "no", True, 1, 15, 31, 1.5, 1000.0, None, None, "1", "2026-01-01", "1_000", "12:30",
    ]  # fmt: skip


def test_every_place_has_its_line_and_a_place_that_is_not_there_has_that_around_it() -> None:
    document = strict_yaml.parse("a: 1\nb:\n  - x: 2\n    y: 3\n  - 4\n")

    assert document.value == {"a": 1, "b": [{"x": 2, "y": 3}, 4]}
    assert document.line("b.0.y") == 4
    assert document.line("b.1") == 5
    assert document.line("b.0.z.w") == 3
    assert document.line("c") == 1


@pytest.mark.parametrize(
    ("text", "line", "path", "problem"),
    [
        ("a: 1\nb: [1\nc: 2", 3, "", "comma is missing"),
        ("a: 1\n---\nb: 2", 2, "", "second document"),
        ("a: *nowhere", 1, "", "read as an alias"),
        ("a: \x01", 1, "", "the character #x0001"),
        ("a: 1\nb: 2\na: 3", 3, "a", "comes twice"),
        ("a: !secret 1", 1, "a", "!secret"),
        ("a: !!python/object:os.system x", 1, "a", "python/object"),
        ("a: !!set {x, y}", 1, "a", "set"),
        ("a: .nan", 1, "a", "not a JSON number"),
        ("a: 1e999", 1, "a", "not a JSON number"),
        ("a: 18446744073709551616", 1, "a", "not a JSON number"),
        ('a: "\\ud800"', 1, "a", "half of a surrogate pair"),
        ('a: {"\\udc00": 1}', 1, "a", "half of a surrogate pair"),
        ("1: a", 1, "", "not a string"),
        ("a: {true: b}", 1, "a", "not a string"),
        ("[a]: b", 1, "", "must be a string"),
        ("a: &x {b: 1}\nc: {<<: *x}", 2, "c", "merge keys"),
        ("a: &x [*x]", 1, "a.0", "too much"),
        ("[" * 600, 1, "", "too deep"),
        ("a: 1\n" + "b: " + "[" * 20_000, 2, "", "too deep"),
        ("\n".join(f"k{n}: &a{n} x" for n in range(30_000)), 10_000, "", "more than 20,000 keys"),
        ("a: [" + "1," * 300_000 + "1]", 1, "", "more than 20,000 keys"),
        ("a: >\n" + " x\n" * 300_000, 50_001, "", "300,001 line breaks"),
        ("a: >\n" + "  x\x85" * 200_000, 50_001, "", "200,001 line breaks"),
        ("a: 1\n" + "k" * 300 + ": 1", 2, "", "this key has 300 characters"),
        ("a" * 1_100_000, 1, "", "larger than 1 MiB"),
    ],
)
def test_what_is_not_json_is_a_fault_with_its_line(
    text: str, line: int, path: str, problem: str
) -> None:
    (fault,) = strict_yaml.parse(text).faults

    assert (fault.line, fault.path) == (line, path)
    assert problem in fault.problem
    assert fault.fix


def test_a_few_lines_of_aliases_do_not_unfold_into_millions_of_values() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )

    (fault,) = strict_yaml.parse(bomb).faults

    assert "too much" in fault.problem


def test_the_rest_is_read_where_one_part_is_wrong() -> None:
    document = strict_yaml.parse("a: .inf\nb: 2\nb: 3\nc: !x 4\nd: 5")

    assert document.value == {"a": None, "b": 2, "c": None, "d": 5}
    assert [fault.line for fault in document.faults] == [1, 3, 4]


def test_of_a_thousand_faults_the_first_hundred_are_told() -> None:
    assert len(strict_yaml.parse("a: 1\n" * 1_000).faults) == 100


def test_a_name_that_is_anchored_twice_is_the_later_one() -> None:
    assert strict_yaml.parse("a: &x 1\nb: &x 2\nc: *x").value == {"a": 1, "b": 2, "c": 2}


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 400, "0x" + "f" * 400, "1" * 3_999])
def test_a_number_of_any_length_is_a_fault_and_is_not_repeated_whole(number: str) -> None:
    (fault,) = strict_yaml.parse(f"a: {number}").faults

    assert fault.problem.endswith("is not a JSON number") and len(fault.problem) < 100
