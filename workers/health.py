"""What a turn's calls say about the systems that were called, written down for all workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.lanes import NotStarted
from orchestrator.domain.gates import Gate
from orchestrator.domain.handoff import Blame, BreakerPolicy, Failed, Outcome
from orchestrator.store.deliveries import Taken
from orchestrator.store.engine import Tx
from orchestrator.store.gates import break_now, note_failures, note_success
from orchestrator.store.pacing import postpone
from workers.gatekeeper import Gatekeeper


@dataclass(kw_only=True)
class Health:
    """How one connector's system took the calls of a turn."""

    answers: int = 0  # calls that it took or refused for their own sake
    failures: int = 0  # calls that it was too ill for
    error: str = ""  # the last of them
    login: str | None = None  # it does not take our credentials
    wait: float | None = None  # seconds in which it wants no call

    @property
    def well(self) -> bool:
        """Whether there is nothing to write down of it, unless something was."""
        return not self.failures and self.login is None and self.wait is None


def health_of(
    taken: Sequence[Taken], answers: Mapping[str, Outcome | NotStarted]
) -> dict[str, Health]:
    """How each connector's system took the calls."""
    found: dict[str, Health] = {}
    for one in taken:
        answer = answers.get(one.key)
        if answer is not None and not isinstance(answer, NotStarted):
            _add(found.setdefault(one.connector, Health()), answer)
    return found


def _add(health: Health, outcome: Outcome) -> None:
    blame = outcome.blame if isinstance(outcome, Failed) else Blame.CALL
    if not isinstance(outcome, Failed) or blame is Blame.CALL:
        health.answers += 1
    elif blame is Blame.PACE:
        health.wait = max(health.wait or 0.0, outcome.retry_after or 0.0)
    elif blame is Blame.LOGIN:
        health.login = outcome.error
    else:
        health.failures += 1
        health.error = outcome.error


def note_health(
    tx: Tx,
    found: Mapping[str, Health],
    *,
    gatekeeper: Gatekeeper,
    actor: str,
) -> frozenset[str]:
    """Write down what changed; answers the connectors whose breaker is open."""
    gates = gatekeeper.shelf.take(tx)
    broken = set()
    for name, health in found.items():
        if health.well and name not in gates:
            continue
        if _note(tx, name, health, gates.get(name), gatekeeper.policy(name), actor):
            broken.add(name)
        gatekeeper.shelf.forget()
    return frozenset(broken)


def _note(
    tx: Tx,
    name: str,
    health: Health,
    gate: Gate | None,
    policy: BreakerPolicy,
    actor: str,
) -> bool:
    """Write one connector's health down; whether its breaker is open."""
    if health.wait:
        postpone(tx, name, int(health.wait * 1000))
    if health.login is not None:
        break_now(tx, name, error=health.login, policy=policy, actor=actor)
        return True
    if health.answers:
        note_success(tx, name, actor)
        return False
    if not health.failures:
        return False
    just_now = note_failures(
        tx, name, health.failures, error=health.error, policy=policy, actor=actor
    )
    return just_now or (gate is not None and gate.broken)
