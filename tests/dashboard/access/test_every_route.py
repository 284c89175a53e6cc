"""Every route of the desk is a look or an act of the table, and each act answers as the table says.

The acts are sent over real HTTP by people of every role: for the client whose thing it is, for
another client, and for every client. None of the forms says yes, where there are two steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from tornado.routing import URLSpec
from tornado.web import RedirectHandler, StaticFileHandler

from connectors.registry import catalog, load_connectors
from orchestrator.dashboard.access.open_pages import OpenPage
from orchestrator.dashboard.access.sign_out_page import SignOutPage
from orchestrator.dashboard.actions.act import ActPage
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.dashboard.pages.routes import routes
from orchestrator.dashboard.reader import StoreReader
from orchestrator.domain.access.actor import login
from orchestrator.domain.access.roles import EVERY_CLIENT, ROLES_OF_PEOPLE, Role, includes
from orchestrator.domain.acts import ACTS, Act, Scope
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.access.log_in import begin_session
from orchestrator.operations.jobs.start_on_events import start_discard_job
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.store.access.people import credentials_of
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.quarantine.selection import Selection
from tests.dashboard.access.desk import COOKIE
from tests.dashboard.peopled import Peopled, people
from tests.dashboard.rig import RunningFlower, running_flower
from tests.people import add, add_admin

pytestmark = pytest.mark.processes

_TOKEN = "ab" * 16  # a page's cookie and its form have the same
CLIENTS = ("acme", "globex", EVERY_CLIENT)
_SESSIONS = {"log-in", "log-in-by-company", "back-from-company", "sign-out", "invite"}
"""They make and end sessions: what they do is no act on what clients have."""

Form = tuple[str, dict[str, str]]
"""An address of an act, and what its form sends."""


def forms(found: Peopled, *, plan: str, job: int) -> dict[str, tuple[Act, Form]]:
    """By the name of its route: the act of the table, on something of acme's."""
    event, letter = found.filled, found.open_letter
    change, stale = f"/changes/{found.change}", {"seen": "another", "why": "a test"}
    good = '{"email": "ada@example.com", "tier": "pro"}'
    held = "acme/leads/desk"
    recipe = {"recipe": "steps: [{rename: customer_tier, to: tier}]", "seen": "nothing"}
    acts: dict[Act, dict[str, Form]] = {
        Act.ACKNOWLEDGE: {"incident-acknowledge": ("/incidents/1/acknowledge", {})},
        Act.ASSIGN: {"incident-assign": ("/incidents/1/assign", {"to": "a@acme.example"})},
        Act.RESOLVE: {"incident-resolve": ("/incidents/1/resolve", {"why": "a test"})},
        Act.PAUSE: {"destination-pause": (f"/acts/pause/{held}", {"why": "a test"})},
        Act.RESUME: {"destination-resume": (f"/acts/resume/{held}", {"why": "a test"})},
        Act.NOTE: {"incident-note": ("/incidents/1/note", {"why": "a test"})},
        Act.AMEND: {
            "event-amend": (f"/events/{event.renamed}/amend", {"payload": good}),
            "incident-recipe-preview": ("/incidents/1/recipe/preview", recipe),
            "incident-recipe-apply": ("/incidents/1/recipe/apply", recipe),
        },
        Act.RUN_PLAN: {"plan-run": (f"/plans/{plan}/run", {})},
        Act.STOP_JOB: {"job-stop": (f"/jobs/{job}/stop", {})},
        Act.RESUME_JOB: {"job-resume": (f"/jobs/{job}/resume", {})},
        Act.DISCARD: {
            "event-discard": (f"/events/{event.renamed}/discard", {}),
            "events-discard": ("/acts/events/discard", {"event": event.renamed}),
        },
        Act.RESTORE: {
            "event-restore": (f"/events/{event.discarded}/restore", {}),
            "events-restore": ("/acts/events/restore", {"event": event.discarded}),
        },
        Act.REPLAY: {
            "events-replay": ("/acts/events/replay", {"event": event.refused}),
            "incident-plan": ("/incidents/1/plan", {}),
        },
        Act.CLOSE_DEAD_LETTERS: {
            "dead-letter-requeue": (f"/dead-letters/{letter}/requeue", {}),
            "dead-letter-drop": (f"/dead-letters/{letter}/drop", {}),
        },
        Act.DECIDE_CHANGE: {
            f"change-{word}": (f"{change}/{word}", stale)
            for word in ("approve", "request", "reject")
        },
        Act.DECIDE_EVENT: {
            f"approval-{word}": (f"/approvals/{found.asked}/{word}", stale)
            for word in ("approve", "refuse")
        },
        Act.WAIVE_GATE: {"change-waive": (f"{change}/waive", stale | {"gate": "x", "until": "1d"})},
        Act.BACKTEST_CHANGE: {"change-backtest": (f"{change}/backtest", stale)},
        Act.STOP_ROLLOUT: {"change-stop": (f"{change}/stop", stale | {"why": "a test"})},
        Act.WITHDRAW_CHANGE: {"change-withdraw": (f"{change}/withdraw", stale)},
        Act.RETRY_ALERT: {"alerts-retry": ("/alerts/retry", {})},
        Act.TEST_ALERT: {"alerts-test": ("/alerts/test", {"recipient": "a@acme.example"})},
    }
    return {name: (act, form) for act, each in acts.items() for name, form in each.items()}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A Flower with a person for every role and client, and their sessions."""

    flower: RunningFlower
    acts: dict[str, tuple[Act, Form]]
    sessions: dict[tuple[Role, str], str]

    def post(self, form: Form, *, session: str = "", token: str = _TOKEN) -> int:
        """The status that a form of a page of ours is answered with."""
        cookies = {"_xsrf": _TOKEN, COOKIE: session}
        sent = "; ".join(f"{name}={value}" for name, value in cookies.items() if value)
        answer: httpx.Response = self.flower.client.post(
            f"{self.flower.url}{form[0]}",
            data={"_xsrf": token, **form[1]},
            headers={"Origin": self.flower.url, "Cookie": sent},
        )
        self.flower.client.cookies.clear()
        return answer.status_code


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("routes")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store:
        found = people(store)
        chosen, actor = Selection(ids=(found.filled.refused,)), login("cli:ada")
        known = catalog(load_connectors(None))
        plan = plan_replay(store, chosen, catalog=known, actor=actor).token
        job = start_discard_job(store, chosen, actor=actor, why="a test")
        add_admin(store)
        sessions: dict[tuple[Role, str], str] = {}
        for role in ROLES_OF_PEOPLE:
            for client in CLIENTS:
                sessions[role, client] = _session(store, role, client)
        with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
            yield Desk(flower=flower, acts=forms(found, plan=plan, job=job), sessions=sessions)


def _session(store: Store, role: Role, client: str) -> str:
    mail = f"{role}-{CLIENTS.index(client)}@acme.example"
    add(store, mail, role, client)
    with store.write() as tx:
        known = credentials_of(tx, mail)
        assert known is not None
        return begin_session(tx, known, way="page").token


def every_route() -> dict[str, URLSpec]:
    found = routes(StoreReader("sqlite://"))
    return {one.name or one.regex.pattern: one for one in found}


def wrong_with(name: str, route: URLSpec) -> str:
    """Why a route is neither a look nor an act of the table; "" where it is one."""
    page = route.handler_class
    if issubclass(page, RedirectHandler | StaticFileHandler) or name in _SESSIONS:
        return ""
    changes = ("post", "put", "patch", "delete")
    does = [one for one in changes if getattr(page, one) is not getattr(StorePage, one)]
    if not issubclass(page, ActPage):
        return f"it is not an act, and answers {does}" if does else ""
    if does != ["post"] or page.get is not StorePage.get:
        return "an act answers POST and nothing else"
    return "" if getattr(page, "act", None) in ACTS else "its act is not in the table"


def test_every_route_is_a_look_or_an_act_of_the_table(desk: Desk) -> None:
    found = every_route()

    assert {name: why for name, one in found.items() if (why := wrong_with(name, one))} == {}
    acts = {
        name: one.handler_class.act
        for name, one in found.items()
        if issubclass(one.handler_class, ActPage)
    }
    listed = {name: act for name, (act, _) in desk.acts.items()}
    assert listed == acts, "each act has a form here, by which it is tried"
    assert {name for name in _SESSIONS if name in found} == _SESSIONS
    assert all(issubclass(found[name].handler_class, OpenPage | SignOutPage) for name in _SESSIONS)


def expected(act: Act, role: Role, client: str) -> int | None:
    """The status that refuses it; None: it is permitted."""
    rule = ACTS[act]
    if rule.scope is Scope.EVERYWHERE:
        may = client == EVERY_CLIENT and includes(role, rule.least)
        return None if may else HTTPStatus.FORBIDDEN
    if client == "globex":
        return HTTPStatus.NOT_FOUND
    return None if includes(role, rule.least) else HTTPStatus.FORBIDDEN


def test_every_act_answers_every_role_as_the_table_says(desk: Desk) -> None:
    refusals = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
    wrong = []
    for name, (act, form) in desk.acts.items():
        for (role, client), session in desk.sessions.items():
            status = desk.post(form, session=session)
            wanted = expected(act, role, client)
            fits = status == wanted if wanted else status < 500 and status not in refusals
            wrong += [] if fits else [f"{name}: {role} for {client}: {status}, not {wanted}"]

    assert wrong == []


def test_no_act_is_done_without_its_token_or_a_session(desk: Desk) -> None:
    admin = desk.sessions[Role.ADMIN, EVERY_CLIENT]
    for name, (_, form) in desk.acts.items():
        assert desk.post(form, session=admin, token="cd" * 16) == 403, name
        assert desk.post(form) == 401, name
