"""Words of older audit rows: such a row is never changed, so its reader knows both words."""

from __future__ import annotations

from orchestrator.domain.changes.states import ChangeMove
from orchestrator.domain.commitments import Detail
from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.domain.jobs import JobMove
from orchestrator.domain.lifecycle import Move

_ACTIONS = {"break": "trip", "close": "recover"}

KNOWN_ACTIONS = frozenset(
    {
        *Move,
        *(f"{move}_incident" for move in IncidentMove),
        *(f"{move}_job" for move in JobMove),
        *(f"{move}_change" for move in ChangeMove),
        *("abandon", "add_first_admin", "add_person", "backtest_change", "bind_login", "breach"),
        "rehearse_change",
        *("add_signing_key", "change_pause", "confirm_signing_key", "revoke_signing_key"),
        "create_key",
        *(
            "find_definition",
            "miss_definition",
            "freeze_changes",
            "thaw_changes",
            "go_away",
            "come_back",
        ),
        *("repin", "rollback"),
        *("disable_person", "drop", "enable_person", "end_pause", "erase", "escalate", "fail"),
        *(
            "grant_role",
            "hold",
            "invite_person",
            "leave_as_made",
            "log_in",
            "log_in_refused",
            "log_out",
        ),
        *("note_incident", "pause", "refuse"),
        "plan_outcomes",
        *("plan_replay", "plan_undo", "proceed", "publish", "recover", "replace_login", "requeue"),
        *(
            "require_approvals",
            "resume",
            "retention",
            "retire",
            "retry_alert",
            "limit_key",
            "revoke_key",
            "rotate_key",
            "run_clock",
        ),
        *("run_plan", "save_recipe", "see_personal_data", "send_again", "set_password"),
        *("stop_clock", "supersede", "tell_owner", "test_alert", "trip", "waive_gate", "wake"),
        *("withdraw_role",),
    }
)
"""What a row can tell of, in the audit's words."""
_KEYS = {"gate": "circuit"}
_RESUMED = {"paused": "pause", "broken": "breaker", "flowing": "rate"}
"""What a circuit was resumed `from`."""


def every_word_of(action: str) -> list[str]:
    """The actions by which rows, old and new, may tell of this one."""
    return [action, *(old for old, new in _ACTIONS.items() if new == action)]


def in_new_words(action: str, detail: Detail | None) -> tuple[str, Detail | None]:
    """Action and detail of a row as one that is written today would have them."""
    if detail is None or "gate" not in detail:
        return action, detail
    said = {_KEYS.get(name, name): value for name, value in detail.items()}
    if isinstance(before := said.get("from"), str):
        said["from"] = _RESUMED.get(before, before)
    return _ACTIONS.get(action, action), said
