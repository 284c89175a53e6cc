"""Acts on events of a list: those that were ticked, or all that its filters select."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tornado.web import authenticated

from connectors.registry import catalog, load_connectors
from orchestrator.dashboard.actions.act import ActPage
from orchestrator.dashboard.actions.event import told_discard, told_restore
from orchestrator.dashboard.actions.previewed import Confirmation, PreviewedAct
from orchestrator.dashboard.given import searchable
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import Refused
from orchestrator.domain.text.words import sought_words
from orchestrator.operations.jobs.start_on_events import start_discard_job, start_restore_job
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.quarantine.restore import restore_events
from orchestrator.operations.quarantine.select import changed_meanwhile, select_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.store.database.engine import Store
from orchestrator.store.views.quarantine.selection import Cause, Selection
from orchestrator.store.views.values import now_of

_MOST_TICKED = 500
_MOST_CAUSES = 10
_FILTERS = ("client", "workflow", "reason", "incident", "payload", "until")


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What the form of a list chose."""

    ids: tuple[str, ...]  # ticked one by one; none: all that the filters select
    filters: dict[str, str]

    def selection(self) -> Selection:
        """The events in quarantine, or discarded. Raises Refused for a form that chose nothing."""
        if self.ids:
            return Selection(ids=self.ids)
        given = self.filters
        if not given:
            raise Refused(
                "nothing was chosen", field="event", fix="tick events, or filter the list"
            )
        return Selection(
            client=given.get("client"),
            workflow=given.get("workflow"),
            reason=given.get("reason"),
            incident=int(given["incident"]) if "incident" in given else None,
            words=sought_words(given["payload"]) if "payload" in given else (),
            until=int(given["until"]) if "until" in given else None,
        )


class _Choosing(ActPage):
    """Reads what the form of a list chose."""

    def chosen(self) -> Chosen:
        """The ticked events, or the filters. Raises Refused."""
        ids = tuple(dict.fromkeys(map(searchable, self.get_body_arguments("event"))))
        if len(ids) > _MOST_TICKED:
            raise Refused(f"{len(ids)} events are ticked", field="event", fix="choose by filters")
        for name in ("incident", "until"):
            self.number(name)
        given = {name: searchable(self.given(name) or "") for name in _FILTERS}
        every = self.given("all") is not None
        filters = {name: value for name, value in given.items() if value} if every else {}
        return Chosen(ids=() if every else ids, filters=filters)

    def check(self, store: Store, selection: Selection) -> None:
        """Raises Refused for words among personal values that whoever asks may not see."""
        with store.read() as tx:
            words, client = selection.words, selection.client
            self.check_words(tx, words, client=client, workflow=selection.workflow)


class _ByJob(_Choosing, PreviewedAct):
    """An act that a keeper carries out as a job."""

    discarded = False  # whether the events are discarded, or in quarantine

    @authenticated
    async def post(self) -> None:
        """Answer POST /acts/events/ACT."""
        back = self.reverse_url("events")
        try:
            chosen, why = self.chosen(), self.given("why") or ""
            selection = chosen.selection()
        except Refused as error:
            self.refuse(error, back=back)
            return
        if self.is_sure:
            await self.do(
                lambda store: self._start(store, selection, why),
                back=back,
                to=lambda job: str(self.reverse_url("job", str(job))),
            )
        else:
            await self.confirm(lambda store: self._preview(store, chosen), back=back)

    def _start(self, store: Store, selection: Selection, why: str) -> int:
        self.check(store, selection)
        if selection.ids:
            actor, discarded = self.actor, self.discarded
            _, skipped = select_events(
                store, selection, actor=actor, act=self.act, discarded=discarded
            )
            for left in skipped:
                raise changed_meanwhile(left.id, left.act)
        return self.start(store, selection, why)

    def _preview(self, store: Store, chosen: Chosen) -> Confirmation:
        with store.read() as tx:
            until = str(now_of(tx))  # what comes later nobody has seen
        fields = {"all": "yes", **chosen.filters, "until": until} if not chosen.ids else {}
        frozen = Chosen(ids=chosen.ids, filters=fields and {**chosen.filters, "until": until})
        selection = frozen.selection()
        self.check(store, selection)
        return self.preview(store, selection, fields)

    def preview(self, store: Store, chosen: Selection, fields: dict[str, str]) -> Confirmation:
        """What it would do. Raises Refused, Forbidden, NotFound."""
        raise NotImplementedError

    def start(self, store: Store, chosen: Selection, why: str) -> int:
        """The number of the job. Raises Refused, Forbidden, NotFound."""
        raise NotImplementedError


class DiscardChosenPage(_ByJob):
    """Give them up."""

    act = Act.DISCARD

    def preview(self, store: Store, chosen: Selection, fields: dict[str, str]) -> Confirmation:
        """How many, of which causes, and what becomes of them."""
        done = discard_events(store, chosen, why="", actor=self.actor, dry_run=True)
        return _confirmation("Discard", done.ids, done.causes, told_discard, chosen, fields)

    def start(self, store: Store, chosen: Selection, why: str) -> int:
        """Let a keeper give them up."""
        return start_discard_job(store, chosen, actor=self.actor, why=why)


class RestoreChosenPage(_ByJob):
    """Take their discard back."""

    act = Act.RESTORE
    discarded = True

    def preview(self, store: Store, chosen: Selection, fields: dict[str, str]) -> Confirmation:
        """How many, of which causes, and what becomes of them."""
        done = restore_events(store, chosen, why="", actor=self.actor, dry_run=True)
        return _confirmation("Restore", done.ids, done.causes, told_restore, chosen, fields)

    def start(self, store: Store, chosen: Selection, why: str) -> int:
        """Let a keeper take it back."""
        return start_restore_job(store, chosen, actor=self.actor, why=why)


class ReplayChosenPage(_Choosing):
    """Plan their replay: the page of the plan says what would be sent, and nothing is sent yet."""

    act = Act.REPLAY

    @authenticated
    async def post(self) -> None:
        """Answer POST /acts/events/replay."""
        back, actor = self.reverse_url("events"), self.actor
        connectors = self.application.connectors
        try:
            selection = self.chosen().selection()
        except Refused as error:
            self.refuse(error, back=back)
            return

        def plan(store: Store) -> str:
            self.check(store, selection)
            known = catalog(load_connectors(connectors))
            return plan_replay(store, selection, catalog=known, actor=actor).token

        await self.do(plan, back=back, to=lambda token: str(self.reverse_url("plan", token)))


def _confirmation(
    verb: str,
    ids: list[str],
    causes: list[Cause],
    told: Callable[[int], list[str]],
    chosen: Selection,
    fields: dict[str, str],
) -> Confirmation:
    """Raises Refused where there is nothing to do."""
    if not ids:
        raise Refused("none of these events is there any more", fix="look at the list again")
    count = f"{len(ids):,} event{'' if len(ids) == 1 else 's'}"
    named = [
        f"{one.events:,} of {one.client}/{one.workflow} for {one.reason}"
        for one in causes[:_MOST_CAUSES]
    ]
    if more := len(causes) - len(named):
        named.append(f"and of {more:,} more causes")
    return Confirmation(
        title=f"{verb} {count}",
        says=[
            *told(len(ids)),
            *named,
            "A keeper does it as a job: it can be stopped, and each event has its outcome.",
        ],
        button=f"{verb} {count}",
        fields=fields,
        chosen=chosen.ids,
    )
