"""Names of what there is: in every second request that may succeed they stand for made-up ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation

from orchestrator.domain.changes.rollout import read_rollout
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.quarantine.restore import restore_events
from orchestrator.operations.repair.amend import fix_events
from orchestrator.store.access.keys import list_keys
from orchestrator.store.views.incidents.list import Sought, list_incidents
from orchestrator.store.views.quarantine.list import list_quarantine
from orchestrator.store.views.quarantine.selection import Selection
from tests.api.desk.stories import SOMEBODY, TOKEN, Desk
from tests.api.doors import LEAD
from tests.cli.desk import validate_leads
from tests.hooks import FORM_KEY, PAGE, SECRET
from tests.leads import TEXT, lead_workflow

# Clients without an approver: what is published is live at once, or rolled out.
_TRYING, _TRIED = "initech", "hooli"
_FILE = TEXT.replace("leads", "calls").replace("lead.created", "call.made")
_CLOUD_EVENT = {"specversion": "1.0", "source": "/forms", "client": "acme", "data": LEAD}
_WHEN = "2h"
_LOOK = {"why": "a test", "dry_run": True}
_ENOUGH = 60  # events that acts take out of the quarantine
_UNKNOWN = "x-schemathesis-unknown-property"  # who answers HTTP ignores a header it does not know


class Known:
    """Puts names of what a desk has into requests."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sent: Counter[str] = Counter()  # requests by operation
        for broken in [{"tier": "gold"}] * _ENOUGH + [{"email": "nobody"}]:
            desk.door.emit(data={**LEAD, **broken}, client="acme")
        validate_leads(desk.store)
        *_, self._mended, self._spare = self._quarantined()  # the spare's is alone in its incident
        mended = Selection(ids=(self._mended,))
        fix_events(desk.store, mended, parse_amendments([], ["tier=pro"], []), actor=desk.admin)
        self._rolling = self._rolled_out()
        for late in ("15m", "20m"):
            text = TEXT.replace("client: acme", f"client: {_TRIED}").replace("15m", late)
            publish_workflow(desk.store, lead_workflow(text), actor=desk.admin)
        self._names: Mapping[str, Callable[[], Mapping[str, str]]] = {
            "/v1/events/{id}": lambda: {"id": desk.quarantined},
            "/v1/incidents/{id}": lambda: {"id": str(desk.incident)},
            "/v1/incidents/{id}/resolve": lambda: {"id": str(self._incident_that_is_over())},
            "/v1/plans/{token}": lambda: {"token": desk.story.plan},
            "/v1/jobs/{id}": lambda: {"id": str(desk.story.job)},
            "/v1/jobs/{id}/resume": lambda: {"id": str(desk.story.stopped_job)},
            "/v1/destinations/{name}": lambda: {"name": "acme/leads/crm"},
            "/v1/workflows/{client}/{name}": lambda: {"client": "acme", "name": "leads"},
            "/v1/changes/{change}": lambda: {"change": desk.story.change},
            "/v1/changes/{change}/rollout": lambda: {"change": self._rolling},
            "/v1/changes/{change}/stop": lambda: {"change": self._rolling},
            "/v1/workflows/{client}/{name}/rollback": self._tried,
            "/v1/workflows/{client}/{name}/outcomes": self._tried,
            "/v1/hooks/{source}": lambda: {"source": "token"},
            "/v1/hooks/{source}/{secret}": lambda: {"source": "contact", "secret": FORM_KEY},
            "/v1/freezes/{client}": lambda: {"client": "acme"},
            "/v1/people/{mail}": lambda: {"mail": SOMEBODY},
            "/v1/keys/{id}": lambda: {"id": self._key_of_nobody()},
        }

    def put(self, case: Case[Any]) -> None:
        """Change a request before it is sent."""
        path, label, meta = case.operation.path, case.operation.label, case.meta
        self._sent[label] += 1
        if case.headers:
            case.headers.pop(_UNKNOWN, None)
        if meta is None:
            return
        right = {place for place, one in meta.components.items() if one.mode.is_positive}
        if ParameterLocation.QUERY in right and "wait" in case.query:
            case.query["wait"] = 1  # whoever asks here waits 10 s at most for an answer
        if self._sent[label] % 2 == 0:
            return
        fitting = [one for one in self._names if path.startswith(one)]
        if fitting and ParameterLocation.PATH in right:
            case.path_parameters.update(self._names[max(fitting, key=len)]())
        if ParameterLocation.HEADER in right and case.headers and "If-Match" in case.headers:
            case.headers["If-Match"] = "*"
        if path.startswith("/v1/hooks/") and case.headers is not None:
            case.headers.update({"Origin": PAGE, TOKEN: SECRET})
        if ParameterLocation.BODY in right:
            put = self._body(path, case.body)
            # What is put is looked at anew, and a body that may be left out would count as wrong.
            if put is not case.body:
                case.body = put

    def _body(self, path: str, body: Any) -> Any:
        if path == "/v1/events":
            several = isinstance(body, list)
            return [self._trigger(one) for one in body] if several else self._trigger(body)
        if not isinstance(body, dict):
            return body
        put: dict[str, Any] = {
            "selection": {"ids": [self._event(path)]} if "selection" in body else None,
            "file": _FILE,
            "instead_of": None,
            "change": None,
            "since": None,
            "mail": f"new-{self._sent[f'POST {path}']}@acme.example",
            "owner": "triage@acme.example",
            "until": _WHEN,
            "lasts": _WHEN,
            "person": SOMEBODY,
            "seconds": 3600,
            "overlap_seconds": 60,
            "clients": ["acme"],
        }
        changed = body | {name: value for name, value in put.items() if name in body}
        if path.endswith(("/rollback", "/outcomes")):
            return changed | ({"made_by": 1} if path.endswith("s") else {"to": None, **_LOOK})
        if path == "/v1/freezes/{client}":
            return changed | _LOOK  # other requests go on
        return changed | {"why": "a test"} if path.endswith(("/discard", "/restore")) else changed

    def _rolled_out(self) -> str:
        """A change that is rolled out."""
        desk, text = self._desk, TEXT.replace("client: acme", f"client: {_TRYING}")
        publish_workflow(desk.store, lead_workflow(text), actor=desk.admin)
        candidate = lead_workflow(text.replace("15m", "20m"))
        rollout = read_rollout(None, "5%,100%", "100ev,2h")
        done = publish_workflow(desk.store, candidate, actor=desk.admin, rollout=rollout)
        assert done.change
        return done.change

    def _tried(self) -> Mapping[str, str]:
        """A workflow of two versions."""
        return {"client": _TRIED, "name": "leads"}

    def _trigger(self, body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        known = {"type": "lead.created", "data": LEAD, "client": "acme"}
        if "specversion" not in body:
            return known
        return {**_CLOUD_EVENT, **known, "id": f"form-{self._sent['POST /v1/events']}"}

    def _event(self, path: str) -> str:
        """One in quarantine; for a restore, one that was discarded."""
        if path.endswith("/restore"):
            return self._desk.story.discarded
        if path == "/v1/plans":
            return self._mended
        kept = (self._mended, self._spare)
        left = [one for one in self._quarantined() if one not in kept]
        return left[-1] if left else self._desk.quarantined

    def _incident_that_is_over(self) -> int:
        """One whose only event was discarded, and that nobody has resolved yet."""
        desk, spare = self._desk, Selection(ids=(self._spare,))
        restore_events(desk.store, spare, why="a test", actor=desk.admin)
        discard_events(desk.store, spare, why="a test", actor=desk.admin)
        with desk.store.read() as tx:
            return max(one.id for one in list_incidents(tx, Sought()))

    def _quarantined(self) -> list[str]:
        """The oldest first."""
        with self._desk.store.read() as tx:
            return [one.id for one in list_quarantine(tx, Selection())]

    def _key_of_nobody(self) -> str:
        desk = self._desk
        create_key(desk.store, clients=["acme"], label="form", actor=desk.admin)
        with desk.store.read() as tx:
            return list_keys(tx)[-1].id
