"""Everything in a workflow file that compiles and yet cannot work, or that its author should know.

It is asked when a file is checked and published, never of a version that is published already:
its events are on their way.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.contracts.keywords import keyword_faults
from orchestrator.domain.contracts.satisfying import satisfying_faults
from orchestrator.domain.errors import Fault
from orchestrator.domain.personal.checks import personal_faults
from orchestrator.domain.workflows.checks.amend_targets import amend_targets
from orchestrator.domain.workflows.checks.dead_routes import dead_routes
from orchestrator.domain.workflows.checks.expressions import (
    examine_facts,
    examine_routes,
    examine_sent,
)
from orchestrator.domain.workflows.compiled import Parts
from orchestrator.domain.workflows.ordering.faults import ordering_notes


def examine(parts: Parts, compiled: Sequence[Fault]) -> list[Fault]:
    """The faults of compiling with those that are found beyond them, and notes.

    Of one place that both complain of, what is said here counts: it knows the contract.
    """
    broken = any(one.path.partition(".")[0] == "contract" for one in compiled)
    contract = None if broken else parts.contract
    found = (
        [*keyword_faults(parts.contract), *personal_faults(parts.contract)]
        if parts.contract
        else []
    )
    if contract is not None:
        found += satisfying_faults(contract)
    places = {one.path for one in compiled}
    facts = examine_facts(parts.facts, contract, places)
    found += facts.faults
    found += examine_routes(parts.routes, parts.facts, facts.values, places, parts.destinations)
    found += examine_sent(parts.destinations, parts.facts, facts.values, places, contract)
    found += dead_routes(parts.routes, parts.facts)
    found += ordering_notes(parts.ordering, contract)
    if contract is not None:
        found += amend_targets(parts.amend, contract)
    told = {one.path for one in found if not one.is_note}
    return [*(one for one in compiled if one.path not in told), *found]
