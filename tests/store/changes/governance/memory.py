"""What the machine remembers of its people's acts, and whether a live version was approved.

Naive on purpose, and of its own: it asks neither the store nor the rules that it judges. It keeps
what people did, in words that a reader can follow, and looks for one good reason why what is live
may be live.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DAY_MS = 86_400_000
DECIDED_WITHIN_MS = 14 * DAY_MS

Content = Mapping[str, object]
"""A definition; None where a text stands for one is a retirement."""


class Unapproved(AssertionError):
    """A version is live that nobody else approved. The message tells the story."""


@dataclass(frozen=True, kw_only=True)
class Writing:
    """What a change says since somebody wrote it."""

    who: str  # a mail address: who acted, whatever name they gave
    content: Content | None  # None: no version is to be live
    base: int | None  # the version that was live
    at: int  # when it was written
    waits_until: int | None  # when it may go live at the earliest

    @property
    def expires(self) -> int:
        """The end of the time in which it may be approved and go live."""
        decided = self.at + DECIDED_WITHIN_MS
        return decided if self.waits_until is None else max(decided, self.waits_until + DAY_MS)


@dataclass(kw_only=True)
class Story:
    """One change."""

    writings: list[Writing] = field(default_factory=list)
    authors: set[str] = field(default_factory=set)
    proven: set[str] = field(default_factory=set)  # authors who acted, and are not only named
    withdrawn: bool = False


@dataclass(frozen=True, kw_only=True)
class Word:
    """What somebody said of a change."""

    who: str
    token: str
    decision: str
    writing: int  # of the change: the number of the last one
    saw: int  # the number of the writing that this person had before them
    at: int
    was_approver: bool  # had the role then, and was not disabled
    stood_in_for: str | None  # the approver who was away then, and in whose place they decided


@dataclass(frozen=True, kw_only=True)
class Given:
    """A role, or a password by an invitation: when, and by whom."""

    at: int
    by: str


@dataclass(frozen=True, kw_only=True)
class Away:
    """Somebody is away, and another person decides in their place."""

    to: str
    until: int
    given: Given


@dataclass(frozen=True, kw_only=True)
class Emergency:
    """What somebody does now that needs no approval."""

    who: str
    token: str | None  # of the change that the glass is broken for; None: it is a rollback


@dataclass(frozen=True, kw_only=True)
class Lived:
    """A version that is or was live."""

    content: Content | None
    by_glass: bool


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A version that decides about some events, beside the one that is live."""

    version: int
    token: str | None  # of the change that somebody approved; None: it needed no approval yet
    base: int | None  # that was live when it began
    since: int


@dataclass(kw_only=True)
class Memory:
    """Everything that was done in one interleaving."""

    live: int | None  # the version
    content: Content | None  # of it
    roles: dict[tuple[str, str], Given]  # approvers, by mail and client
    required: bool  # some approver was there once
    disabled: set[str] = field(default_factory=set)
    invited: dict[str, Given] = field(default_factory=dict)  # the last one of somebody else's
    away: dict[str, Away] = field(default_factory=dict)
    savers: list[tuple[object, str]] = field(default_factory=list)  # steps, and who saved them
    stories: dict[str, Story] = field(default_factory=dict)
    words: list[Word] = field(default_factory=list)
    lived: dict[int, Lived] = field(default_factory=dict)
    frozen_until: int = 0  # nothing goes live by an approval before
    emergency: Emergency | None = None
    trial: Trial | None = None  # that is under way
    trials: list[tuple[str | None, int, int]] = field(default_factory=list)  # token, since, until
    told: list[str] = field(default_factory=list)  # the whole, for whoever reads a failure

    def write(self, token: str, writing: Writing, *, open_: set[str], again: bool) -> None:
        """Somebody wrote a change, or with `again` said once more what it says already."""
        story = self.stories.setdefault(token, Story())
        if not again:
            story.writings.append(writing)
        story.authors |= {writing.who, *self._savers(writing.content)}
        story.proven.add(writing.who)
        # Nobody approves their own words in another change, and an editor stays an author.
        same = [story, *(self.stories[one] for one in open_ - {token} if self._says(one, writing))]
        for one in same:
            one.authors = set().union(*(each.authors for each in same))
            one.proven = set().union(*(each.proven for each in same))

    def _says(self, token: str, writing: Writing) -> bool:
        return self.stories[token].writings[-1].content == writing.content

    def say(self, who: str, token: str, decision: str, *, saw: int | None, now: int) -> None:
        """Somebody decided about a change; `saw` None: about whatever it says."""
        last = len(self.stories[token].writings) - 1
        self.words.append(
            Word(
                who=who,
                token=token,
                decision=decision,
                writing=last,
                saw=last if saw is None else saw,
                at=now,
                was_approver=bool(self._roles(who)),
                stood_in_for=self._stood_in_for(who, self.stories[token], now),
            )
        )

    def see_live(self, version: int | None, content: Content | None, *, now: int, by: str) -> None:
        """A commit let another version be live, or none. Raises Unapproved."""
        glass = self.emergency is not None and self.emergency.token is not None
        for token in self.stories:
            tried = self._was_tried(version, token)
            if self._was_approved(token, content, now, begun=tried):
                self.told.append(f"version {version} is live by {token}")
                break
        else:
            if self._was_an_emergency(version, content):
                self.told.append(f"version {version} is live in an emergency")
            elif self.required:
                self.told.append(f"version {version} is live, and nobody else approved it ({by})")
                raise Unapproved("\n".join(self.told))
            else:
                told = f"version {version} is live unapproved, before there are approvers"
                self.told.append(told)
        if self.live is not None:
            self.lived.setdefault(self.live, Lived(content=self.content, by_glass=False))
        if version is not None:
            self.lived.setdefault(version, Lived(content=content, by_glass=glass))
        self.live, self.content = version, content

    def see_trial(self, version: int | None, content: Content | None, *, now: int, by: str) -> None:
        """After each commit: a version is tried on some events, or none is. Raises Unapproved."""
        before = self.trial
        if before is not None:  # it ran until now, at the least
            self.trials = [one for one in self.trials if one[:2] != (before.token, before.since)]
            self.trials.append((before.token, before.since, now))
        if version is None:
            self.trial = None
        elif before is None or before.version != version:
            approved = [one for one in self.stories if self._was_approved(one, content, now)]
            if self.required and not approved:
                self.told.append(f"version {version} is tried, and nobody else approved it ({by})")
                raise Unapproved("\n".join(self.told))
            token = approved[0] if approved else None
            self.told.append(f"version {version} is tried by {token}")
            self.trial = Trial(version=version, token=token, base=self.live, since=now)
        elif before.base != self.live:
            self.told.append(
                f"version {version} is tried beside {self.live}, and nobody else approved it for"
                f" that ({by})"
            )
            raise Unapproved("\n".join(self.told))

    def _was_tried(self, version: int | None, token: str) -> int | None:
        """When the trial of this version began, which was approved in time; None: it was none."""
        trial = self.trial
        if trial is None or (trial.version, trial.token) != (version, token):
            return None
        return trial.since

    def _was_an_emergency(self, version: int | None, content: Content | None) -> bool:
        """Whether a rollback led here, or the backstop broke the glass."""
        now = self.emergency
        if now is None or now.who in self.disabled:
            return False
        if now.token is None:
            before = self.lived.get(version or 0)
            return before is not None and (before.content, before.by_glass) == (content, False)
        story = self.stories[now.token]
        writing, owners = story.writings[-1], _owners(self.content)
        if (writing.content, writing.base) != (content, self.live) or story.withdrawn:
            return False
        same = content is None or _owners(content) == owners
        return same and owners["backstop"] == now.who

    def _was_approved(
        self, token: str, content: Content | None, now: int, *, begun: int | None = None
    ) -> bool:
        """Whether it may be live now, or, after a trial, since that has `begun`."""
        story = self.stories[token]
        number, writing = len(story.writings) - 1, story.writings[-1]
        if (writing.content, writing.base) != (content, self.live) or story.withdrawn:
            return False
        if now < self.frozen_until or self.emergency is not None:
            return False
        words = [one for one in self.words if (one.token, one.writing) == (token, number)]
        if [one.decision for one in words] != ["approve"]:
            return False
        (word,) = words
        came = now if begun is None else begun
        expires = self._expires(token, writing)
        in_time = word.at < writing.expires and (writing.waits_until or 0) <= came < expires
        if word.saw != number or not in_time or not word.was_approver:
            return False
        return self._counts(word, story)

    def _expires(self, token: str, writing: Writing) -> int:
        """An approved change waits for the end of another one's trial, and a day longer."""
        expires = writing.expires
        for other, since, until in self.trials:
            if other != token and since < expires:
                expires = max(expires, until + DAY_MS)
        return expires

    def _counts(self, word: Word, story: Story) -> bool:
        """Whether this person's yes to this change counts now."""
        who = word.who
        if who in story.authors or not any(self._is_good(one, story) for one in self._roles(who)):
            return False
        if who in self.invited and not self._is_good(self.invited[who], story):
            return False
        return self._named(story) in (None, who, word.stood_in_for)

    def _stood_in_for(self, who: str, story: Story, now: int) -> str | None:
        """The named approver, in whose place they decide; the word for it is theirs or good."""
        named = self._named(story)
        away = self.away.get(named or "")
        if away is None or away.to != who or away.until <= now:
            return None
        return named if away.given.by == named or self._is_good(away.given, story) else None

    def _is_good(self, given: Given, story: Story) -> bool:
        return given.at < story.writings[0].at and given.by not in story.authors

    def _named(self, story: Story) -> str | None:
        """Who alone decides: the version that is live says it, if that person can."""
        name = _owners(self.content or story.writings[-1].content)["approver"]
        can = any(self._is_good(one, story) for one in self._roles(name))
        return name if can and name not in story.proven else None

    def _roles(self, who: str) -> list[Given]:
        if who in self.disabled:
            return []
        return [given for (mail, _), given in self.roles.items() if mail == who]

    def _savers(self, content: Content | None) -> set[str]:
        """Who saved a recipe with a step that this content adds to what is live."""
        steps, before = (_steps(one) for one in (content, self.content))
        return {who for step, who in self.savers if step in steps and step not in before}


def _owners(content: Content | None) -> Mapping[str, str]:
    """Whom a definition names, by role; nobody where there is none."""
    found = (content or {}).get("owners", {})
    assert isinstance(found, Mapping)
    return {str(role): str(mail) for role, mail in found.items()}


def _steps(content: Content | None) -> list[object]:
    found = (content or {}).get("amend", [])
    assert isinstance(found, list)
    return found
