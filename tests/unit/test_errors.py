from __future__ import annotations

import inspect

import pytest

from orchestrator.domain import errors
from orchestrator.domain.errors import (
    AlreadyThere,
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    Fault,
    InvalidFile,
    MeshlineError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unauthorized,
)

EVERY = [
    one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, Exception)
]


@pytest.mark.parametrize("error", EVERY)
def test_every_error_is_of_the_one_tree_and_says_when_it_is_raised(error: type[Exception]) -> None:
    assert issubclass(error, MeshlineError)
    assert (error.__doc__ or "").startswith("Raised when ")


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [one.code for one in EVERY if issubclass(one, Refused)]

    assert len(codes) == len(set(codes))


def test_a_refusal_reads_as_field_problem_and_fix() -> None:
    assert (
        str(Refused("it is missing", field="client", fix="add it"))
        == "client: it is missing; add it"
    )
    assert str(Refused("no")) == "no"


def test_only_a_destinations_no_is_permanent() -> None:
    connector = [one for one in EVERY if issubclass(one, ConnectorError)]

    assert {one for one in connector if one.permanent} == {
        DestinationRefused,
        Unauthorized,
        AlreadyThere,
    }
    assert isinstance(RateLimited("later", retry_after=3), DestinationUnavailable)
    assert not issubclass(OutcomeUnknown, DestinationUnavailable)


def test_an_invalid_file_shows_its_first_fault_and_how_many_follow() -> None:
    first = Fault(path="sla", problem="it is missing", fix="add it", line=3)
    second = Fault(path="", problem="it is empty", fix="write it")

    assert str(InvalidFile("a.yaml", [first])) == "a.yaml: line 3: sla: it is missing; add it"
    assert str(InvalidFile("a.yaml", [second, first, first])).endswith(
        "it is empty; write it (and 2 more)"
    )
