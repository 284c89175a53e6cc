"""Processes that share a login whose refresh tokens are taken once; one of them is killed."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.store.database.engine import Store
from tests.servers.rotating import FIRST, SECRETS, Provider, rotating_provider

KEY = base64.b64encode(bytes(range(32))).decode()
ROOT = Path(__file__).parents[3]

Started = subprocess.Popen[str]
pytestmark = pytest.mark.processes


@pytest.fixture
def provider() -> Iterator[Provider]:
    with rotating_provider() as provider:
        yield provider


@pytest.fixture
def start(provider: Provider, store: Store, tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Starts a process that waits for a line before it calls."""
    file = tmp_path / "tool.yaml"
    file.write_text(provider.definition())
    started: list[Started] = []

    def start(*, lease: float = 30, calls: int = 1) -> Started:
        url = store.url.render_as_string(hide_password=False)
        told = (url, KEY, str(file), str(lease), str(calls))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.destinations.refresher", *told],
            cwd=ROOT,
            env={**os.environ, **SECRETS},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def go(process: Started) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def end_of(process: Started) -> str:
    said, complained = process.communicate(timeout=60)
    return said + complained


def test_processes_that_refresh_at_once_never_show_an_old_refresh_token(
    provider: Provider, start: Callable[..., Started]
) -> None:
    provider.seconds = 0.05  # each of their calls is likely to need another token
    processes = [start(calls=10) for _ in range(3)]

    for process in processes:
        go(process)

    assert [end_of(process) for process in processes] == ["done\n"] * 3
    assert len(provider.shown) == len(set(provider.shown)) >= 2
    assert (provider.ended, provider.taken) == (False, 30)


def test_who_waits_for_a_refresher_that_was_killed_goes_on_when_its_lease_is_over(
    provider: Provider, start: Callable[..., Started]
) -> None:
    first, second = start(lease=3), start()
    provider.wait.clear()
    provider.forgets_waiting = True
    go(first)
    assert provider.asked.wait(20)
    first.kill()
    first.wait()
    provider.wait.set()

    go(second)

    assert end_of(second) == "done\n"
    assert provider.shown == [FIRST, FIRST]  # the provider had not taken it
    assert provider.taken == 1


def test_who_waits_for_a_refresher_that_lives_takes_what_it_brings(
    provider: Provider, start: Callable[..., Started]
) -> None:
    first, second = start(), start()
    provider.wait.clear()
    go(first)
    assert provider.asked.wait(20)

    go(second)
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1)
    provider.wait.set()

    assert (end_of(first), end_of(second)) == ("done\n", "done\n")
    assert (provider.shown, provider.taken) == ([FIRST], 2)
