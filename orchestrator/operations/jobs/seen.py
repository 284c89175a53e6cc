"""What of a job an act on it is compared with, and who changed it since somebody looked."""

from __future__ import annotations

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import ChangedSinceSeen
from orchestrator.operations.jobs.show import no_job
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.jobs import JobRow, find_job, last_word_on


def digest_of_job(job: JobRow) -> str:
    """The digest of what people decide about a job by; how far it is does not count."""
    return strict_json.digest([job.id, job.state, job.ended_at])


def compare_job(tx: Tx, number: int, seen: str) -> None:
    """Raises ChangedSinceSeen where a job is not as somebody saw it, NotFound."""
    job = find_job(tx, number)
    if job is None:
        raise no_job(number)
    if digest_of_job(job) == seen:
        return
    last = last_word_on(tx, number)
    told = f": {last.by} {last.did} it at {last.at}" if last else ""
    raise ChangedSinceSeen(
        f"job {number} changed since you saw it, and is {job.state}{told}",
        fix="look at it again, and decide then",
    )
