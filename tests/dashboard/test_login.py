"""The login: there is always one, and only the right one comes in."""

from __future__ import annotations

from base64 import b64encode

import pytest
from pydantic import SecretStr

from orchestrator.dashboard.login import FormLogins, PageLogin, login_of
from orchestrator.domain.errors import StartupFailed
from orchestrator.operations.access.log_in import SESSION_SECONDS
from orchestrator.settings import Settings

LOGIN = PageLogin(user="operator", password="pass:word")


def basic(credentials: str) -> str:
    return "Basic " + b64encode(credentials.encode()).decode()


def settings(user: str = "operator", password: str | None = "secret") -> Settings:
    return Settings(flower_user=user, flower_password=password and SecretStr(password))


@pytest.mark.parametrize("header", [basic("operator:pass:word"), "basic b3BlcmF0b3I6cGFzczp3b3Jk"])
def test_the_right_login_comes_in(header: str) -> None:
    assert LOGIN.admits(header)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic %%%",
        "Basic \xfc",
        basic("operator:pass"),
        basic("operator:pass:word "),
        basic("Operator:pass:word"),
        basic("operator:p\xe4ss"),
        basic(""),
        "Bearer b3BlcmF0b3I6cGFzczp3b3Jk",
        "b3BlcmF0b3I6cGFzczp3b3Jk",
    ],
)
def test_any_other_stays_out(header: str | None) -> None:
    assert not LOGIN.admits(header)


def test_the_settings_name_the_login() -> None:
    assert login_of(settings()) == PageLogin(user="operator", password="secret")


@pytest.mark.parametrize("password", [None, ""])
def test_without_a_password_it_says_what_to_set(password: str | None) -> None:
    with pytest.raises(StartupFailed, match="MESHLINE_FLOWER_PASSWORD"):
        login_of(settings(password=password))


@pytest.mark.parametrize(
    ("user", "password"), [("", "x"), ("a:b", "x"), ("op", "geh\xe4im"), ("op", "a\nb")]
)
def test_a_login_that_could_not_be_typed_is_refused_at_the_start(user: str, password: str) -> None:
    with pytest.raises(StartupFailed, match="MESHLINE_FLOWER_"):
        login_of(settings(user, password))


def test_a_login_does_not_show_its_password() -> None:
    assert "pass:word" not in repr(LOGIN)


def test_a_login_by_the_form_lasts_until_its_end_or_the_sign_out() -> None:
    now = [0.0]
    logins = FormLogins(lambda: now[0])
    one, other = logins.begin(), logins.begin()

    assert logins.knows(one) and not logins.knows("something else")
    assert logins.end(one) and not logins.end(one)
    assert (logins.knows(one), logins.knows(other)) == (False, True)
    now[0] = SESSION_SECONDS
    assert not logins.knows(other)


@pytest.mark.parametrize(
    ("user", "password", "fits"),
    [
        ("operator", "pass:word", True),
        (" operator ", "pass:word", True),
        ("operator:pass", "word", False),
        ("operator", "pass:word ", False),
        ("", "", False),
        ("op\udc80rator", "p\xe4ss", False),
    ],
)
def test_the_form_takes_the_same_user_and_password(user: str, password: str, fits: bool) -> None:
    assert LOGIN.fits(user, password) is fits
