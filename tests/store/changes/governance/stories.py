"""For each check that may be taken away, the shortest interleaving in which it is missed.

Chance found them (`make governance PLANT=…` still does, in up to some hundreds of interleavings),
and what they do not need was taken out again. Where all checks stand, nothing goes live in any of
them that nobody else approved.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.rollout import Rollout
from tests.people import ADMIN
from tests.store.changes.governance.emergencies import MachineOfEmergencies
from tests.store.changes.governance.ground import FIRST, SECOND, THIRD, Ground
from tests.store.changes.governance.machine import APPROVES, PEACE, Mishap
from tests.store.changes.governance.memory import Unapproved
from tests.store.changes.governance.plants import planted
from tests.store.changes.governance.recorder import Recorder

_PEACEFUL: Mapping[str, Any] = {
    "name": None, "stop": None, "other": APPROVES, "at": None, "edits": None, "to": None,
    "amended": 0, "pick": 0, "place": 0, "later": False, "looked": False, "by_glass": False,
    "mishap": PEACE, "mishaps": (PEACE, PEACE, PEACE),
}  # fmt: skip
"""What the acts of the machine are given where nothing special happens."""

Act = tuple[str, Mapping[str, Any]]


def act(rule: str, **given: Any) -> Act:
    """One act of the machine, by the name of its rule."""
    return rule, given


def tell(ground: Ground, story: Sequence[Act], *, plant: str | None) -> str | None:
    """Do the acts of a story; how a version went live that nobody else approved, or None."""
    recorder = Recorder()
    machine = MachineOfEmergencies(ground, recorder)
    try:
        with planted(plant), recorder.listening():
            for rule, given in story:
                method = getattr(machine, rule)
                asked = inspect.signature(method).parameters
                peaceful = {name: _PEACEFUL[name] for name in asked.keys() & _PEACEFUL.keys()}
                method(**{**peaceful, **given})
    except Unapproved as found:
        return str(found)
    finally:
        machine.teardown()
    return None


def lives(
    order: str, *, first: Mishap = PEACE, then: Mishap = PEACE, last: Mishap = PEACE, **given: Any
) -> Act:
    """A change goes its way with three people, by their numbers in `order`, and mishaps between."""
    return act("a_change_lives", mishaps=(first, then, last), whos=_people(order), **given)


def nearly(order: str, **given: Any) -> Act:
    """The same with one mishap at most."""
    return act("a_change_lives_nearly_in_peace", whos=_people(order), **given)


def _people(order: str) -> list[str]:
    return [(FIRST, SECOND, THIRD)[int(number) - 1] for number in order]


GOVERNED, UNGOVERNED = (act("it_begins", governed=one) for one in (True, False))
CANARY = Rollout(shadow_seconds=3600, shares=(10000,), each_events=0, each_seconds=3600)

STORIES: Mapping[str, Sequence[Act]] = {
    "self-approval": (
        UNGOVERNED,
        lives("123", amended=1, last=("admin role acme given", THIRD, ADMIN)),
        lives("321"),
    ),
    "named-approver": (
        GOVERNED,
        nearly("321"),
    ),
    "proposal-in-anothers-name": (
        UNGOVERNED,
        act("somebody_retires_it", who=FIRST),
        lives("321", first=("admin role * given", THIRD, THIRD), name=FIRST),
    ),
    "role-in-force": (
        UNGOVERNED,
        nearly("213", mishap=("admin role * given", SECOND, THIRD)),
    ),
    "disabled-person": (
        GOVERNED,
        nearly("312", mishap=("admin disable", FIRST, ADMIN)),
    ),
    "role-older-than-proposal": (
        GOVERNED,
        lives("231", then=("admin invite", FIRST, ADMIN)),
    ),
    "role-of-an-authors-giving": (
        UNGOVERNED,
        lives("123", amended=1, then=("admin role acme given", FIRST, THIRD)),
        lives("321"),
    ),
    "invitation": (
        GOVERNED,
        lives("231", then=("admin invite", FIRST, ADMIN)),
    ),
    "delegation": (
        GOVERNED,
        act("somebody_is_said_to_be_away", early=False, who=THIRD),
    ),
    "check-at-going-live": (
        GOVERNED,
        lives("321", later=True, last=("admin invite", FIRST, ADMIN)),
    ),
    "seen": (
        UNGOVERNED,
        act("admins_act", acts=[("role acme given", ADMIN, FIRST, None)]),
        nearly("213", mishap=("sooner", SECOND, THIRD), place=1),
    ),
    "digest": (
        UNGOVERNED,
        lives("123", amended=1, last=("admin role acme given", FIRST, ADMIN)),
        lives("213", later=True, last=("twin", FIRST, THIRD)),
    ),
    "round": (
        GOVERNED,
        act("an_approved_change_gets_another_time", other=FIRST, who=SECOND),
    ),
    "base": (
        GOVERNED,
        act("somebody_retires_it", who=SECOND),
        nearly("123"),
    ),
    "expired": (
        GOVERNED,
        lives("123", then=("fortnight", SECOND, ADMIN)),
    ),
    "schedule": (
        GOVERNED,
        lives("123", later=True, last=("keeper", SECOND, ADMIN)),
    ),
    "already-decided": (
        GOVERNED,
        act("somebody_is_said_to_be_away", early=True, who=FIRST),
        nearly("123", later=True),
    ),
    "unapproved-once-required": (
        UNGOVERNED,
        act("somebody_retires_it", who=THIRD),
        act("admins_act", acts=[("role acme given", ADMIN, THIRD, None)]),
        lives("123", first=("admin role acme taken", THIRD, ADMIN)),
    ),
    "steps": (
        GOVERNED,
        lives("123", then=("admin role * given", THIRD, ADMIN)),
        nearly("123", mishap=("recipe", THIRD, THIRD)),
        act("somebody_is_said_to_be_away", early=True, who=FIRST),
        nearly("132", amended=1),
    ),
    "same-words": (
        GOVERNED,
        act("somebody_is_said_to_be_away", early=False, who=SECOND),
        act("somebody_sends_it_back", decision=Decision.REQUEST_CHANGES, who=FIRST),
        act("somebody_is_said_to_be_away", early=False, who=FIRST),
    ),
    "editors": (
        GOVERNED,
        nearly("123"),
        act("an_approved_change_gets_another_time", other=FIRST, who=SECOND),
        nearly("123"),
    ),
    "frozen": (
        GOVERNED,
        act("an_admin_freezes_or_thaws", hours=2, thaws=False),
        nearly("123"),
    ),
    "backstop": (
        GOVERNED,
        act("the_glass_is_broken_and_taken_back", back=THIRD, who=SECOND, whom=FIRST),
    ),
    "owners-by-glass": (
        GOVERNED,
        act("the_glass_is_broken_and_taken_back", back=THIRD, who=THIRD, whom=THIRD),
    ),
    "back-to-glass": (
        GOVERNED,
        act(
            "a_change_is_rolled_out",
            by_glass=True,
            hours=(0, 0, 0),
            mishaps=(PEACE, PEACE),
            steps=CANARY,
            whos=[FIRST, SECOND, THIRD],
        ),
        act("the_glass_is_broken_and_taken_back", back=SECOND, who=SECOND, whom=THIRD),
    ),
    "promotion": (
        UNGOVERNED,
        act(
            "a_change_is_rolled_out",
            hours=(0, 2, 0),
            mishaps=(("admin role acme given", THIRD, THIRD), PEACE),
            steps=Rollout(shadow_seconds=3600, shares=(), each_events=0, each_seconds=0),
            whos=[FIRST, SECOND, THIRD],
        ),
    ),
    "overtaken-rollout": (
        GOVERNED,
        act(
            "a_change_is_rolled_out",
            by_glass=True,
            hours=(0, 0, 0),
            mishaps=(PEACE, PEACE),
            steps=CANARY,
            whos=[FIRST, SECOND, THIRD],
        ),
    ),
}
