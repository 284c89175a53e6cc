"""docs/reference/roles.md: who may do what."""

from __future__ import annotations

from orchestrator.domain.access.roles import ROLES_OF_PEOPLE, Role, includes
from orchestrator.domain.acts import ACTS, Scope
from tools.docs.tables import table

_HEAD = """\
# Roles, and what each may do

One table says what every act needs. The command line, the pages and HTTP ask it, each time, in the
transaction that writes: a role that was withdrawn a moment ago does not count.

A role is held for one client, or for every client. An act that concerns several clients needs it
for each of them. An act **everywhere** needs a role for every client. Events, incidents and
workflows of clients for which a person has no role are not there for that person: they are "not
found". For somebody without any role, a command says so instead of an empty list. Flower's own
pages (workers, tasks, broker) are for those who may view every client.

**Proof** means that the person is logged in (`meshline login`, or Flower), or gives a key of their
own, which nobody else can make. `--as` and `MESHLINE_ACTOR` name somebody and prove nothing.

Until there is a person, everybody who can run a command may do everything.

## The acts

"""

_ROLES = """
## The roles

- **viewer**: looks, without values that a contract marks as personal.
- **operator**: heals: amends, replays, discards, pauses, publishes.
- **approver**: looks, and decides on what others propose. An operator or an admin is not an
  approver: whoever changes things must not also say yes to them.
- **steward**: an operator who also erases, applies retention and closes dead letters.
- **admin**: a steward who also manages people and keys.
- **producer**: of keys only: sends events, and asks for what became of them.
"""


def write() -> str:
    """The page without its first line."""
    rows = [
        [
            f"`{act}`",
            rule.says,
            *("yes" if includes(role, rule.least) else "-" for role in _COLUMNS),
            "everywhere" if rule.scope is Scope.EVERYWHERE else "each client",
            "yes" if rule.needs_reason else "-",
            "yes" if rule.needs_proof else "-",
            rule.preview or "-",
        ]
        for act, rule in ACTS.items()
    ]
    names = [role.value for role in _COLUMNS]
    head = ["act", "to", *names, "where", "reason", "proof", "seen before by"]
    return f"{_HEAD}{table(head, rows)}{_ROLES}"


_COLUMNS = (*ROLES_OF_PEOPLE, Role.PRODUCER)
