"""The login of Flower: a real process, a real store, and what a browser sends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from flower.urls import handlers
from sqlalchemy import func, select, update

from orchestrator.dashboard import serve
from orchestrator.dashboard.access.entrance import BY_ITSELF
from orchestrator.dashboard.pages.routes import routes
from orchestrator.dashboard.reader import StoreReader
from orchestrator.domain.access.actor import process
from orchestrator.domain.access.roles import Role
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.access.people import disable_person, invite_first_admin, invite_person
from orchestrator.store.access.grants import anybody_is_there
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.database.schema import audit, login_failures, sessions
from orchestrator.store.views.audit_search import AuditSought, search_audit
from tests.dashboard.access.desk import COOKIE, Somebody, add_operator, somebody
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import PASSWORD as BASIC
from tests.dashboard.rig import USER, RunningFlower, running_flower
from tests.people import ADMIN, PASSWORD, add_admin, logged_in

pytestmark = pytest.mark.processes

STATIC = Path(serve.__file__).parent / "static"
ADA = "ada@acme.example"


def shift(store: Store, seconds: float, column: str) -> None:
    """Let time pass for every session."""
    with store.write() as tx:
        at = sessions.c[column]
        tx.execute(update(sessions).values({column: at - int(seconds * 1000)}))


def is_in(browsing: Somebody) -> bool:
    answer = browsing.get("/events")
    assert answer.status_code in (200, 303), answer.text
    return answer.status_code == 200


def test_who_logs_in_comes_to_the_page_they_asked_for(browsing: Somebody) -> None:
    asked = browsing.get("/events?state=quarantined&client=acme")
    assert asked.status_code == 303
    assert asked.headers["Location"] == "/login?next=/events%3Fstate%3Dquarantined%26client%3Dacme"
    form = browsing.get(asked.headers["Location"])
    assert 'name="next" value="/events?state=quarantined&amp;client=acme"' in form.text

    answer = browsing.log_in(ADA, back="/events?state=quarantined&client=acme")

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/events?state=quarantined&client=acme"
    assert is_in(browsing)
    assert browsing.get("/login?next=/tasks").headers["Location"] == "/tasks"


def test_the_cookie_is_for_this_host_and_not_for_scripts(browsing: Somebody) -> None:
    said = browsing.log_in(ADA).headers.get_list("Set-Cookie")

    (cookie,) = [one for one in said if one.startswith(f"{COOKIE}=")]
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    "back", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example"]
)
def test_the_login_leads_to_no_other_host(browsing: Somebody, back: str) -> None:
    assert browsing.log_in(ADA, back=back).headers["Location"] == "/"
    assert (
        browsing.client.get(f"{browsing.url}/login", params={"next": back}).headers["Location"]
        == "/"
    )


@pytest.mark.parametrize(
    ("mail", "password"),
    [
        (ADA, "not the password"),
        (ADA, f" {PASSWORD}"),
        (ADA, ""),
        ("nobody@acme.example", PASSWORD),
        ("", ""),
        ("' OR 1=1 --\0", PASSWORD),
        (ADA, "x" * 5000),
    ],
)
def test_a_wrong_login_says_neither_what_is_wrong_nor_that_the_person_exists(
    browsing: Somebody, people: Store, mail: str, password: str
) -> None:
    answer = browsing.log_in(mail, password)
    with people.write() as tx:
        tx.execute(login_failures.delete())

    assert answer.status_code == 403
    assert "the mail address or the password is wrong" in text_of(answer.text)
    assert browsing.session is None
    assert password not in answer.text or not password.strip()


def test_who_guesses_has_to_wait_also_with_the_right_password(
    browsing: Somebody, people: Store
) -> None:
    add_operator(people, "eve@acme.example", "Eve")
    for _ in range(8):
        browsing.log_in("eve@acme.example", "a guess of many")

    answer = browsing.log_in("eve@acme.example")
    with people.write() as tx:
        tx.execute(login_failures.delete())

    assert answer.status_code == 403
    assert "too many logins failed" in text_of(answer.text)
    assert browsing.log_in(ADA).status_code == 303


def test_a_session_cannot_be_fixed(browsing: Somebody, desk: RunningFlower) -> None:
    with somebody(desk) as attacker:
        attacker.log_in("ben@acme.example")
        fixed = attacker.session
        assert fixed is not None
        browsing.session = fixed

        browsing.post("/login", {"mail": ADA, "password": PASSWORD, "next": "/"})

        assert browsing.session not in (None, fixed)
        assert not is_in(attacker), "the session that the browser held has ended"
    browsing.session = "made-up-by-somebody"
    assert not is_in(browsing)


def test_a_stolen_cookie_is_worth_nothing_after_the_sign_out(
    ada: Somebody, desk: RunningFlower
) -> None:
    with somebody(desk) as thief:
        thief.session = ada.session or ""
        assert is_in(thief)

        answer = ada.post("/logout", {})

        assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
        assert not is_in(thief)
        assert "Your session has ended" in thief.get("/login").text
    assert ada.session is None


def test_the_sign_out_everywhere_ends_every_session_of_that_person_alone(
    ada: Somebody, desk: RunningFlower
) -> None:
    with somebody(desk) as elsewhere, somebody(desk) as ben:
        elsewhere.log_in(ADA)
        ben.log_in("ben@acme.example")
        ada.post("/logout", {})
        assert is_in(elsewhere)
        ada.log_in(ADA)

        ada.post("/logout", {"everywhere": "yes"})

        assert not is_in(elsewhere)
        assert is_in(ben)


def test_a_session_ends_when_it_is_not_used_and_after_half_a_day_in_any_case(
    ada: Somebody, people: Store
) -> None:
    shift(people, 3500, "used_at")
    assert is_in(ada)
    shift(people, 3700, "used_at")
    assert not is_in(ada)

    ada.log_in(ADA)
    shift(people, 12 * 3600, "ends_at")
    assert not is_in(ada)


def test_a_page_that_is_left_open_does_not_keep_its_session(ada: Somebody, people: Store) -> None:
    for _ in range(2):
        shift(people, 2000, "used_at")
        answer = ada.get("/now/revision", **{BY_ITSELF: "1"})

    assert answer.status_code == 303
    assert BY_ITSELF in (STATIC / "live.js").read_text()


def test_who_is_disabled_is_out_at_once(browsing: Somebody, people: Store) -> None:
    add_operator(people, "mal@acme.example", "Mal")
    browsing.log_in("mal@acme.example")
    assert is_in(browsing)

    disable_person(people, "mal@acme.example", actor=logged_in(people, ADMIN))

    assert not is_in(browsing)
    assert browsing.log_in("mal@acme.example").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/logout", "/tasks/datatable", "/api/workers", "/nope"])
def test_another_site_can_post_nothing(ada: Somebody, path: str, headers: dict[str, str]) -> None:
    before = ada.session

    answer = ada.post(path, {"mail": ADA, "password": PASSWORD}, **headers)

    assert answer.status_code == 403
    assert "another site sent this" in answer.text
    assert ada.session == before
    assert is_in(ada)


@pytest.mark.parametrize("token", ["", "ab" * 16, "2|00000000|" + "00" * 16 + "|1796005968"])
@pytest.mark.parametrize("path", ["/login", "/logout", "/tasks/datatable"])
def test_nothing_is_posted_without_the_token_of_a_page(
    ada: Somebody, path: str, token: str
) -> None:
    answer = ada.post(path, {"mail": ADA, "password": PASSWORD, "_xsrf": token})

    assert answer.status_code == 403
    assert is_in(ada)


def test_a_get_ends_no_session(ada: Somebody) -> None:
    page = ada.get("/logout")

    assert "Sign out everywhere" in page.text
    assert is_in(ada)


@pytest.mark.parametrize("path", ["/events", "/workers", "/tasks", "/broker", "/logout"])
def test_every_page_names_the_person_as_text(ada: Somebody, path: str) -> None:
    page = ada.get(path).text

    assert "Ada &lt;b&gt;Lovelace&lt;/b&gt; {{ 7 * 7 }}" in page
    assert "<b>Lovelace" not in page
    assert "Sign out" in page


def test_a_page_is_kept_in_no_cache(ada: Somebody) -> None:
    for path in ("/events", "/workers", "/api/workers"):
        assert ada.get(path).headers["Cache-Control"] == "no-store"


def test_flowers_own_pages_read_and_its_writes_are_off(ada: Somebody) -> None:
    sought = {
        "draw": "1",
        "start": "0",
        "length": "10",
        "search[value]": "",
        "order[0][column]": "0",
        "order[0][dir]": "asc",
        "columns[0][data]": "name",
    }
    assert ada.get("/api/workers").status_code == 200
    assert ada.post("/tasks/datatable", sought).json()["data"] == []
    assert "Read only" in ada.post("/api/task/revoke/x", {}).text


def test_no_route_is_open_but_the_login_invitations_and_the_health_check(
    desk: RunningFlower,
) -> None:
    theirs = [getattr(one, "regex", None) or one[0] for one in handlers]
    ours = [one.regex for one in routes(StoreReader("sqlite://"))]
    paths = [getattr(one, "pattern", one).rstrip("$") for one in (*theirs, *ours)]
    filled = {
        path.replace("/?", "").replace("([0-9]{1,18})", "1").replace("(.+)", "x")
        .replace("(.*)", "x").replace("([^/]+)", "x").replace(".*", "/x")
        .replace("([A-Za-z0-9_-]{1,200})", "x").replace("\\.(csv|json)", ".csv")
        for path in paths
    }  # fmt: skip

    got = {path: desk.client.get(f"{desk.url}{path}").status_code for path in filled}
    sent = {path: desk.client.post(f"{desk.url}{path}").status_code for path in filled}

    assert not [path for path in filled if "(" in path]
    assert {path: code for path, code in got.items() if code != 401} == {
        "/healthcheck": 200,
        "/login": 200,
        "/login/company": 404,  # where no provider is set
        "/login/company/back": 404,
        "/invite/x": 404,
        "/static/x": 404,
        "/events/static/x": 404,
    }
    assert set(sent.values()) == {401, 403, 405}
    assert {path for path, code in sent.items() if code == 405} == {"/healthcheck"}


@pytest.mark.parametrize(
    ("method", "code"), [("PUT", 401), ("DELETE", 401), ("PATCH", 401), ("TRACE", 405)]
)
def test_no_method_passes(desk: RunningFlower, method: str, code: int) -> None:
    assert desk.client.request(method, f"{desk.url}/events").status_code == code


def test_a_stranger_whose_session_ended_over_a_form_comes_back_to_its_page(
    browsing: Somebody,
) -> None:
    referer = f"{browsing.url}/incidents/7?x=1"

    answer = browsing.post("/tasks/datatable", {}, Referer=referer)
    foreign = browsing.post("/tasks/datatable", {}, Referer="https://evil.example/incidents/7")

    assert answer.headers["Location"] == "/login?next=/incidents/7"
    assert foreign.headers["Location"] == "/login"


def test_the_login_of_the_settings_lets_nobody_in_once_there_are_people(
    desk: RunningFlower,
) -> None:
    answer = desk.get("/events")
    shown = desk.client.get(f"{desk.url}/login", auth=(USER, BASIC))

    assert answer.status_code == 401
    assert "MESHLINE_FLOWER_USER and its password let nobody in any more" in answer.text
    assert "WWW-Authenticate" not in answer.headers
    assert "let nobody in any more" in text_of(shown.text)


def test_metrics_are_read_with_a_key_that_may_look_and_nothing_else_is(
    desk: RunningFlower, people: Store
) -> None:
    admin = logged_in(people, ADMIN)
    looks = create_key(people, clients=["*"], label="scraper", actor=admin, role=Role.VIEWER)
    sends = create_key(people, clients=["*"], label="form", actor=admin)

    def status(path: str, key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return desk.client.get(f"{desk.url}{path}", headers=headers).status_code

    assert status("/metrics", looks) == 200
    assert [status("/metrics", key) for key in (sends, "mk_x_y", "_")] == [401, 401, 401]
    assert [status(path, looks) for path in ("/events", "/api/workers")] == [401, 401]


def test_an_invitation_sets_a_password_once(
    browsing: Somebody, people: Store, desk: RunningFlower
) -> None:
    admin = logged_in(people, ADMIN)
    add_operator(people, "eva@acme.example", "Eva")
    browsing.log_in("eva@acme.example")
    token = invite_person(people, "eva@acme.example", actor=admin)
    new = {"password": "quite another one", "again": "quite another one"}

    with somebody(desk) as fresh:
        page = fresh.get(f"/invite/{token}")
        again = fresh.get(f"/invite/{token}")
        short = fresh.post(f"/invite/{token}", {"password": "short", "again": "short"})
        typed = fresh.post(f"/invite/{token}", new | {"again": "quite another"})
        done = fresh.post(f"/invite/{token}", new)
        twice = fresh.post(f"/invite/{token}", new)

        assert (page.status_code, again.status_code) == (200, 200), "looking does not use it"
        assert "Set the password of eva@acme.example" in text_of(page.text)
        assert (short.status_code, typed.status_code) == (400, 400)
        assert (done.status_code, done.headers["Location"]) == (303, "/login?password=set")
        assert twice.status_code == 404
        assert fresh.log_in("eva@acme.example").status_code == 403
        assert fresh.log_in("eva@acme.example", "quite another one").status_code == 303
    assert not is_in(browsing), "sessions under the old password end"


@pytest.mark.parametrize("token", ["x", "../../etc", "%00", "a" * 500, "%3Cscript%3E"])
def test_an_invitation_that_is_none_opens_nothing(browsing: Somebody, token: str) -> None:
    answer = browsing.get(f"/invite/{token}")

    assert answer.status_code in (303, 404)
    assert "<script>" not in answer.text


def test_neither_passwords_nor_tokens_are_logged(
    ada: Somebody, people: Store, desk: RunningFlower
) -> None:
    token = invite_person(people, ADMIN, actor=logged_in(people, ADMIN))
    ada.post(f"/invite/{token}", {"password": "short", "again": "short"})
    ada.post(f"/invite/{token}", {"_xsrf": ""})
    ada.log_in(ADA, "a wrong password here")
    session = ada.session
    assert session is not None

    log = desk.log.read_text()
    assert "403 POST /login" in log
    assert [one for one in (token, session, PASSWORD, "a wrong password") if one in log] == []
    assert "Traceback" not in log


@pytest.fixture
def fresh(tmp_path: Path, valkey: EmbeddedServer) -> Iterator[RunningFlower]:
    """A Flower over an empty store."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
        yield flower


def test_the_login_of_the_settings_works_in_the_form_until_there_are_people(
    tmp_path: Path, fresh: RunningFlower
) -> None:
    with closing(open_store(f"sqlite:///{tmp_path / 'store.db'}")) as store, somebody(fresh) as one:
        assert 'type="text"' in one.get("/login").text, "the user is not a mail address"
        assert one.log_in(USER, "a guess").status_code == 403
        assert one.log_in(USER, BASIC, back="/events").headers["Location"] == "/events"

        assert one.get("/events").status_code == 200
        assert one.post("/logout", {}).status_code == 303
        assert one.get("/events").status_code == 401
        one.log_in(USER, BASIC)
        assert one.get("/events").status_code == 200
        add_admin(store)
        assert one.get("/events").status_code == 303
        assert one.log_in(USER, BASIC).status_code == 403
        with store.read() as tx:
            rows = search_audit(tx, AuditSought(action="log_in"), limit=9).rows
    assert [one.actor for one in rows] == [f"page:{USER}"] * 2


def test_the_link_of_the_first_admin_makes_one_and_closes_the_login_of_the_settings(
    tmp_path: Path, fresh: RunningFlower
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    token = invite_first_admin(store, actor=process("cli:up"))
    assert fresh.get("/events").status_code == 200
    assert fresh.get("/logout").status_code == 200
    assert fresh.get("/events", login=False).headers["WWW-Authenticate"].startswith("Basic ")
    assert "Nobody has been added yet" in text_of(fresh.get("/login", login=False).text)

    def use(mail: str) -> int:
        with somebody(fresh) as one:
            given = {"mail": mail, "name": "<i>", "password": PASSWORD, "again": PASSWORD}
            page = one.get(f"/invite/{token}")
            assert page.status_code in (200, 404)
            return one.post(f"/invite/{token}", given).status_code

    with ThreadPoolExecutor(2) as pool:
        both = sorted(pool.map(use, ["one@acme.example", "two@acme.example"]))

    with store.read() as tx:
        assert anybody_is_there(tx)
        made = select(func.count()).where(audit.c.action == "add_first_admin")
        assert tx.execute(made).scalar_one() == 1
    store.close()
    assert both == [303, 404]
    assert use("three@acme.example") == 404
    assert fresh.get("/events").status_code == 401
    assert fresh.get("/healthcheck", login=False).status_code == 200
