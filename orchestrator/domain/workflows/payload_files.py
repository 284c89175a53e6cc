"""Payloads of tests in files of their own, beside the workflow's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestrator.domain.documents import strict_json
from orchestrator.domain.documents.files_beside import FIX, read_beside
from orchestrator.domain.errors import Fault, InvalidJson, PayloadTooLarge
from orchestrator.domain.workflows.tests import MOST_TESTS

LARGEST = 1_048_576  # bytes of one payload
LARGEST_TOGETHER = 16 * 1_048_576
_MOST_VALUES = 100_000
_DEEPEST = 64


def with_payloads(raw: object, folder: Path | None) -> tuple[object, list[Fault]]:
    """`tests:` with the payload of each `file:` read from `folder`, and what kept it from that.

    What is not of the right shape is left as it is: the model says so.
    """
    if not isinstance(raw, list):
        return raw, []
    faults: list[Fault] = []
    read, left = [], LARGEST_TOGETHER
    for place, test in enumerate(raw[: MOST_TESTS + 1]):
        if isinstance(test, dict) and isinstance(file := test.get("file"), str):
            try:
                payload, size = _payload(test, file, folder, left)
            except _Unreadable as error:
                payload, size = None, 0
                path = f"tests.{place}.file"
                faults.append(Fault(path=path, problem=error.problem, fix=error.fix))
            left -= size
            read.append({**test, "payload": payload})
        else:
            read.append(test)
    return read, faults


class _Unreadable(Exception):
    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem, self.fix = problem, fix


def _payload(
    test: Mapping[str, object], file: str, folder: Path | None, left: int
) -> tuple[object, int]:
    """The payload and its bytes. Raises _Unreadable."""
    if "payload" in test:
        raise _Unreadable("the test has a payload already", "write `payload` or `file`")
    try:
        body = read_beside(file, folder, LARGEST)
        if len(body) > left:
            problem = f"with {file} the payloads of all tests are larger than 16 MiB"
            raise _Unreadable(problem, "test with smaller payloads")
        payload = strict_json.loads(body, max_depth=_DEEPEST, most_values=_MOST_VALUES, field=file)
    except InvalidJson as error:
        raise _Unreadable(f"{file}: {error.detail}", error.fix or "write JSON") from None
    except PayloadTooLarge as error:
        raise _Unreadable(f"{file}: {error.detail}", "test with a smaller payload") from None
    except OSError as error:
        problem = f"{file} cannot be read: {error.strerror or error}"
        raise _Unreadable(problem, FIX) from None
    except ValueError as error:
        raise _Unreadable(str(error), FIX) from None
    return payload, len(body)
