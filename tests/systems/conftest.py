"""Real systems, each started once for the whole run and ended with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from orchestrator.embedded.ports import free_port
from orchestrator.embedded.processes import Supervisor
from tests.systems.cutting import Wire
from tests.systems.helpdesk import Helpdesk, start_helpdesk, start_throttled
from tests.systems.request_tracker import RequestTracker, start_request_tracker
from tests.systems.synapse import Synapse, start_synapse


class PostOffice:
    """A mail server that the helpdesk sends its own mails through; it may be away."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[bytes] = []
        self._controller: Controller | None = None

    def open(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def close(self) -> None:
        if self._controller:
            self._controller.stop()
            self._controller = None

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(envelope.content)
        return "250 OK"


@pytest.fixture(scope="session")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Supervisor]]:
    """A folder and what ends every system that was started in it."""
    home = tmp_path_factory.mktemp("systems")
    with Supervisor(home) as supervisor:
        yield home, supervisor


@pytest.fixture(scope="session")
def post_office() -> Iterator[PostOffice]:
    office = PostOffice()
    office.open()
    yield office
    office.close()


@pytest.fixture(scope="session")
def helpdesk(systems: tuple[Path, Supervisor], post_office: PostOffice) -> Helpdesk:
    home, supervisor = systems
    return start_helpdesk(home / "helpdesk", supervisor, mail_port=post_office.port)


@pytest.fixture(scope="session")
def throttled(systems: tuple[Path, Supervisor], helpdesk: Helpdesk) -> Helpdesk:
    """The same helpdesk, which lets a user call three times a minute."""
    return start_throttled(helpdesk, systems[1], rate="3/min")


@pytest.fixture(scope="session")
def synapse(systems: tuple[Path, Supervisor]) -> Synapse:
    home, supervisor = systems
    return start_synapse(home / "synapse", supervisor)


@pytest.fixture(scope="session")
def request_tracker(systems: tuple[Path, Supervisor]) -> RequestTracker:
    home, supervisor = systems
    return start_request_tracker(home / "rt", supervisor)


@pytest.fixture
def helpdesk_wire(helpdesk: Helpdesk) -> Iterator[Wire]:
    with Wire(helpdesk.port) as wire:
        yield wire


@pytest.fixture
def synapse_wire(synapse: Synapse) -> Iterator[Wire]:
    with Wire(synapse.port) as wire:
        yield wire


@pytest.fixture
def rt_wire(request_tracker: RequestTracker) -> Iterator[Wire]:
    with Wire(request_tracker.port) as wire:
        yield wire
