"""What the person at the command line is shown of payloads: everything goes through here."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, TypeVar

from orchestrator.cli.terminal.screen import note
from orchestrator.cli.terminal.who import actor

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store, Tx
    from orchestrator.store.views.quarantine.selection import Selection

Value = TypeVar("Value")


def shown_here(store: Store, value: Value) -> Value:
    """A view with masks for what this person may not see; that they saw the rest is audited."""
    from orchestrator.presenting.personal.gate import shown

    with store.read() as tx:
        found = shown(tx, value, sees=clients_seen(store, tx))
    if found.seen:
        from orchestrator.operations.note_seen import note_seen

        if not note_seen(store, found.seen, actor=actor(store).name):
            note("the store does not take it: that you saw personal values is not in the audit")
    return found.value


def check_words_here(store: Store, tx: Tx, words: Sequence[str], about: Selection) -> None:
    """Raises Refused for words among personal values that this person may not see."""
    if not words:  # most lists are asked for none, and it takes a while to load
        return
    from orchestrator.operations.check_personal import check_words

    check_words(tx, words, sees=clients_seen(store, tx), about=about)


def clients_seen(store: Store, tx: Tx) -> Container[str]:
    """The clients whose personal values this person may see."""
    from orchestrator.domain.acts import Act
    from orchestrator.operations.access.allow import scope_of

    return scope_of(tx, actor(store), Act.SEE_PERSONAL_DATA)
