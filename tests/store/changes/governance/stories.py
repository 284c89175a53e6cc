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
from tests.store.changes.governance.machine import APPROVES, PEACE
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


STORIES: Mapping[str, Sequence[Act]] = {
    "self-approval": (
        act("it_begins", governed=False),
        act(
            "a_change_lives",
            amended=1,
            mishaps=(PEACE, PEACE, ("admin role acme given", THIRD, ADMIN)),
            whos=[FIRST, SECOND, THIRD],
        ),
        act("a_change_lives", whos=[THIRD, SECOND, FIRST]),
    ),
    "named-approver": (
        act("it_begins", governed=True),
        act("a_change_lives_nearly_in_peace", whos=[THIRD, SECOND, FIRST]),
    ),
    "proposal-in-anothers-name": (
        act("it_begins", governed=False),
        act("somebody_retires_it", who=FIRST),
        act(
            "a_change_lives",
            mishaps=(("admin role * given", THIRD, THIRD), PEACE, PEACE),
            name=FIRST,
            whos=[THIRD, SECOND, FIRST],
        ),
    ),
    "role-in-force": (
        act("it_begins", governed=False),
        act(
            "a_change_lives_nearly_in_peace",
            mishap=("admin role * given", SECOND, THIRD),
            whos=[SECOND, FIRST, THIRD],
        ),
    ),
    "disabled-person": (
        act("it_begins", governed=True),
        act(
            "a_change_lives_nearly_in_peace",
            mishap=("admin disable", FIRST, ADMIN),
            whos=[THIRD, FIRST, SECOND],
        ),
    ),
    "role-older-than-proposal": (
        act("it_begins", governed=True),
        act(
            "a_change_lives",
            mishaps=(PEACE, ("admin invite", FIRST, ADMIN), PEACE),
            whos=[SECOND, THIRD, FIRST],
        ),
    ),
    "role-of-an-authors-giving": (
        act("it_begins", governed=False),
        act(
            "a_change_lives",
            amended=1,
            mishaps=(PEACE, ("admin role acme given", FIRST, THIRD), PEACE),
            whos=[FIRST, SECOND, THIRD],
        ),
        act("a_change_lives", whos=[THIRD, SECOND, FIRST]),
    ),
    "invitation": (
        act("it_begins", governed=True),
        act(
            "a_change_lives",
            mishaps=(PEACE, ("admin invite", FIRST, ADMIN), PEACE),
            whos=[SECOND, THIRD, FIRST],
        ),
    ),
    "delegation": (
        act("it_begins", governed=True),
        act("somebody_is_said_to_be_away", early=False, who=THIRD),
    ),
    "check-at-going-live": (
        act("it_begins", governed=True),
        act(
            "a_change_lives",
            later=True,
            mishaps=(PEACE, PEACE, ("admin invite", FIRST, ADMIN)),
            whos=[THIRD, SECOND, FIRST],
        ),
    ),
    "seen": (
        act("it_begins", governed=False),
        act("admins_act", acts=[("role acme given", ADMIN, FIRST, None)]),
        act(
            "a_change_lives_nearly_in_peace",
            mishap=("sooner", SECOND, THIRD),
            place=1,
            whos=[SECOND, FIRST, THIRD],
        ),
    ),
    "digest": (
        act("it_begins", governed=False),
        act(
            "a_change_lives",
            amended=1,
            mishaps=(PEACE, PEACE, ("admin role acme given", FIRST, ADMIN)),
            whos=[FIRST, SECOND, THIRD],
        ),
        act(
            "a_change_lives",
            later=True,
            mishaps=(PEACE, PEACE, ("twin", FIRST, THIRD)),
            whos=[SECOND, FIRST, THIRD],
        ),
    ),
    "round": (
        act("it_begins", governed=True),
        act("an_approved_change_gets_another_time", other=FIRST, who=SECOND),
    ),
    "base": (
        act("it_begins", governed=True),
        act("somebody_retires_it", who=SECOND),
        act("a_change_lives_nearly_in_peace", whos=[FIRST, SECOND, THIRD]),
    ),
    "expired": (
        act("it_begins", governed=True),
        act(
            "a_change_lives",
            mishaps=(PEACE, ("fortnight", SECOND, ADMIN), PEACE),
            whos=[FIRST, SECOND, THIRD],
        ),
    ),
    "schedule": (
        act("it_begins", governed=True),
        act(
            "a_change_lives",
            later=True,
            mishaps=(PEACE, PEACE, ("keeper", SECOND, ADMIN)),
            whos=[FIRST, SECOND, THIRD],
        ),
    ),
    "already-decided": (
        act("it_begins", governed=True),
        act("somebody_is_said_to_be_away", early=True, who=FIRST),
        act("a_change_lives_nearly_in_peace", later=True, whos=[FIRST, SECOND, THIRD]),
    ),
    "unapproved-once-required": (
        act("it_begins", governed=False),
        act("somebody_retires_it", who=THIRD),
        act("admins_act", acts=[("role acme given", ADMIN, THIRD, None)]),
        act(
            "a_change_lives",
            mishaps=(("admin role acme taken", THIRD, ADMIN), PEACE, PEACE),
            whos=[FIRST, SECOND, THIRD],
        ),
    ),
    "steps": (
        act("it_begins", governed=True),
        act(
            "a_change_lives",
            mishaps=(PEACE, ("admin role * given", THIRD, ADMIN), PEACE),
            whos=[FIRST, SECOND, THIRD],
        ),
        act(
            "a_change_lives_nearly_in_peace",
            mishap=("recipe", THIRD, THIRD),
            whos=[FIRST, SECOND, THIRD],
        ),
        act("somebody_is_said_to_be_away", early=True, who=FIRST),
        act("a_change_lives_nearly_in_peace", amended=1, whos=[FIRST, THIRD, SECOND]),
    ),
    "same-words": (
        act("it_begins", governed=True),
        act("somebody_is_said_to_be_away", early=False, who=SECOND),
        act("somebody_sends_it_back", decision=Decision.REQUEST_CHANGES, who=FIRST),
        act("somebody_is_said_to_be_away", early=False, who=FIRST),
    ),
    "editors": (
        act("it_begins", governed=True),
        act("a_change_lives_nearly_in_peace", whos=[FIRST, SECOND, THIRD]),
        act("an_approved_change_gets_another_time", other=FIRST, who=SECOND),
        act("a_change_lives_nearly_in_peace", whos=[FIRST, SECOND, THIRD]),
    ),
    "frozen": (
        act("it_begins", governed=True),
        act("an_admin_freezes_or_thaws", hours=2, thaws=False),
        act("a_change_lives_nearly_in_peace", whos=[FIRST, SECOND, THIRD]),
    ),
    "backstop": (
        act("it_begins", governed=True),
        act("the_glass_is_broken_and_taken_back", back=THIRD, who=SECOND, whom=FIRST),
    ),
    "owners-by-glass": (
        act("it_begins", governed=True),
        act("the_glass_is_broken_and_taken_back", back=THIRD, who=THIRD, whom=THIRD),
    ),
    "back-to-glass": (
        act("it_begins", governed=True),
        act(
            "a_change_is_rolled_out",
            by_glass=True,
            hours=(0, 0, 0),
            mishaps=(PEACE, PEACE),
            steps=Rollout(shadow_seconds=3600, shares=(10000,), each_events=0, each_seconds=3600),
            whos=[FIRST, SECOND, THIRD],
        ),
        act("the_glass_is_broken_and_taken_back", back=SECOND, who=SECOND, whom=THIRD),
    ),
    "promotion": (
        act("it_begins", governed=False),
        act(
            "a_change_is_rolled_out",
            hours=(0, 2, 0),
            mishaps=(("admin role acme given", THIRD, THIRD), PEACE),
            steps=Rollout(shadow_seconds=3600, shares=(), each_events=0, each_seconds=0),
            whos=[FIRST, SECOND, THIRD],
        ),
    ),
    "overtaken-rollout": (
        act("it_begins", governed=True),
        act(
            "a_change_is_rolled_out",
            by_glass=True,
            hours=(0, 0, 0),
            mishaps=(PEACE, PEACE),
            steps=Rollout(shadow_seconds=3600, shares=(10000,), each_events=0, each_seconds=3600),
            whos=[FIRST, SECOND, THIRD],
        ),
    ),
}
