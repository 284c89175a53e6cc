"""The login: there is always one, and only the right one comes in."""

from __future__ import annotations

from base64 import b64encode

import pytest
from pydantic import SecretStr

from orchestrator.dashboard.login import PageLogin, login_of
from orchestrator.domain.errors import StartupFailed
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
