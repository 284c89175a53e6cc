"""docs/reference/gates.md: what a change has to pass."""

from __future__ import annotations

from orchestrator.domain.changes.gates.gate import GATES
from tools.docs.tables import table

_HEAD = """\
# QA gates

A gate is proven by evidence, and never ticked. `meshline change check CHANGE` shows each with its
evidence; so do `meshline change show` in short, and `GET /v1/changes/{change}/gates`.

| state | means |
|---|---|
| pass | the evidence is there, and speaks for it |
| fail | the evidence speaks against it |
| waived | it fails, and an approver lets that be until a time |
| cannot tell | there is no evidence; that is never taken for a pass, and stops nothing |

A gate that **blocks** and fails stops the change: nobody can approve it, and it does not go live.
A gate that **warns** says so. Gates stop only changes that need an approval; of others they are
recorded and shown, and `meshline change check` ends with exit code 1 all the same. A retirement
and a rollback have no gates.

## The ten

"""

_TAIL = """
That the four people are named is checked before anything is proposed, so gate 1 is about whether
alerts reach them, and warns: a mail server that is down must not keep a fix from going live.

Rehearsals, rollouts in steps and drills do not exist yet: gates 4, 8 and 10 say that they cannot
tell.

## The evidence

It is gathered when somebody proposes the change, before anything is held, and kept with its
round. An approval is also of the digests of the evidence; what was altered afterwards is not
believed. To gather it again, propose the file again with `--change`.

- **contract**: whether the new contract takes every payload that the old one takes, from the two
  alone; and the events of the last 28 days, up to the newest 2,000 or what 3 seconds are enough
  for, held against both versions with their standing amendments: how many are newly refused, and
  how many newly pass. It says whether these were all.
- **cases**: for each field that is always required, up to 100, a payload where it is missing,
  renamed and of a wrong type, made from a valid one: the first of the file's `tests:` that the
  contract takes, else one that is made from the contract. Then the file's tests.
- **load**: the busiest minute of these events, and the rate budgets of the destinations. It passes
  where three calls for each event fit, and fails where a backtest counts more deliveries.
- **commit**: the commit that a pipeline named, its address, and SHA-256 over the file. It
  is what was said: [Propose changes from git](../howto/propose-from-git.md) has how to compare it.

A `meshline change backtest` of this round counts too: where it finds events that are newly
refused, the gate `contract` fails, and where it finds none, it passes what the contracts alone do
not tell.

A `meshline change rehearse` of this round is evidence too: the gate `audit` rests on it. It passes
where an event was delivered, the audit of each names its trigger, the decision and who made each
delivery, and no event was stopped that the version itself would not stop.

No evidence has a value of a payload: it has counts, paths, names of tests and ids of events.

## The house's own

`MESHLINE_GATES` names a YAML file. Each process that approves or lets changes go live reads it:
the API, Flower, the keeper and the command line. A file that cannot be read lets nothing go live
that needs an approval.

```yaml
gates: {load: blocks, contract: warns}
rules:
  - id: nothing-breaks
    when: 'difference.breaking == 0 || client == "globex"'
    say: what breaks something for senders is agreed with them first
    waive: approver
  - id: no-newly-refused
    when: contract.newly_refused == 0
    say: no real event is newly refused
    force: warns
```

A rule passes where `when` is true. It is CEL over the evidence:

| name | has |
|---|---|
| `contract` | `covers`, `events`, `whole`, `newly_refused`, `newly_passing`; null at first |
| `cases` | `example`, `fields`, `made`, `failed`, `tests`, `failed_tests` |
| `load` | `events`, `whole`, `busiest`, `at`, `budgets` |
| `commit` | `id`, `url`, `file_digest`; null where the proposal named none |
| `difference` | `stricter` and `breaking`, how many; `parts`, such as `contract`, `routes`, `sla` |
| `owners` | `owner`, `recovery_lead`, `approver`, `backstop` |
| `client`, `workflow` | their names |
| `backtest` | `events`, `newly_refused`, `newly_passing`, `fields_changed`, `peaks`; or null |
| `rehearsal` | `events`, `real`, `delivered`, `unfinished`, `unproven`, `stops`, ...; or null |
| `drill` | null: it does not exist yet |

Where something of it is not there, the rule cannot tell. `force` is `blocks` unless it says
`warns`; `waive: approver` lets approvers waive it, else nobody can.
"""


def write() -> str:
    """The page without its first line."""
    rows = [[str(one.number), f"`{one.name}`", one.asks, one.force.value] for one in GATES]
    return f"{_HEAD}{table(['', 'gate', 'asks whether', 'by default'], rows)}{_TAIL}"
