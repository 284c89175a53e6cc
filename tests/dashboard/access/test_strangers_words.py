"""What a request says of itself: where it comes from, where it leads, who a proxy says it is."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from pydantic import SecretStr, ValidationError
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from orchestrator.dashboard.access.local_paths import local_path, login_with
from orchestrator.dashboard.access.origins import is_from_here, origin_of
from orchestrator.dashboard.access.session_cookie import SessionCookie
from orchestrator.dashboard.access.trusted_proxy import SECRET_HEADER, TrustedProxy
from orchestrator.settings import Settings

SECRET = "a-secret-of-the-proxy"
PROXY = TrustedProxy(secret=SECRET, login_header="X-Mail")
OWN, HOST = "https://desk.example", "127.0.0.1:5555"


def request_with(headers: dict[str, str]) -> HTTPServerRequest:
    line = RequestStartLine("POST", "/login", "HTTP/1.1")
    given = HTTPHeaders({"Host": HOST, **headers})
    return HTTPServerRequest(start_line=line, headers=given, connection=Mock())


@pytest.mark.parametrize(
    "asked", ["/", "/events?state=open&x=%2F%2Fy", "/incidents/7?signed=1.a", "/task/a:b@c"]
)
def test_the_login_leads_back_to_a_page_of_ours(asked: str) -> None:
    assert local_path(asked) == asked


@pytest.mark.parametrize(
    "asked",
    [
        *("", "events", "//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example"),
        *("https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example"),
        *("/\r\nSet-Cookie: a=b", "/a\0b", " /events", "/ /evil.example", "/\u2028/evil", "/é"),
        *("/login?next=/events", "/logout", "/invite/abc", "/" + "a" * 3000, "/%5cevil\\x"),
    ],
)
def test_the_login_leads_nowhere_else(asked: str) -> None:
    assert local_path(asked) == "/"


def test_the_address_of_the_login_names_the_page_to_come_back_to() -> None:
    assert (
        login_with("/events?state=open&held=*") == "/login?next=/events%3Fstate%3Dopen%26held%3D%2A"
    )
    assert login_with("//evil.example") == login_with("/") == "/login"


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://other.example"}, True),
        ({"Sec-Fetch-Site": "same-site", "Origin": OWN}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": ""}, False),
        ({"Origin": OWN}, True),
        ({"Origin": f"http://{HOST}"}, True),
        ({"Origin": "https://desk.example.evil.example"}, False),
        ({"Origin": "https://desk.example:8443"}, False),
        ({"Origin": "http://desk.example"}, False),
        ({"Origin": f"ftp://{HOST}"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://["}, False),
        ({"Origin": ""}, False),
        ({}, False),
    ],
)
def test_only_a_page_of_ours_may_change_something(headers: dict[str, str], is_ours: bool) -> None:
    assert is_from_here(headers, host=HOST, own=OWN) is is_ours


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Desk.example/flower/", "https://desk.example"),
        ("https://desk.example:443", "https://desk.example"),
        ("http://127.0.0.1:5555", "http://127.0.0.1:5555"),
        ("http://[::1]:5555/", "http://[::1]:5555"),
        ("http://[", ""),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({SECRET_HEADER: SECRET, "X-Mail": " Ada@acme.example "}, "Ada@acme.example"),
        ({SECRET_HEADER: SECRET}, None),
        ({SECRET_HEADER: SECRET, "X-Mail": " "}, None),
        ({"X-Mail": "ada@acme.example"}, None),
        ({SECRET_HEADER: "", "X-Mail": "ada@acme.example"}, None),
        ({SECRET_HEADER: SECRET + "x", "X-Mail": "ada@acme.example"}, None),
        ({SECRET_HEADER: "\xfc", "X-Mail": "ada@acme.example"}, None),
    ],
)
def test_a_proxy_names_people_for_its_secret(headers: dict[str, str], named: str | None) -> None:
    assert PROXY.named(HTTPHeaders(headers)) == named


def test_without_a_secret_nobody_is_the_proxy() -> None:
    headers = HTTPHeaders({SECRET_HEADER: "", "X-Mail": "ada@acme.example"})

    assert TrustedProxy(secret="", login_header="X-Mail").named(headers) is None
    with pytest.raises(ValidationError, match="MESHLINE_PROXY_SECRET"):
        Settings(proxy_login_header="X-Mail")
    with pytest.raises(ValidationError, match="is not the name of a header"):
        Settings(proxy_login_header="X Mail", proxy_secret=SecretStr(SECRET))
    with pytest.raises(ValidationError, match="under 16 characters"):
        Settings(proxy_secret=SecretStr("short"))


def test_a_secret_that_comes_twice_is_none() -> None:
    headers = HTTPHeaders({SECRET_HEADER: SECRET, "X-Mail": "ada@acme.example"})
    headers.add(SECRET_HEADER, "of-a-stranger")

    assert PROXY.named(headers) is None


@pytest.mark.parametrize(
    ("headers", "is_needed", "address"),
    [
        ({}, False, "192.0.2.1"),
        ({"X-Forwarded-For": "198.51.100.9"}, False, "192.0.2.1"),
        ({"X-Forwarded-For": "198.51.100.9"}, True, None),
        ({"X-Forwarded-For": "1.1.1.1, 198.51.100.9", SECRET_HEADER: SECRET}, True, "198.51.100.9"),
        ({SECRET_HEADER: SECRET}, True, None),
    ],
)
def test_where_a_login_comes_from_is_what_somebody_trusted_says(
    headers: dict[str, str], is_needed: bool, address: str | None
) -> None:
    request = request_with(headers)
    request.remote_ip = "192.0.2.1"

    assert PROXY.address(request, is_needed=is_needed) == address


def test_over_https_no_other_host_can_set_the_cookie() -> None:
    assert SessionCookie(secure=True).name.startswith("__Host-")
    assert not SessionCookie(secure=False).name.startswith("__")


@pytest.mark.parametrize(
    ("sent", "token"), [("abc", "abc"), ("", None), ("a" * 300, None)], ids=("one", "empty", "long")
)
def test_a_cookie_is_read_within_bounds(sent: str, token: str | None) -> None:
    request = request_with({"Cookie": f"meshline-session={sent}; other=1"})

    assert SessionCookie(secure=False).token(request) == token
