"""What tells one kind of answer from the others: its status, its JSON, its text, a header."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.definition.paths import Steps, as_text, dig_or_none, has, steps
from connectors.http.definition import Sign
from connectors.http.wire.exchange import Answer
from connectors.http.wire.reading import document_of, text_of


class AnswerSign:
    """Tells whether an answer is of one kind: all that is said of it has to fit."""

    def __init__(self, said: Sign, *, missing_is_null: bool = False) -> None:
        self._missing_is_null = missing_is_null
        self.statuses: frozenset[int] | None = said.status
        self._at = None if said.at is None else steps(said.at)
        self._header = said.header
        self._texts = None if said.text is None else frozenset(said.text)
        self._pieces = [piece.casefold() for piece in said.contains or ()]
        named = said.wanted
        self._null_is_wanted = named is not None and None in named
        self._wanted = None if named is None else frozenset(map(as_text, named)) - {None}

    def __call__(self, answer: Answer, document: object) -> bool:
        """Whether the answer, whose JSON is `document`, is of this kind."""
        if self.statuses is not None and answer.status not in self.statuses:
            return False
        if self._at is not None and not self._has_wanted(document, self._at):
            return False
        if self._header is not None and not self._reads(answer.headers.get(self._header)):
            return False
        return self._has_text(answer)

    def _has_wanted(self, document: object, at: Steps) -> bool:
        found = dig_or_none(document, at)
        if found is None and self._null_is_wanted:
            # What is missing is not null: the answer is another one.
            return self._missing_is_null or has(document, at)
        return self._reads(found)

    def _reads(self, found: object) -> bool:
        return bool(found) if self._wanted is None else as_text(found) in self._wanted

    def _has_text(self, answer: Answer) -> bool:
        if self._texts is None and not self._pieces:
            return True
        text = text_of(answer).strip()
        if self._texts is not None and text not in self._texts:
            return False
        folded = text.casefold()
        return not self._pieces or any(piece in folded for piece in self._pieces)


class GoodAnswers:
    """What a request's answer has to be for its work to be done; any 2xx, where nothing is said."""

    def __init__(self, said: Sequence[Sign]) -> None:
        self._signs = [AnswerSign(one) for one in said]

    def have(self, answer: Answer) -> bool:
        """Whether the answer is one of them; without a status of its own a sign asks for a 2xx."""
        if not self._signs:
            return answer.ok
        document = document_or_none(answer)
        return any(
            (answer.ok or sign.statuses is not None) and sign(answer, document)
            for sign in self._signs
        )


def document_or_none(answer: Answer) -> object:
    """The JSON of an answer; None where it is not JSON."""
    try:
        return document_of(answer)
    except ValueError:
        return None
