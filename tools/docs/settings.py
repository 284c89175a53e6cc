"""docs/reference/settings.md: every setting, and every other variable that some part reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from orchestrator.settings import Settings
from tools.docs.tables import table

_HEAD = """\
# Settings

Every process reads its settings from the environment when it starts, and checks them together. One
that is wrong ends the process with one line that names it; an empty one counts as not set. Times
are in seconds, sizes in bytes.

"""

_CLOCKS = """
Four of the clocks must rise, because each has to end before the next one acts:
`MESHLINE_DISPATCH_BUDGET_SECONDS` < `MESHLINE_TASK_TIME_LIMIT_SECONDS` <
`MESHLINE_VISIBILITY_TIMEOUT_SECONDS` < `MESHLINE_LEASE_SECONDS`.

`MESHLINE_DATABASE_URL` is `postgresql://user:password@host/database` or `sqlite:///file`.
`MESHLINE_BROKER_URL` is `redis://:password@host:6379/0`, or `amqp://user:password@host:5672/vhost`
for RabbitMQ.

## Other variables

"""

OTHERS = {
    "MESHLINE_KEY": "the SDK's `Producer`: its key, where none is given",
    "MESHLINE_URL": "the SDK's `Producer.from_env()`: the address of the door",
    "MESHLINE_SPOOL": "the SDK's `Producer.from_env()`: the path of its spool",
    "MESHLINE_ACTOR": "the `meshline` command: who acts, as `--as` does, or a key of that person",
    "MESHLINE_DEBUG": "the `meshline` command: set, an unexpected error shows its traceback",
    "MESHLINE_MAIL_HOST": "the shipped connector `mail`: the mail server",
    "MESHLINE_MAIL_PORT": "the same: its port",
    "MESHLINE_MAIL_FROM": "the same: the sender's address",
    "MESHLINE_MAIL_USER": "the same: the login",
    "MESHLINE_MAIL_PASSWORD": "the same: the login's password",
    "MESHLINE_SANDBOX_URL": "the example's connectors; `meshline up --example` sets it",
    "MESHLINE_SANDBOX_TOKEN": "the same",
}
"""Variables that are not settings of a process: name, who reads it."""


def write() -> str:
    """The page without its first line."""
    others = [(f"`{name}`", reader) for name, reader in OTHERS.items()]
    return "".join(
        [
            _HEAD,
            table(("variable", "default", "what it is"), _rows()),
            _CLOCKS,
            table(("variable", "who reads it"), others),
        ]
    )


def _rows() -> Iterator[tuple[str, str, str]]:
    for name, field in Settings.model_fields.items():
        bounds = _bounds(field)
        said = f"{field.description} ({bounds})" if bounds else str(field.description)
        yield f"`MESHLINE_{name.upper()}`", _default(field.default), said


def _default(value: object) -> str:
    if value is None:
        return "not set"
    return f"`{value.as_posix() if isinstance(value, Path) else value}`"


def _bounds(field: FieldInfo) -> str:
    words = {"gt": "more than", "ge": "at least", "le": "at most"}
    said = [
        f"{words[name]} {getattr(bound, name)}"
        for bound in field.metadata
        for name in words
        if hasattr(bound, name)
    ]
    return ", ".join(said)
