"""What each built-in gate finds: one pure function a gate, in the order of GATES."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.domain.changes.gates.evidence import Budget, ContractTrial, Evidence, Load
from orchestrator.domain.changes.gates.gate import Finding, GateName, cannot_tell, failed, passed
from orchestrator.domain.changes.gates.present import REACHED_DAYS, BacktestCounts, Present

_MOST_TOLD = 3
_PROPOSE_AGAIN = "propose it again, so that evidence is recorded with it"
_UNRECORDED = "nothing was recorded when it was proposed"


def _owners(_: Evidence, now: Present) -> Finding:
    lost = [one for one in now.reached if one.failed]
    if lost:
        who = ", ".join(f"{one.address} ({_role(one.role)})" for one in lost)
        do = "look at `meshline alerts list`, then send a test: `meshline alerts test ADDRESS`"
        return failed(f"the last alert did not reach {who}", do)
    unknown = [one for one in now.reached if not one.sent]
    if unknown:
        who = ", ".join(sorted({one.address for one in unknown}))
        told = f"all four are named; no alert went out in the last {REACHED_DAYS} days to {who}"
        return cannot_tell(told, f"`meshline alerts test {unknown[0].address}`")
    return passed(f"all four are named, and each got an alert in the last {REACHED_DAYS} days")


def _role(role: str) -> str:
    return role.replace("_", " ")


def _cases(evidence: Evidence, _: Present) -> Finding:
    found = evidence.cases
    if found is None:
        return cannot_tell(_UNRECORDED, _PROPOSE_AGAIN)
    wrong = [f"{one.case}: {one.problem}" for one in found.failed]
    wrong += [f"the test {name!r} fails" for name in found.failed_tests]
    if wrong:
        more = f", and {len(wrong) - _MOST_TOLD} more" if len(wrong) > _MOST_TOLD else ""
        do = "mend the file; `meshline workflow test FILE` runs its tests"
        of = f"{len(wrong)} of {found.made + found.tests} cases and tests fail"
        return failed(f"{of}: {'; '.join(wrong[:_MOST_TOLD])}{more}", do)
    if found.example is None:
        told = "no valid payload could be made from the contract"
        return cannot_tell(told, "write a test with a valid payload under `tests:`")
    fields = f"{found.made} cases of {len(found.fields)} required fields"
    return passed(f"{fields} and {found.tests} tests of the file pass")


def _clocks(_: Evidence, now: Present) -> Finding:
    told = f"delivered within {now.deliver_within}, recovered within {now.recover_within}"
    hours = ", in the hours of a calendar" if now.calendar else ""
    if now.keeper is None:
        return cannot_tell(
            f"{told}{hours}; no keeper has a heartbeat", "start one: `meshline keeper`"
        )
    if now.keeper == "missing":
        do = "start one: `meshline keeper`, or `meshline up`"
        return failed(f"{told}{hours}; but every keeper fell silent", do)
    return passed(f"{told}{hours}; a keeper is {now.keeper}")


def _audit(evidence: Evidence, _: Present) -> Finding:
    found = evidence.rehearsal
    if found is None:
        do = "`meshline change rehearse` runs it where nothing is real"
        return cannot_tell("no event of it was rehearsed", do)
    if found.fault is not None:
        return failed(found.fault, "see `meshline change show`: mend it, and rehearse it again")
    if found.unfinished or not found.delivered:
        return cannot_tell(found.told, "rehearse it with more events, or longer")
    return passed(f"{found.told}; the audit of each has trigger, decision and who did it")


def _contract(evidence: Evidence, now: Present) -> Finding:
    found = evidence.contract
    test = now.backtest
    if test is not None and test.newly_refused:
        do = "see `meshline change show`: mend it, or have the gate waived"
        told = f"of {test.events} events of its backtest {test.newly_refused} are newly refused"
        return failed(told, do)
    if found is None:
        if now.base is None:
            return passed("it is the first version: no event passed before")
        return cannot_tell(_UNRECORDED, _PROPOSE_AGAIN)
    if found.newly_refused:
        do = "let the contract take them, or amend them by `amend`; else have the gate waived"
        return failed(found.told, do)
    if found.covers == "yes":
        return passed(f"{found.says}; {found.told}")
    return _by_real_events(found, test)


def _by_real_events(found: ContractTrial, test: BacktestCounts | None) -> Finding:
    """Of a contract that may take less than the one before."""
    if test is not None and test.events:
        return passed(f"of {test.events} events of its backtest none is newly refused")
    if found.events and found.whole:
        return passed(f"{found.told}; but {found.says}")
    if found.events:  # the others may hold what it refuses
        do = "`meshline change backtest` looks at all events of the last weeks"
        return cannot_tell(f"{found.told}; but {found.says}", do)
    return cannot_tell(f"{found.says}; {found.told}", "ask the senders whether they send that")


CALLS_A_DELIVERY = 3
"""A look-up, the call that makes the record, and its read-back: the most that is usual."""


def _load(evidence: Evidence, now: Present) -> Finding:
    found = evidence.load
    if found is None:
        return cannot_tell(_UNRECORDED, _PROPOSE_AGAIN)
    if found.at is None:
        return cannot_tell("no event came in the last 28 days")
    which = "all" if found.whole else "the newest"
    told = f"the busiest minute of {which} {found.events} events had {found.busiest}"
    if found.budgets is None:
        return cannot_tell(f"{told}; the rate budgets of its destinations were not known")
    peaks = now.backtest.peaks if now.backtest is not None else {}
    for one in found.budgets:
        if one.per_minute is not None and peaks.get(one.destination, 0) > one.per_minute:
            says = f"{one.destination} gets {peaks[one.destination]} deliveries in one minute"
            do = "expect that some wait, or ask the tool's vendor for more"
            return failed(f"{says}, and takes {one.per_minute:g} calls", do)
    open_ = [one.destination for one in found.budgets if not _fits(one, found, peaks)]
    if open_:
        says = f"{told}; whether that fits {', '.join(open_)} is not known"
        return cannot_tell(says, "`meshline change backtest` counts its deliveries")
    return passed(f"{told}; with {CALLS_A_DELIVERY} calls each that fits every rate budget")


def _fits(one: Budget, found: Load, peaks: Mapping[str, int]) -> bool:
    """Whether even the most calls fit: of all events where nobody counted the deliveries.

    The newest events alone say nothing of the busiest minute of all.
    """
    if one.per_minute is None:
        return True
    if one.destination not in peaks and (one.several or not found.whole):
        return False
    return peaks.get(one.destination, found.busiest) * CALLS_A_DELIVERY <= one.per_minute


def _logins(_: Evidence, now: Present) -> Finding:
    unproven = [one for one in now.connectors if one not in now.proven]
    if unproven:
        told = f"no handoff was confirmed in the last 24 hours by {', '.join(unproven)}"
        return cannot_tell(told, f"`meshline connectors try {unproven[0]}`")
    return passed("a handoff was confirmed in the last 24 hours by each connector that it uses")


def _way_back(_: Evidence, now: Present) -> Finding:
    back = "retiring it" if now.base is None else f"a rollback to version {now.base}"
    told = f"the way back is {back}; its rollout has no steps: it is live for all at once"
    return cannot_tell(told)


def _quarantine(_: Evidence, now: Present) -> Finding:
    told = f"whatever the reason is, {now.recovery_lead} owns the event"
    return passed(f"{told}, and has {now.recover_within}")


def _drill(_: Evidence, __: Present) -> Finding:
    return cannot_tell("there was no drill: drills cannot be run yet")


FINDERS: Mapping[GateName, Callable[[Evidence, Present], Finding]] = {
    GateName.OWNERS: _owners,
    GateName.CASES: _cases,
    GateName.CLOCKS: _clocks,
    GateName.AUDIT: _audit,
    GateName.CONTRACT: _contract,
    GateName.LOAD: _load,
    GateName.LOGINS: _logins,
    GateName.WAY_BACK: _way_back,
    GateName.QUARANTINE: _quarantine,
    GateName.DRILL: _drill,
}
"""How each gate is judged."""
