"""What can only be written to: a signed webhook, Teams, Segment and PostHog."""

from __future__ import annotations

import base64
import uuid

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.vendors.cases import Case
from tests.vendors.stand_ins.server import TOKEN, Asked, Handler, Json, Reply, StandIn

WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, no").decode()


class Receiver(StandIn):
    """Takes signed webhooks as Standard Webhooks says: each webhook-id once."""

    base = "/hooks/meshline"
    folds = True

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [("POST", "", self.take)]

    def signed_in(self, asked: Asked) -> bool:
        try:
            Webhook(WEBHOOK_SECRET).verify(asked.body, dict(asked.headers))
        except WebhookVerificationError:
            return False
        return True

    def take(self, asked: Asked) -> Reply:
        key = asked.headers["webhook-id"]
        if not (self.folds and self.of("webhook", key=key)):
            self.keep("webhook", {"key": key, **asked.json})
        return Reply(status=204)


class ForgetfulReceiver(Receiver):
    """One that takes every request for a new one."""

    folds = False


class Teams(StandIn):
    """A workflow's webhook; its address is signed in its query."""

    base = "/workflows/w1/triggers/manual/paths/invoke"

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [("POST", "", self.take)]

    def signed_in(self, asked: Asked) -> bool:
        return asked.query.get("sig") == TOKEN

    def unauthorized(self) -> Reply:
        return Reply(status=401, body={"error": {"code": "DirectApiAuthorizationRequired"}})

    def take(self, asked: Asked) -> Reply:
        (card,) = asked.json["attachments"]
        if card["contentType"] != "application/vnd.microsoft.card.adaptive":
            return Reply(status=400, body={"error": {"code": "InvalidCard"}})
        self.keep("card", card["content"])
        return Reply(status=202)


class Segment(StandIn):
    """Folds what has one messageId, for a day at least."""

    base = "/v1"

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [("POST", "/(track|identify)", self.take), ("POST", "/batch", self.take_many)]

    def signed_in(self, asked: Asked) -> bool:
        return asked.headers.get("Authorization") == _basic(TOKEN)

    def take(self, asked: Asked) -> Reply:
        self.keep_once(asked.json)
        return Reply(body={"success": True})

    def take_many(self, asked: Asked) -> Reply:
        for one in asked.json["batch"]:
            if one["type"] not in ("track", "identify"):
                return Reply(status=400, body={"success": False, "message": "malformed"})
            self.keep_once(one)
        return Reply(body={"success": True})

    def keep_once(self, sent: Json) -> None:
        if not self.of("call", messageId=sent["messageId"]):
            self.keep("call", sent)


class PostHog(StandIn):
    """Folds events of one uuid, name, person and day; another uuid than a UUID is not looked at."""

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [("POST", "/i/v0/e/", self.take)]

    def signed_in(self, asked: Asked) -> bool:
        return bool(asked.json["api_key"] == TOKEN)

    def unauthorized(self) -> Reply:
        return Reply(status=401, body={"type": "authentication_error", "code": "invalid_api_key"})

    def take(self, asked: Asked) -> Reply:
        sent = asked.json
        same = {"uuid": _uuid(sent["uuid"]), "event": sent["event"],
                "distinct_id": sent["distinct_id"], "day": sent["timestamp"][:10]}  # fmt: skip
        if not self.of("event", **same):
            self.keep("event", {**sent, **same})
        return Reply(body={"status": "Ok"})


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return str(uuid.uuid4())


def _basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:".encode()).decode()


_HOOK = {"MESHLINE_WEBHOOK_URL": "URL", "MESHLINE_WEBHOOK_SECRET": WEBHOOK_SECRET}
_LEAD = {"type": "lead.created", "data": {"email": "ann@b.example", "score": 1.5}}
_OTHER = {"type": "lead.created", "data": {"email": "bob@b.example"}}

CASES = (
    Case(
        connector="webhook",
        action="send",
        stand_in=Receiver,
        environment=_HOOK,
        fields=_LEAD,
        other=_OTHER,
        confirm=(),
        kind="webhook",
    ),
    Case(
        connector="webhook",
        action="send_once",
        stand_in=ForgetfulReceiver,
        environment=_HOOK,
        fields=_LEAD,
        other=_OTHER,
        confirm=(),
        kind="webhook",
    ),
    Case(
        connector="teams",
        action="post_card",
        stand_in=Teams,
        environment={"MESHLINE_TEAMS_WEBHOOK_URL": f"URL?api-version=1&sig={TOKEN}"},
        address=f"URL?api-version=1&sig={TOKEN}",
        fields={"title": "A new lead", "text": "Ann wants enterprise"},
        other={"title": "A new lead", "text": "Bob does too"},
        confirm=(),
        kind="card",
    ),
    Case(
        connector="segment",
        action="track",
        stand_in=Segment,
        environment={"MESHLINE_SEGMENT_WRITE_KEY": TOKEN},
        fields={"user_id": "u-1", "event": "Lead created", "properties": {"tier": "pro"}},
        other={"user_id": "u-2", "event": "Lead created"},
        confirm=(),
        kind="call",
    ),
    Case(
        connector="segment",
        action="identify",
        stand_in=Segment,
        environment={"MESHLINE_SEGMENT_WRITE_KEY": TOKEN},
        fields={"user_id": "u-1", "traits": {"tier": "pro"}},
        other={"user_id": "u-2"},
        confirm=(),
        kind="call",
    ),
    Case(
        connector="posthog",
        action="capture",
        stand_in=PostHog,
        environment={"MESHLINE_POSTHOG_URL": "URL", "MESHLINE_POSTHOG_PROJECT_KEY": TOKEN},
        fields={"event": "lead created", "distinct_id": "u-1", "timestamp": "2026-11-23T22:00:00Z"},
        other={"event": "lead created", "distinct_id": "u-2", "timestamp": "2026-11-23T22:00:00Z"},
        confirm=(),
        kind="event",
    ),
)
