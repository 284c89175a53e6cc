"""The relay and the tasks of `workers`, tied to the model's broker, clock, store and processes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import settings as hypothesis_settings

from connectors.handoff import concurrent as lanes
from connectors.handoff import single as handoff
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.dispatch import admit_deliveries, note_health
from orchestrator.settings import settings
from orchestrator.store.database import engine
from orchestrator.store.desk.heartbeats import Pulse
from tests.model import broker
from tests.model.actors import current_actor
from tests.model.databases import Copies, Databases, Files
from tests.model.lab import NO_BROKER, Lab
from workers import chain, dispatch, relay
from workers.app import Process, app

hypothesis_settings.register_profile("explore", max_examples=5_000, print_blob=True)


@pytest.fixture(scope="module")
def quick_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Stories beside SQLite."""
    with _lab(Files(tmp_path_factory.mktemp("model"))) as lab:
        yield lab


@pytest.fixture(scope="module")
def server_lab(postgres: EmbeddedServer) -> Iterator[Lab]:
    """Stories beside PostgreSQL; each takes ten times as long."""
    with _lab(Copies(postgres.url)) as lab:
        yield lab


@contextmanager
def _lab(databases: Databases) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESHLINE_BROKER_URL", NO_BROKER)
        settings.cache_clear()
        lab = Lab(databases)
        patch.setitem(app.conf, "broker_url", broker.ADDRESS)
        patch.setitem(app.conf, "broker_transport", broker.TRANSPORT)
        patch.setattr(app.amqp, "_producer_pool", None)
        patch.setattr(chain, "process", _this_process)
        # By the machine's clock, and into the first story's store: no part of what is told here.
        patch.setattr(Pulse, "beat", lambda _pulse, _did: None)
        patch.setattr(Pulse, "end", lambda _pulse: None)
        for module in (
            dispatch,
            admit_deliveries,
            note_health,
            relay,
            handoff,
            lanes,
            engine,
            chain,
        ):
            patch.setattr(module, "time", lab.clock)
        for decision in ("decide_valid", "decide_route"):
            patch.setattr(chain, decision, lab.shaky(getattr(chain, decision)))
        logging.disable(logging.CRITICAL)  # each fault of a story is logged, as it should be
        yield lab
        logging.disable(logging.NOTSET)
        lab.close()
    settings.cache_clear()


def _this_process() -> Process:
    actor = current_actor()
    assert actor is not None and isinstance(actor.owner, Process)
    return actor.owner
