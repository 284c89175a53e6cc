"""What goes wrong while everything runs is said when it begins and when it is over, once each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from orchestrator.domain.heartbeats import ProcessKind
from orchestrator.embedded.troubles import Troubles, looks_at
from orchestrator.settings import Settings
from orchestrator.store.database.clock import after
from orchestrator.store.database.migrate import open_store
from orchestrator.store.database.schema import heartbeats
from orchestrator.store.desk.heartbeats import Pulse
from tests.embedded.full_disk import no_room


class Watched:
    """A store that is looked at, with what was said."""

    def __init__(self, home: Path, broker: str = "redis://127.0.0.1:1/0") -> None:
        self.config = Settings().model_copy(update={"home": home, "broker_url": SecretStr(broker)})
        self.store = open_store(self.config.store_url)
        self.said: list[str] = []
        self.looks = looks_at(self.config, self.store)

    def look_at(self, *names: str) -> Troubles:
        return Troubles({name: self.looks[name] for name in names}, self.said.append)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.store.close()


def test_a_store_without_room_is_said_once_and_when_there_is_room_again(watched: Watched) -> None:
    troubles = watched.look_at("store")
    troubles.look()
    assert watched.said == []

    with no_room():
        troubles.look()
        troubles.look()
    assert len(watched.said) == 1
    assert watched.said[0].startswith("trouble: store: ")

    troubles.look()
    assert watched.said[1:] == ["over: store is well again"]


def test_a_broker_that_does_not_answer_is_said(watched: Watched) -> None:
    watched.look_at("broker").look()

    (line,) = watched.said
    assert line.startswith("trouble: broker: the broker does not answer")


def test_a_process_that_falls_silent_is_said_with_its_log(watched: Watched) -> None:
    pulse = Pulse(watched.store, ProcessKind.RELAY, longest_turn_seconds=1)
    pulse.beat("it published 1 groups")
    troubles = watched.look_at(*ProcessKind)
    troubles.look()
    assert watched.said == []

    with watched.store.write() as tx:
        tx.execute(update(heartbeats).values(beat_at=after(-60)))
    troubles.look()
    troubles.look()
    with watched.store.write() as tx:
        tx.execute(update(heartbeats).values(beat_at=after(0)))
    troubles.look()

    assert len(watched.said) == 2
    assert watched.said[0].startswith("trouble: relay: late: ")
    assert watched.said[0].endswith("/logs/relay.log")
    assert watched.said[1] == "over: relay is well again"


def test_a_look_that_fails_is_a_trouble_and_the_others_go_on(watched: Watched) -> None:
    looks = {"disk": watched.looks["disk"], "broker": watched.looks["broker"]}
    watched.config.home.rename(watched.config.home.with_name("elsewhere"))

    Troubles(looks, watched.said.append).look()

    assert [line.split(": ")[1] for line in watched.said] == ["disk", "broker"]
