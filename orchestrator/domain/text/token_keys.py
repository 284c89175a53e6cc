"""The keys that seal tokens in the store, as people write them."""

from __future__ import annotations

import base64

FILE = "file:"
MAKE_A_KEY = "make one with `openssl rand -base64 32`"
_BYTES = 32


def keys_in(text: str) -> tuple[str, ...]:
    """The keys of a list with commas or line breaks, the newest first, in Fernet's alphabet."""
    keys = (one.strip() for one in text.replace(",", "\n").splitlines())
    return tuple(one.translate(_TO_URLS) for one in keys if one)


def keys_fault(text: str) -> str | None:
    """What is wrong with a list of keys, without repeating any of it."""
    keys = keys_in(text)
    if not keys:
        return f"it holds no key; {MAKE_A_KEY}"
    if not all(map(_is_key, keys)):
        which = "it is" if len(keys) == 1 else "one of its keys is"
        return f"{which} not {_BYTES} bytes in base64; {MAKE_A_KEY}"
    return None


def setting_fault(text: str) -> str | None:
    """The same of the setting, which may name a file instead; the file is read when it is used."""
    if text.startswith(FILE):
        return None if text.removeprefix(FILE).strip() else "it names no file; write file:PATH"
    return keys_fault(text)


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == _BYTES
    except ValueError:
        return False


_TO_URLS = str.maketrans("+/", "-_")
