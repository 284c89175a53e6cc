"""Keep what was found out about a change beside it: from then on an approval covers that too."""

from __future__ import annotations

from dataclasses import replace

import orjson

from orchestrator.domain.changes.gates.evidence import Recorded
from orchestrator.operations.changes.go_live import subject_of
from orchestrator.store.changes.changes import LockedChange, set_evidence
from orchestrator.store.changes.evidence import replace_evidence
from orchestrator.store.database.engine import Tx


def keep_evidence_of(tx: Tx, change: LockedChange, piece: Recorded, *, by: str) -> str:
    """Keep a piece about a change that is held; one of its kind goes. What an approval covers then.

    The change must not be approved: its approval would be of something else.
    """
    digests: dict[str, str] = orjson.loads(change.evidence) if change.evidence else {}
    digests[piece.kind.value] = piece.digest
    kept = orjson.dumps(digests, option=orjson.OPT_SORT_KEYS).decode()
    subject = subject_of(replace(change, evidence=kept)).digest()
    replace_evidence(tx, change, piece, by=by)
    set_evidence(tx, change, evidence=kept, subject=subject)
    return subject
