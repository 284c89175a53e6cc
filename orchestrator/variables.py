"""The variables `MESHLINE_…` of a process: settings, what definitions name, and the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from orchestrator.domain.errors import StartupFailed
from orchestrator.domain.text.endpoints import broker_fault, database_fault
from orchestrator.domain.text.token_keys import setting_fault

PREFIX = "MESHLINE_"
DEFAULT_HOME = ".meshline"
_FILES = ("connectors", "contacts", "sources")  # they name variables of their own
_ADDRESSES = ("database_url", "broker_url")
# Settings that may be any text, or are checked here too.
_TEXTS = {
    *("home", "dashboard_url", "host", "flower_host", "flower_user", "flower_password"),
    *(*_FILES, *_ADDRESSES, "token_key", "gates"),
}
_OTHERS = frozenset(
    {"MESHLINE_KEY", "MESHLINE_URL", "MESHLINE_SPOOL", "MESHLINE_DEBUG", "MESHLINE_ACTOR"}
)  # read without settings
_SHIPPED = Path(__file__).parents[1] / "connectors" / "definitions"


# The fields of the settings; a test knows that they are all.
# fmt: off
SETTINGS = frozenset("""
    home database_url broker_url connectors contacts sources keeper_seconds dashboard_url link_key
    host port flower_host flower_port flower_user flower_password max_body_bytes
    max_batch_bytes max_batch_events max_values max_depth worker_processes group_size
    groups_in_flight patience_seconds poll_seconds start_limit dispatch_budget_seconds
    dispatch_turn_seconds task_time_limit_seconds visibility_timeout_seconds lease_seconds
    slice_size retention_days stop_seconds alert_digest_seconds job_lease_seconds steward
    proxy token_key proxy_secret proxy_login_header approvals gates
    oidc_issuer oidc_client_id oidc_client_secret oidc_name oidc_mail_claim oidc_domains
    oidc_timeout_seconds
""".split())  # noqa: SIM905 - a list of 36 lines says no more
# fmt: on


APPROVALS = "MESHLINE_APPROVALS"


def approvals_are_required(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether every client's changes need an approval, also where nobody is an approver yet."""
    return environment.get(APPROVALS) in ("required", "signed")


def signatures_are_required(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a version goes live only by an approval that is signed."""
    return environment.get(APPROVALS) == "signed"


GATES = "MESHLINE_GATES"


def gates_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The house's file of gates; None: the gates are as they are by default."""
    named = environment.get(GATES)
    return Path(named) if named else None


def store_url(home: Path, database_url: str | None) -> str:
    """The database's address, the default filled in."""
    if database_url:
        return database_url
    # Quoted: what reads an address reads its escapes, and %20 may be part of a folder's name.
    return f"sqlite:///{quote(str(home.absolute() / 'meshline.db'))}"


def home_fault(home: Path) -> str | None:
    """Why a folder cannot be the home."""
    if not str(home).isprintable():
        return "its path holds a line break or a control character"
    return f"{home} is not a folder" if home.exists() and not home.is_dir() else None


def plain_store_url(environment: Mapping[str, str] = os.environ) -> str | None:
    """The database's address, where `plain_texts` finds the settings; else None."""
    texts = plain_texts(environment)
    if texts is None:
        return None
    return store_url(Path(texts.get("home", DEFAULT_HOME)), texts.get("database_url"))


def plain_texts(environment: Mapping[str, str] = os.environ) -> dict[str, str] | None:
    """The settings by name, read without pydantic, which takes half as long as a listing.

    None where a setting has a value that only the settings themselves can check. Raises
    StartupFailed for a variable that was meant for a setting.
    """
    given = {name: value for name, value in environment.items() if value and _is_ours(name)}
    if any(name != name.upper() for name in given):
        return None
    texts = {name.removeprefix(PREFIX).lower(): value for name, value in given.items()}
    if texts.keys() & SETTINGS - _TEXTS:
        return None
    home, url, broker = Path(texts.get("home", DEFAULT_HOME)), *map(texts.get, _ADDRESSES)
    if home_fault(home) or (url and database_fault(url)) or (broker and broker_fault(broker)):
        return None
    if "token_key" in texts and setting_fault(texts["token_key"]):
        return None
    check_names(SETTINGS, files=[Path(texts[name]) for name in _FILES if name in texts])
    return texts


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def check_names(settings: Collection[str], *, files: Collection[Path]) -> None:
    """Look for variables that were meant for a setting. Raises StartupFailed that names both."""
    unknown = unknown_variables(settings, files=files)
    if not unknown:
        return
    from orchestrator.domain.text.setting_names import nearest_setting  # rapidfuzz takes its time

    for name in unknown:
        nearest = nearest_setting(
            name.upper().removeprefix(PREFIX), [one.upper() for one in settings]
        )
        if nearest:
            raise StartupFailed(
                f"{name} is not a setting, and no definition names it: write {PREFIX}{nearest},"
                " or unset it"
            )


def unknown_variables(
    settings: Collection[str],
    *,
    files: Collection[Path],
    environment: Mapping[str, str] = os.environ,
) -> list[str]:
    """The variables with our prefix that are neither a setting nor named in one of the files.

    `files` are connector definitions, sources, folders of them, or contacts; those that are
    shipped count too. A variable that is empty sets nothing, and is left out.
    """
    known = {f"{PREFIX}{one.upper()}" for one in settings} | _OTHERS
    unknown = [
        name
        for name, value in environment.items()
        if value and _is_ours(name) and name.upper() not in known
    ]
    if not unknown:
        return []
    named = set(re.findall(rf"(?i)\b{PREFIX}\w+", "\n".join(_texts((_SHIPPED, *files)))))
    return sorted(set(unknown) - named)


def _texts(places: Collection[Path]) -> Iterator[str]:
    for place in places:
        for file in sorted(place.glob("*.y*ml")) if place.is_dir() else [place]:
            try:
                yield file.read_text("utf-8", errors="replace")
            except OSError:
                continue  # whoever needs the file says so
