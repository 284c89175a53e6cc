"""One spelling of a text whose letters and accents Unicode has in several."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

# Accents are neither letters nor ASCII. No writing has so many on one letter, and to bring a run of
# them into order takes the square of its length.
_RUN = re.compile("((?:[^\\w\x00-\x7f]|[\uff9e\uff9f]){50})")


def composed(text: str, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """The text in a normal form of Unicode; in a run of accents, of each 50 by themselves."""
    return "".join(unicodedata.normalize(form, part) for part in _RUN.split(text))
