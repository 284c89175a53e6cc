"""Hold deliveries back at destinations, or at all that one connector serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.hints import did_you_mean
from orchestrator.store.destinations import gate_names
from orchestrator.store.engine import Store, Tx
from orchestrator.store.gates import pause_gate


@dataclass(kw_only=True)
class Switched:
    """What became of gates."""

    names: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)  # they were so before


def pause_destination(store: Store, names: Sequence[str], *, why: str, actor: str) -> Switched:
    """Pause each, by connector or by client/workflow/destination; all of them or none.

    What is called at this moment is not broken off. Raises Refused without a `why`, NotFound.
    """
    reason = checked_reason(why, "pause")
    report = Switched()
    with store.write() as tx:
        for name in checked_names(tx, names):
            changed = pause_gate(tx, name, why=reason, actor=actor)
            (report.names if changed else report.unchanged).append(name)
    return report


def checked_reason(why: str, what: str) -> str:
    """The reason in one piece. Raises Refused where there is none."""
    if not why.strip():
        raise Refused(f"a {what} needs a reason", field="why", fix="give --why 'the reason'")
    return why.strip()


def checked_names(tx: Tx, names: Sequence[str]) -> list[str]:
    """The names, each once. Raises NotFound for one that is no connector or destination."""
    known = gate_names(tx)
    for name in names:
        if name not in known:
            raise NotFound(
                f"no live workflow has the connector or destination {name!r}",
                fix=f"{_instead(name, known)}; `meshline destinations list` has them all",
            )
    return list(dict.fromkeys(names))


def _instead(name: str, known: set[str]) -> str:
    # `desk` alone is not enough: two workflows may have one.
    ends = sorted(one for one in known if one.endswith(f"/{name}"))
    if ends:
        return f"write {' or '.join(f'`{one}`' for one in ends)}"
    return did_you_mean(name, sorted(known)) if known else "publish a workflow first"
