"""Three people, an admin, a keeper and a clock: what they may do, in any order.

Each act is one of the product's own operations with real transactions. Between any two of these a
process dies, or somebody else acts. After each commit the memory is asked whether what is live was
approved by somebody else, on exactly what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import text

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.rollout import Rollout
from orchestrator.domain.errors import MeshlineError
from orchestrator.domain.recipes.recipe import Recipe
from orchestrator.operations.access.away import end_away, set_away
from orchestrator.operations.access.people import (
    RoleChange,
    accept_invite,
    change_roles,
    disable_person,
    invite_person,
)
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.changes.withdraw import withdraw_change
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.repair.publish_amendment import publish_amendment
from orchestrator.operations.retire_workflow import retire_workflow
from orchestrator.store.changes.views import show_change
from tests.people import ADMIN, PASSWORD, logged_in, named
from tests.store.changes.governance.gates import Crash, Stop, Then
from tests.store.changes.governance.ground import (
    APPROVERS,
    FIRST,
    PEOPLE,
    SECOND,
    STEPS,
    THIRD,
    Ground,
    content_of,
    workflow,
)
from tests.store.changes.governance.memory import Away, Content, Given, Memory, Writing
from tests.store.changes.governance.recorder import Recorder

WHO = st.sampled_from(PEOPLE)
ADMINS = st.sampled_from([ADMIN, THIRD])
NAMES = st.none() | st.none() | st.none() | WHO  # on a command line, which proves nothing
PICKS = st.integers(0, 5)
STOPS = st.none() | st.none() | st.builds(Stop, gate=st.integers(0, 5), then=st.sampled_from(Then))
OVERTAKES = st.tuples(st.sampled_from(["approve", "edit", "withdraw role", "disable"]), WHO, PICKS)
ADMIN_ACTS = [
    "role acme given", "role acme given", "role * given", "role acme taken", "role * taken",
    "disable", "enable", "invite", "away self", "away admin", "back self",
]  # fmt: skip
ACTS_OF_ADMINS = st.lists(
    st.tuples(st.sampled_from(ADMIN_ACTS), ADMINS, WHO, STOPS), min_size=1, max_size=3
)
WHOM = st.sampled_from([FIRST, FIRST, *PEOPLE])
TIMES = st.sampled_from([None, None, "1h", "1h", "now"])
HOUR_MS = 3_600_000

Overtake = tuple[str, str, int]
APPROVES: Overtake = ("approve", FIRST, 0)

Mishap = tuple[str, str, str]
PEACE: Mishap = ("nothing", FIRST, THIRD)
MISHAPS = st.tuples(
    st.sampled_from([
        "nothing", "edit", "edit now", "same", "sooner", "back", "keeper", "fortnight", "twin",
        "recipe",
        *(f"admin {act}" for act in ADMIN_ACTS),
    ]),
    WHO,
    ADMINS,
)  # fmt: skip


class Machine(RuleBasedStateMachine):
    """One interleaving."""

    def __init__(self, ground: Ground, recorder: Recorder) -> None:
        super().__init__()
        self.ground, self.recorder = ground, recorder
        self.effects: list[Callable[[], None]] = []  # of the act's commits, in their order
        self.sights: dict[tuple[str, str], tuple[str, int]] = {}  # digest and writing, as seen
        self.rollout: Rollout | None = None  # of what is proposed now

    @initialize(governed=st.sampled_from([True, True, False]))
    def it_begins(self, governed: bool) -> None:
        self.store = self.ground.new(governed=governed)
        self.store.committed = self._committed
        given = Given(at=0, by=ADMIN)
        self.memory = Memory(
            live=1,
            content=content_of(15, FIRST, 0),
            roles={(mail, "acme"): given for mail in APPROVERS} if governed else {},
            required=governed,
        )

    @property
    def now(self) -> int:
        return self.ground.clock.ms

    @rule(
        who=WHO, name=NAMES, minutes=st.integers(16, 18), approver=WHOM,
        amended=st.sampled_from([0, 0, 1]), at=TIMES, edits=st.none() | PICKS,
        stop=STOPS, other=OVERTAKES,
    )  # fmt: skip
    def somebody_proposes(
        self, who: str, name: str | None, minutes: int, approver: str, amended: int,
        at: str | None, edits: int | None, stop: Stop | None, other: Overtake,
    ) -> None:  # fmt: skip
        self._propose(who, name or who, (minutes, approver, amended), at, edits, stop, other)

    @rule(
        whos=st.permutations(PEOPLE), name=NAMES, amended=st.integers(0, 1), later=st.booleans(),
        mishaps=st.tuples(MISHAPS, MISHAPS, MISHAPS),
    )  # fmt: skip
    def a_change_lives(
        self, whos: Sequence[str], name: str | None, amended: int, later: bool,
        mishaps: tuple[Mishap, Mishap, Mishap],
    ) -> None:  # fmt: skip
        """Proposed, looked at, approved, live at its time; something happens between any two."""
        before, meanwhile, after = mishaps
        self._happens(*before)
        at = "1h" if later else None
        self._propose(whos[0], name or whos[0], (16, FIRST, amended), at, None, None, None)
        if self.memory.stories:
            self.everybody_looks(0)
            self._happens(*meanwhile)
            self.everybody_approves(whos[1:], 0, looked=True)
            self._happens(*after)
            self.everybody_approves(whos[:2], 0, looked=True)
            self.time_passes(1 if later else 0, True, None, APPROVES)

    @rule(
        whos=st.permutations(PEOPLE), amended=st.integers(0, 1), later=st.booleans(),
        mishap=MISHAPS, place=st.integers(0, 2),
    )  # fmt: skip
    def a_change_lives_nearly_in_peace(
        self, whos: Sequence[str], amended: int, later: bool, mishap: Mishap, place: int
    ) -> None:
        first, second, third = (mishap if one == place else PEACE for one in range(3))
        self.a_change_lives(whos, None, amended, later, (first, second, third))

    @rule(who=WHO, early=st.booleans())
    def somebody_is_said_to_be_away(self, who: str, early: bool) -> None:
        """By an admin, for the named one; said after the proposal it is nothing."""
        if early:
            self._go_away(ADMIN, FIRST, None)
        self._propose(who, who, (17, FIRST, 0), None, None, None, None)
        if not early:
            self._go_away(ADMIN, FIRST, None)
        if self.memory.stories:
            self.everybody_looks(0)
            self._decide(SECOND, 0, Decision.APPROVE, None, None, looked=True)

    @rule(who=WHO, other=WHO)
    def an_approved_change_gets_another_time(self, who: str, other: str) -> None:
        """The words stay, so that its digest does; the approval was of the later time."""
        self._propose(who, who, (17, FIRST, 0), "1h", None, None, None)
        if self.memory.stories:
            self.everybody_looks(0)
            self.everybody_approves(PEOPLE, 0, looked=True)
            self._again(other, "now", 0)
            self.time_passes(0, True, None, APPROVES)

    def _happens(self, what: str, who: str, admin: str) -> None:
        match what.split():
            case ["edit", *at] if self.memory.stories:
                self._propose(who, who, (19, FIRST, 0), at[0] if at else None, 0, None, None)
            case ["same"]:
                self._again(who)
            case ["sooner"]:
                self._again(who, "now", 0)
            case ["back"] if self.memory.stories:
                self.somebody_sends_it_back(who, 0, Decision.REJECT, None, APPROVES)
            case ["twin"]:
                self._twin(who)
            case ["recipe"]:
                self.somebody_publishes_a_recipe(who, None, None, APPROVES)
            case ["keeper"]:
                self.time_passes(0, True, None, APPROVES)
            case ["fortnight"]:
                self.time_passes(14 * 24, False, None, APPROVES)
            case ["admin", *act]:
                self._an_admin_acts(" ".join(act), admin, who, None)

    def _twin(self, who: str) -> None:
        """Somebody proposes another change, and another person makes the older one say the same."""
        older = self._pick(0)
        other = PEOPLE[PEOPLE.index(who) - 1]
        self._propose(who, who, (19, FIRST, 0), None, None, None, None)
        if older is not None and older != self._pick(0):
            self._propose(other, other, (19, FIRST, 0), None, 1, None, None)

    def _again(self, who: str, at: str | None = None, edits: int | None = None) -> None:
        """Somebody says what the newest change says already."""
        for story in list(self.memory.stories.values())[-1:]:
            content = story.writings[-1].content
            for minutes in range(15, 20):
                if content == content_of(minutes, FIRST, 0):
                    self._propose(who, who, (minutes, FIRST, 0), at, edits, None, None)

    def _propose(
        self, who: str, name: str, words: tuple[int, str, int], at: str | None,
        edits: int | None, stop: Stop | None, other: Overtake | None,
    ) -> None:  # fmt: skip
        actor = self._actor(name, proven=who == name)
        edited = None if edits is None else self._pick(edits)
        content = content_of(*words)
        with self._act(f"{who} proposes {words} {at or ''} {edited or ''}", stop, other):
            self.effects = [lambda: self._wrote(who, content, at=at, edited=edited)]
            publish_workflow(
                self.store, workflow(*words), actor=actor, at=at, change=edited,
                rollout=self.rollout,
            )  # fmt: skip

    @rule(who=WHO, author=st.none() | WHO, stop=STOPS, other=OVERTAKES)
    def somebody_publishes_a_recipe(
        self, who: str, author: str | None, stop: Stop | None, other: Overtake
    ) -> None:
        actor, step = self._actor(who), STEPS[0]
        savers = {who, author or who}
        before = self.memory.content or {}
        steps = before.get("amend", [])
        assert isinstance(steps, list)
        content = {**before, "amend": [*steps, step.describe()]}

        def saved() -> None:
            if not self.memory.savers:  # else it is there, and stays its first author's
                self.memory.savers += [(step.describe(), one) for one in savers]

        with self._act(f"{who} publishes the recipe of {author or who}", stop, other):
            self.effects = [saved, lambda: self._wrote(who, content, at=None, edited=None)]
            recipe = Recipe(steps=(step,), author=author)
            publish_amendment(self.store, "acme", "leads", recipe, actor=actor)

    @rule(who=WHO, stop=STOPS, other=OVERTAKES)
    def somebody_retires_it(self, who: str, stop: Stop | None, other: Overtake) -> None:
        actor = self._actor(who)
        with self._act(f"{who} retires it", stop, other):
            self.effects = [lambda: self._wrote(who, None, at=None, edited=None)]
            retire_workflow(self.store, "acme", "leads", why="it is over", actor=actor)

    @precondition(lambda self: self.memory.stories)
    @rule(pick=PICKS)
    def everybody_looks(self, pick: int) -> None:
        token = self._pick(pick) or ""
        with self.store.read() as tx:
            found = show_change(tx, token)
        assert found is not None
        for who in PEOPLE:
            self.sights[who, token] = found.digest, len(self.memory.stories[token].writings) - 1
        self.memory.told.append(f"everybody looks at {token}")

    @precondition(lambda self: self.memory.stories)
    @rule(who=WHO, pick=PICKS, looked=st.booleans(), stop=STOPS, other=OVERTAKES)
    def somebody_approves(
        self, who: str, pick: int, looked: bool, stop: Stop | None, other: Overtake
    ) -> None:
        self._decide(who, pick, Decision.APPROVE, stop, other, looked=looked)

    @precondition(lambda self: self.memory.stories)
    @rule(whos=st.permutations(PEOPLE), pick=PICKS, looked=st.booleans())
    def everybody_approves(self, whos: Sequence[str], pick: int, looked: bool) -> None:
        for who in whos:
            self._decide(who, pick, Decision.APPROVE, None, None, looked=looked)

    @precondition(lambda self: self.memory.stories)
    @rule(
        who=WHO, pick=PICKS, stop=STOPS, other=OVERTAKES,
        decision=st.sampled_from([Decision.REJECT, Decision.REQUEST_CHANGES, None]),
    )  # fmt: skip
    def somebody_sends_it_back(
        self, who: str, pick: int, decision: Decision | None, stop: Stop | None, other: Overtake
    ) -> None:
        if decision is None:
            self._withdraw(who, pick, stop, other)
        else:
            self._decide(who, pick, decision, stop, other)

    def _decide(
        self, who: str, pick: int, decision: Decision,
        stop: Stop | None, other: Overtake | None, *, looked: bool = False,
    ) -> None:  # fmt: skip
        token, actor = self._pick(pick) or "", self._actor(who)
        digest, saw = self.sights.get((who, token), (None, None)) if looked else (None, None)
        with self._act(f"{who} says {decision} to {token}, seen {saw}", stop, other):
            self.effects = [
                lambda: self.memory.say(who, token, decision.value, saw=saw, now=self.now)
            ]
            seen = () if digest is None else (digest,)
            decide_change(self.store, token, decision, actor=actor, why="so it is", seen=seen)

    def _withdraw(self, who: str, pick: int, stop: Stop | None, other: Overtake) -> None:
        token, actor = self._pick(pick) or "", self._actor(who)
        with self._act(f"{who} withdraws {token}", stop, other):
            self.effects = [lambda: setattr(self.memory.stories[token], "withdrawn", True)]
            withdraw_change(self.store, token, actor=actor)

    @rule(acts=ACTS_OF_ADMINS)
    def admins_act(self, acts: list[tuple[str, str, str, Stop | None]]) -> None:
        for act in acts:
            self._an_admin_acts(*act)

    def _an_admin_acts(self, what: str, admin: str, mail: str, stop: Stop | None) -> None:
        match what.split():
            case ["role", client, "given" | "taken" as how]:
                self._change_role(admin, mail, client, stop, withdraw=how == "taken")
            case ["disable" | "enable" as how]:
                self._disable(mail, stop, enable=how == "enable")
            case ["away", how]:
                self._go_away(mail if how == "self" else admin, mail, stop)
            case ["back", _]:
                self._come_back(mail, stop)
            case _:
                self._take_over(admin, mail, stop)

    def _change_role(
        self, giver: str, mail: str, client: str, stop: Stop | None, *, withdraw: bool
    ) -> None:
        def effect() -> None:
            if withdraw:
                self.memory.roles.pop((mail, client), None)
            else:
                self.memory.roles.setdefault((mail, client), Given(at=self.now, by=giver))
                self.memory.required = True

        actor = self._actor(giver)
        change = RoleChange(client=client, role=Role.APPROVER, withdraw=withdraw)
        word = "takes from" if withdraw else "gives"
        with self._act(f"{giver} {word} {mail} the role approver for {client}", stop):
            self.effects = [effect]
            change_roles(self.store, mail, [change], actor=actor)

    def _disable(self, mail: str, stop: Stop | None, *, enable: bool) -> None:
        disabled, actor = self.memory.disabled, self._actor(ADMIN)
        with self._act(f"{mail} is {'enabled' if enable else 'disabled'}", stop):
            self.effects = [lambda: (disabled.discard if enable else disabled.add)(mail)]
            disable_person(self.store, mail, actor=actor, enable=enable)

    def _go_away(self, by: str, mail: str, stop: Stop | None) -> None:
        def effect() -> None:
            until = self.now + 2 * HOUR_MS
            self.memory.away[mail] = Away(to=other, until=until, given=Given(at=self.now, by=by))

        actor, other = self._actor(by), PEOPLE[PEOPLE.index(mail) - 2]
        with self._act(f"{by} says that {mail} is away, and {other} decides", stop):
            self.effects = [effect]
            set_away(self.store, mail, until="2h", to=other, actor=actor)

    def _come_back(self, mail: str, stop: Stop | None) -> None:
        def effect() -> None:
            self.memory.away.pop(mail, None)

        actor = self._actor(mail)
        with self._act(f"{mail} is back", stop):
            self.effects = [effect]
            end_away(self.store, mail, actor=actor)

    def _take_over(self, sender: str, mail: str, stop: Stop | None) -> None:
        def used() -> None:
            if sender != mail:
                self.memory.invited[mail] = Given(at=self.now, by=sender)

        actor = self._actor(sender)
        with self._act(f"{sender} sets the password of {mail} by an invitation", stop):
            self.effects = [lambda: None, used]
            token = invite_person(self.store, mail, actor=actor)
            accept_invite(self.store, token, password=PASSWORD)

    @rule(
        hours=st.sampled_from([0, 1, 1, 2, 24, 14 * 24]), kept=st.booleans(),
        stop=STOPS, other=OVERTAKES,
    )  # fmt: skip
    def time_passes(self, hours: int, kept: bool, stop: Stop | None, other: Overtake) -> None:
        self.ground.clock.advance(hours * 3_600)
        self.memory.told.append(f"{hours} h pass")
        if kept or not hours:
            with self._act("the keeper looks", stop, other):
                keep_time_of_changes(self.store)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.recorder.count(self.memory)
            self.ground.forget(self.store)

    @contextmanager
    def _act(self, told: str, stop: Stop | None, other: Overtake | None = None) -> Iterator[None]:
        self.ground.clock.advance(1)
        self.memory.told.append(f"{told}{f' and {stop.then.value}' if stop else ''}")
        self.recorder.proposed = None
        self.store.expect(stop, lambda: self._overtake(other))
        try:
            yield
        except MeshlineError as error:
            self.memory.told.append(f"  refused: {error}")
        except Crash:
            self.memory.told.append("  dead")
        self.effects = []
        self.store.expect(None, lambda: None)

    def _overtake(self, other: Overtake | None) -> None:
        """Somebody else acts whole, before the next transaction of whoever is acting."""
        if other is None:
            return
        mine, proposed = self.effects, self.recorder.proposed
        what, who, pick = other
        if what == "approve" and self.memory.stories:
            self._decide(who, pick, Decision.APPROVE, None, None)
        elif what == "edit" and self.memory.stories:
            self._propose(who, who, (18, FIRST, 0), None, pick, None, None)
        elif what == "withdraw role":
            self._change_role(ADMIN, who, "acme", None, withdraw=True)
        elif what == "disable":
            self._disable(who, None, enable=False)
        self.effects, self.recorder.proposed = mine, proposed

    def _wrote(
        self, who: str, content: Content | None, *, at: str | None, edited: str | None
    ) -> None:
        """The transaction of a proposal is committed: what does its change say now?"""
        token = self.recorder.proposed
        if token is None:
            return  # what is live says the same already
        before = self.memory.stories.get(token)
        waits = {"1h": self.now + HOUR_MS, "now": None}.get(at or "") if at else None
        if at is None and before is not None:
            waits = before.writings[-1].waits_until
        writing = Writing(
            who=who, content=content, base=self.memory.live, at=self.now, waits_until=waits
        )
        again = before is not None and edited is None and at is None
        self.memory.write(token, writing, open_=self._open() & {*self.memory.stories}, again=again)
        self.memory.told.append(f"  {token} {'again' if again else 'is written'}")

    def _actor(self, mail: str, *, proven: bool = True) -> Actor:
        """A person as they act; people have the same numbers in all interleavings."""
        if (mail, proven) not in self.recorder.actors:
            made = (logged_in if proven else named)(self.store, mail)
            self.recorder.actors[mail, proven] = made
        return self.recorder.actors[mail, proven]

    def _committed(self) -> None:
        if self.effects:
            self.effects.pop(0)()
        with self.store.engine.connect() as tx:
            row = tx.execute(_LIVE).one_or_none()
        version = None if row is None else int(row.version)
        if version != self.memory.live:
            content = None if row is None else orjson.loads(row.definition)
            self.memory.see_live(version, content, now=self.now, by=self.memory.told[-1])

    def _open(self) -> set[str]:
        with self.store.engine.connect() as tx:
            return {str(one) for one in tx.execute(_OPEN).scalars()}

    def _pick(self, pick: int) -> str | None:
        """The token of a change: mostly of one that is open, of the newest rather."""
        tokens: Sequence[str] = list(self.memory.stories)
        if pick < 4:
            open_ = self._open()
            tokens = [one for one in tokens if one in open_] or tokens
        return tokens[-1 - pick % len(tokens)] if tokens else None


_LIVE = text(
    "SELECT version, definition FROM workflow_versions"
    " WHERE client = 'acme' AND name = 'leads' AND live"
)
_OPEN = text("SELECT token FROM changes WHERE state IN ('draft', 'awaiting_approval', 'approved')")
