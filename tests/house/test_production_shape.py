"""Compose file, image and Procfile agree with the code, and nothing starts unprotected."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from orchestrator.domain.heartbeats import ProcessKind
from orchestrator.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
OURS = ("migrate", "door", "relay", "keeper", "worker", "flower")
MAIL = set(
    re.findall(r"env:(MESHLINE_MAIL_\w+)", (ROOT / "connectors/definitions/mail.yaml").read_text())
)
BEATING = ("relay", "keeper", "worker")  # the others answer over HTTP, or to their own client
PASSWORDS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "FLOWER_PASSWORD")


def services() -> dict[str, Any]:
    """The services as Docker reads them, merges applied."""
    loaded: dict[str, Any] = YAML(typ="safe").load(COMPOSE)["services"]
    return loaded


@cache
def commands() -> set[tuple[str, ...]]:
    """Every command of the CLI, as its words."""
    from orchestrator.cli.main import app

    found: set[tuple[str, ...]] = set()

    def walk(command: Any, words: tuple[str, ...]) -> None:
        if subcommands := getattr(command, "commands", None):
            for name, below in subcommands.items():
                walk(below, (*words, name))
        else:
            found.add(words)

    walk(typer.main.get_command(app), ())
    return found


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_runs_a_command_that_exists(name: str) -> None:
    assert tuple(services()[name]["command"]) in commands()


@pytest.mark.parametrize("line", PROCFILE.values(), ids=PROCFILE.keys())
def test_the_procfile_runs_commands_that_exist(line: str) -> None:
    program, *words = shlex.split(line)

    assert program == "meshline"
    assert tuple(words) in commands()


def test_the_procfile_is_one_that_honcho_reads() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "honcho", "check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert set(PROCFILE) == {"door", "relay", "worker", "keeper", "flower"}


@pytest.mark.parametrize("text", [COMPOSE, DOCKERFILE], ids=["compose", "Dockerfile"])
def test_every_setting_is_one_of_ours(text: str) -> None:
    named = set(re.findall(r"\bMESHLINE_[A-Z_]+", text))

    assert named
    assert named <= {f"MESHLINE_{name.upper()}" for name in Settings.model_fields} | MAIL


@pytest.mark.parametrize("name", sorted(set(services()) - {"migrate"}))
def test_every_service_that_stays_has_a_healthcheck(name: str) -> None:
    check = services()[name]["healthcheck"]

    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert len(check["test"]) > 1
    assert {"interval", "timeout", "retries"} <= check.keys()


def test_a_healthcheck_that_asks_the_cli_asks_what_exists() -> None:
    asked = [one["healthcheck"].get("test", []) for one in services().values()]
    ours = [test[2:] for test in asked if test[1:2] == ["meshline"]]

    assert len(ours) == len(BEATING)
    for words in ours:
        assert (words[0],) in commands()
        assert words[1] == "--process"
        assert words[2] in list(ProcessKind)


@pytest.mark.parametrize("name", BEATING)
def test_a_healthcheck_proves_the_process_itself(name: str) -> None:
    assert services()[name]["healthcheck"]["test"] == [
        "CMD",
        "meshline",
        "doctor",
        "--process",
        name,
    ]


@pytest.mark.parametrize("name", sorted(services()))
def test_every_container_is_bounded(name: str) -> None:
    service = services()[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] <= 512
    assert service["mem_limit"]
    assert 0 < service["cpus"] <= 2
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["tmpfs"], "a read-only file system needs room to breathe"
    assert name in OURS or set(service["cap_add"]) == {
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID",
    }  # fmt: skip
    assert name not in OURS or "cap_add" not in service


def test_images_are_named_by_an_exact_tag() -> None:
    named = {one["image"] for one in services().values()}
    named |= set(re.findall(r"(?m)^FROM (\S+)", DOCKERFILE))
    exact = re.compile(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z]+)*")

    assert len(named) == 4
    assert [one for one in named if not exact.fullmatch(one)] == []


SECRETS_OF = {
    "postgres": {"POSTGRES_PASSWORD"},
    "redis": {"REDIS_PASSWORD"},
    "migrate": {"POSTGRES_PASSWORD"},
    "door": {"POSTGRES_PASSWORD", "REDIS_PASSWORD"},
    "relay": {"POSTGRES_PASSWORD", "REDIS_PASSWORD"},
    "keeper": {"POSTGRES_PASSWORD", "LINK_KEY", "MESHLINE_MAIL_PASSWORD", "contacts.env"},
    "worker": {
        *("POSTGRES_PASSWORD", "REDIS_PASSWORD", "MESHLINE_MAIL_PASSWORD"),
        *("TOKEN_KEY", "connectors.env"),
    },
    "flower": {
        *("POSTGRES_PASSWORD", "REDIS_PASSWORD", "FLOWER_PASSWORD", "LINK_KEY"),
        "PROXY_SECRET",
    },
}


@pytest.mark.parametrize("name", sorted(services()))
def test_a_container_gets_its_own_secrets_and_no_others(name: str) -> None:
    service = services()[name]
    given = str(service.get("environment", {}))
    secrets = set(re.findall(r"\$\{(\w*(?:PASSWORD|KEY|SECRET))\b", given))
    files = {one["path"] for one in service.get("env_file", [])}

    assert ".env" not in files, "it holds everybody's"
    assert secrets | files == SECRETS_OF[name]


@pytest.mark.parametrize("name", PASSWORDS)
def test_without_a_password_it_does_not_start(name: str) -> None:
    uses = re.findall(r"(?<!\$)\$\{" + name + r"\b([^}]*)\}", COMPOSE)

    assert uses
    assert all(use.startswith(":?") and len(use) > 2 for use in uses)


def test_no_password_is_written_down() -> None:
    said = re.findall(r"(?im)^\s*\S*(?:password|secret|token|key)\S*:\s*(\S.*)$", COMPOSE)
    said += re.findall(r"requirepass\s+(\S+)", COMPOSE)
    said += re.findall(r"//[^:/\s]*:(\$\{[^}]*\}|[^@\s]*)@", COMPOSE)

    assert len(said) >= 6
    assert all(value.startswith("$") for value in said)


def test_no_password_and_no_key_has_a_default() -> None:
    defaults = re.findall(r"\$\{\w*(?:PASSWORD|SECRET|TOKEN|KEY):-([^}]*)\}", COMPOSE)

    assert defaults
    assert not any(defaults)


def filled_in(text: str, variables: dict[str, str]) -> str:
    """A value as Compose hands it on: `${A}`, `${A:-else}` and `${A:+instead}`, also nested."""
    inmost = re.compile(r"\$\{(\w+)(?:(:[-+?])([^${}]*))?\}")

    def value(found: re.Match[str]) -> str:
        name, operator, other = found.groups()
        given = variables.get(name, "")
        if operator == ":+":
            return other if given else ""
        return given or (other if operator == ":-" else "")

    while inmost.search(text):
        text = inmost.sub(value, text)
    return text


def environment(name: str, **variables: str) -> dict[str, str]:
    """What a service of ours sees, with these variables in .env."""
    found: dict[str, str] = services()[name]["environment"]
    return {key: filled_in(value, variables) for key, value in found.items()}


def test_who_signs_links_and_who_opens_them_have_the_same_key() -> None:
    signs, opens = (environment(name, LINK_KEY="k") for name in ("keeper", "flower"))

    assert signs["MESHLINE_LINK_KEY"] == opens["MESHLINE_LINK_KEY"] == "k"
    assert environment("keeper")["MESHLINE_LINK_KEY"] == "", "a key must not be made up"
    assert environment("flower")["MESHLINE_LINK_KEY"] == ""


def test_links_of_alerts_lead_to_flower() -> None:
    address = "MESHLINE_DASHBOARD_URL"

    assert environment("keeper", DASHBOARD_URL="https://ops.example")[address] == (
        "https://ops.example"
    )
    assert environment("keeper", FLOWER_PORT="6000")[address] == "http://127.0.0.1:6000"
    assert environment("keeper")[address] == "http://127.0.0.1:5555"


def test_the_keeper_gets_a_folder_of_contacts_where_there_is_one() -> None:
    connectors, contacts = services()["keeper"]["volumes"]
    source, folder, access = filled_in(contacts, {"CONTACTS_FOLDER": "./people"}).split(":")
    file = environment("keeper", CONTACTS_FOLDER="./people")["MESHLINE_CONTACTS"]

    assert (source, access) == ("./people", "ro")
    assert file == f"{folder}/contacts.yaml"
    assert environment("keeper")["MESHLINE_CONTACTS"] == ""
    assert filled_in(contacts, {}).startswith("/dev/null:")
    assert services()["worker"]["volumes"] == [connectors], "it may define `mail` anew"


@pytest.mark.parametrize("name", ["keeper", "worker"])
def test_who_sends_mail_gets_every_variable_that_the_connector_names(name: str) -> None:
    filled = {one: f"<{one}>" for one in MAIL}
    given, left = environment(name, **filled), environment(name)

    assert len(MAIL) == 5
    assert {one: given[one] for one in MAIL} == filled
    assert {one for one in MAIL if left[one]} == {"MESHLINE_MAIL_PORT"}


def test_no_port_is_open_to_the_network() -> None:
    published = [port for one in services().values() for port in one.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_ours_start_on_a_store_that_is_ready() -> None:
    for name in OURS[1:]:
        waits = services()[name]["depends_on"]
        assert waits == {"migrate": {"condition": "service_completed_successfully"}}
    assert services()["migrate"]["depends_on"].keys() == {"postgres", "redis"}


def test_the_image_installs_by_hash_and_runs_as_nobody_special() -> None:
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    user = re.findall(r"(?m)^USER (\S+)", DOCKERFILE)
    assert user[-1:] == ["meshline"]


def test_the_image_gets_what_it_copies() -> None:
    kept = (ROOT / ".dockerignore").read_text().split()
    ours = {"tests", "benchmarks", "tools"}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - ours

    assert {f"!{name}" for name in packages | {"sdk", "pyproject.toml", "requirements.lock"}} <= {
        *kept
    }
