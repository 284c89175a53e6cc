"""The keys that seal tokens: named by a setting, or made in the home that holds the store too."""

from __future__ import annotations

import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.domain.delivery.tokens import TokensUnusable
from orchestrator.domain.text.token_keys import FILE, keys_fault, keys_in

_SETTING = "MESHLINE_TOKEN_KEY"
_FILE_NAME = "token.key"
_MOST_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class SealingKeys:
    """The keys of this machine."""

    place: str  # where they come from, as errors name it
    keys: Sequence[str] = field(repr=False)  # the newest first: it seals, and all of them open


def sealing_keys(setting: str | None, *, home: Path | None) -> SealingKeys:
    """The keys that the setting holds or names; else the home's own, made if need be.

    `home` is None where the store is elsewhere: what others have to open cannot be sealed by a key
    of this machine alone. Raises TokensUnusable.
    """
    if not setting and home is not None:
        make_home_key(home)
    return read_keys(setting, home=home)


def keys_problem(setting: str | None, *, home: Path | None) -> str | None:
    """Why no token could be kept on this machine; nothing is made."""
    if not setting and home is not None and not (home / _FILE_NAME).exists():
        return None  # it is made when it is first needed
    try:
        read_keys(setting, home=home)
    except TokensUnusable as error:
        return str(error)
    return None


def make_home_key(home: Path) -> None:
    """Make the home's key, for its owner alone, where there is none. Raises TokensUnusable."""
    place = home / _FILE_NAME
    if place.exists():
        return
    draft = home / f".{_FILE_NAME}-{secrets.token_hex(4)}"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(urlsafe_b64encode(secrets.token_bytes(32)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process made one meanwhile: that one counts
            os.link(draft, place)
    except OSError as error:
        raise TokensUnusable(f"{place} cannot be made: {error.strerror}") from None
    finally:
        with suppress(OSError):
            draft.unlink()


def read_keys(setting: str | None, *, home: Path | None) -> SealingKeys:
    """The keys that are there. Raises TokensUnusable."""
    if setting and not setting.startswith(FILE):
        text, place = setting, _SETTING
    elif setting:
        path = Path(setting.removeprefix(FILE).strip())
        text, place = _content(path, _SETTING), f"{_SETTING} ({path})"
    elif home is not None:
        place = str(home / _FILE_NAME)
        text = _content(home / _FILE_NAME, place)
    else:
        raise TokensUnusable(
            f"{_SETTING} is not set: refresh tokens are kept in the store, sealed with its key"
        )
    if fault := keys_fault(text):
        raise TokensUnusable(f"{place}: {fault}")
    return SealingKeys(place=place, keys=keys_in(text))


def _content(path: Path, named: str) -> str:
    try:
        # Not to wait at a pipe that nobody writes to, and not to read a device without end.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return (file.read(_MOST_BYTES) or b"").decode("ascii")
    except (OSError, ValueError):
        raise TokensUnusable(f"{named}: {path} cannot be read as a list of keys") from None
