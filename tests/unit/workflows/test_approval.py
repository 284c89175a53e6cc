"""The key `approve` of a route: what it may say, how it is drawn, and what a change of it means."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from orchestrator.cli.workflow.mermaid import flowchart
from orchestrator.domain.approvals.deciding import EventAsked, check_approver, named_decider
from orchestrator.domain.approvals.requests import read_group
from orchestrator.domain.approvals.subject import EventSubject, ToSend
from orchestrator.domain.changes.deciding import Decider, Given
from orchestrator.domain.changes.words.approvals import approval_words
from orchestrator.domain.errors import Forbidden, InvalidFile, Refused
from orchestrator.domain.workflows.workflow import Route
from tests.leads import TEXT, lead_workflow


def asking(approve: str) -> str:
    return TEXT.replace("to: [crm, desk]}", f"to: [crm, desk], approve: {approve}}}")


def test_a_route_asks_its_approver_within_a_time_and_shows_facts() -> None:
    approve = lead_workflow(asking("{within: 90m, show: [tier]}")).routes[0].approve

    assert approve is not None
    assert (approve.by, approve.within_seconds, approve.show) == ("approver", 5_400, ("tier",))
    assert lead_workflow(TEXT).routes[0].approve is None


@pytest.mark.parametrize(
    ("approve", "fault"),
    [
        ("{}", "routes.0.approve.within: it is missing"),
        ("{within: soon}", "routes.0.approve.within"),
        ("{within: 60d}", "60d is out of range"),
        ("{within: 4h, by: owner}", "routes.0.approve.by"),
        ("{within: 4h, show: [teir]}", "there is no fact `teir`; write `tier`"),
        ("{within: 4h, show: [tier, tier]}", "`tier` comes twice"),
        ("{within: 4h, whom: [a]}", "routes.0.approve.whom"),
    ],
)
def test_what_it_cannot_say_is_a_fault_with_its_place(approve: str, fault: str) -> None:
    with pytest.raises(InvalidFile) as error:
        lead_workflow(asking(approve))

    told = [f"{one.path}: {one.problem}; {one.fix}" for one in error.value.faults]
    assert any(fault in one for one in told), told


def test_the_chart_leads_through_the_approver_and_from_a_no_to_quarantine() -> None:
    chart = flowchart(lead_workflow(asking("{within: 4h}")))

    assert 'route1 -- "yes" --> approval1[/"approval<br/>head-of-support@acme.example' in chart
    assert 'approval1 -- "approved" --> destination1' in chart
    assert 'approval1 -- "refused or late" --> quarantine' in chart
    assert "approval2" not in chart


def routes(*approve: str | None) -> list[Route]:
    return [
        Route.model_validate(
            {"when": f"n == {n}", "to": ["crm"]} | ({"approve": {"within": one}} if one else {})
        )
        for n, one in enumerate(approve)
    ]


@pytest.mark.parametrize(
    ("before", "after", "direction", "says"),
    [
        (None, "4h", "stricter", "events where `n == 0` wait for the approver's yes, at most 4h"),
        ("4h", None, "looser", "events where `n == 0` are sent without a person's yes"),
        ("4h", "8h", "looser", "the approver has 8h where `n == 0`, before: 4h"),
        ("4h", "1h", "stricter", "the approver has 1h where `n == 0`, before: 4h"),
    ],
)
def test_a_change_of_it_is_said_in_words(
    before: str | None, after: str | None, direction: str, says: str
) -> None:
    (word,) = approval_words(routes(before), routes(after))

    assert (word.direction, word.says) == (direction, says)
    assert list(approval_words(routes(after), routes(after))) == []


DELIVERY = ToSend(
    name="crm",
    destination="crm",
    item=None,
    connector="crm",
    action="upsert",
    send={"email": "a@example.com", "link": "x"},
    confirm=("email", "link"),
    after=(),
    pending=("link",),
    state="pending",
)
SUBJECT = EventSubject(
    salt="s",
    client="acme",
    workflow="leads",
    version=1,
    event="e",
    route=1,
    deliveries=(DELIVERY,),
    connectors={"crm": "d"},
)


def subject(**changed: object) -> str:
    """The digest of the subject, or of its one delivery, with something else in it."""
    known = {one.name for one in fields(ToSend)}
    own = {name: changed.pop(name) for name in list(changed) if name in known}
    delivery = replace(DELIVERY, **own)  # type: ignore[arg-type]
    return replace(SUBJECT, **({"deliveries": (delivery,)} | changed)).digest()  # type: ignore[arg-type]


def test_a_digest_is_of_all_that_is_sent_and_of_nothing_that_comes_later() -> None:
    same = subject()

    later = {"send": {"email": "a@example.com", "link": "y"}, "state": "confirmed"}
    assert subject(**later) == same
    assert subject(confirm=("email",)) == same
    for other in (
        {"send": {"email": "b@example.com", "link": "x"}}, {"connector": "hubspot"},
        {"action": "create"}, {"item": 1}, {"pending": ()}, {"connectors": {"crm": "e"}},
        {"connectors": {"crm": None}}, {"version": 2}, {"event": "f"}, {"route": 2},
        {"client": "bolt"}, {"workflow": "calls"}, {"salt": "t"}, {"deliveries": ()},
        {"confirm": ()}, {"after": ("desk",)},
    ):  # fmt: skip
        assert subject(**other) != same, other


ADMIN, ADA, EVE = "person:admin@a.example", "ada@a.example", "eve@a.example"


def decider(mail: str, *, by: str = ADMIN, invited: str | None = None) -> Decider:
    sent = None if invited is None else Given(at=1, by=invited)
    return Decider(mail=mail, roles=(Given(at=1, by=by),), invited=sent)


def by_amenders(*amenders: str, named: str | None = None) -> EventAsked:
    return EventAsked(amenders=frozenset(amenders), named=named)


@pytest.mark.parametrize(
    ("one", "asked", "why"),
    [
        (decider(ADA), by_amenders(f"person:{ADA}"), "amended"),
        (Decider(mail=ADA, roles=()), by_amenders(), "have the role"),
        (decider(ADA), by_amenders(ADMIN), "was given by somebody"),
        (decider(ADA, invited=f"person:{EVE}/page"), by_amenders(f"person:{EVE}"), "an invitation"),
        (decider(ADA), by_amenders(named=EVE), "eve@a.example decides"),
    ],
)
def test_whose_word_does_not_count(one: Decider, asked: EventAsked, why: str) -> None:
    with pytest.raises(Forbidden, match=why):
        check_approver(one, asked)


def test_the_named_approver_decides_unless_they_amended_it_or_are_nobody() -> None:
    known = [decider(ADA), decider(EVE)]

    assert named_decider("Ada@a.example", known, ()) == ADA
    assert named_decider("desk@a.example", known, ()) is None
    assert named_decider(ADA, known, {f"person:{ADA}"}) is None
    check_approver(decider(ADA), EventAsked(amenders=frozenset(), named=ADA))


@pytest.mark.parametrize(
    "token", ["", "acme", "acme.leads.0.1", "acme.leads.1", "a.b.1.x", "A.b.1.1"]
)
def test_what_is_not_a_group_is_refused(token: str) -> None:
    with pytest.raises(Refused, match="is not a group of requests"):
        read_group(token)
