"""A worker that one event kills: the process that decides on it is gone at once."""

from __future__ import annotations

import os
import signal
import sys

from orchestrator.domain.delivery.verdicts import Rejected, Valid
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.pipeline import validate as honest
from workers import chain
from workers.app import app

DEADLY = "deadly@example.com"


def validate(payload: object, workflow: CompiledWorkflow) -> Valid | Rejected:
    """Decide as ever, but for one payload."""
    if isinstance(payload, dict) and payload["email"] == DEADLY:
        os.kill(os.getpid(), signal.SIGKILL)
    return honest.validate(payload, workflow)


if __name__ == "__main__":
    chain.decide_valid = validate  # type: ignore[attr-defined]
    app.worker_main(["--quiet", "worker", "--loglevel", "WARNING", "-c", "2", *sys.argv[1:]])
