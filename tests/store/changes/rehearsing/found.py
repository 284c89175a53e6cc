"""What a rehearsal of three events found."""

from __future__ import annotations

from orchestrator.domain.changes.rehearsing.result import Rehearsal, RehearsedDestination

FOUND = Rehearsal(
    definition="d" * 64,
    events=3,
    real=3,
    replaced=3,
    left_out=0,
    delivered=3,
    awaiting=0,
    unfinished=0,
    unproven=0,
    destinations=(
        RehearsedDestination(
            destination="crm", connector="fake", instead="dry", made=3, failed=0, unmade=0
        ),
    ),
    stops=(),
)
