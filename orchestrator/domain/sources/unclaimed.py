"""The workflow under which what no workflow takes is kept: a source's own, and never live.

Quarantine, incidents, clocks and owners all belong to a workflow. Events of a source that nobody
takes belong to its owners, so they are kept under a version that says no more than whose they are.
"""

from __future__ import annotations

from functools import lru_cache

from orchestrator.domain.sources.source import Source
from orchestrator.domain.workflows.workflow import Workflow


def unclaimed_name(source: str) -> str:
    """The name of a source's own workflow."""
    return f"{source}-unclaimed"


@lru_cache(maxsize=1_000)
def unclaimed_workflow(source: Source) -> Workflow:
    """The workflow; it routes nothing."""
    owners = source.owners
    return Workflow.model_validate(
        {
            "workflow": unclaimed_name(source.name),
            "client": source.client,
            "title": f"What no workflow takes of the source {source.name}",
            "trigger": {"type": f"{source.name}.unclaimed"},
            "owners": {
                "owner": owners.owner,
                "recovery_lead": owners.recovery_lead,
                "approver": owners.approver,
                "backstop": owners.backstop,
            },
            "contract": {},
            "facts": {},
            "routes": [{"when": "false", "to": ["nowhere"]}],
            "destinations": {
                "nowhere": {"connector": "none", "action": "none", "send": {}, "required": []}
            },
            # Nothing is delivered from here: the one clock that counts is that of the recovery.
            "sla": {
                "deliver_within": source.recover_within,
                "recover_within": source.recover_within,
            },
        }
    )
