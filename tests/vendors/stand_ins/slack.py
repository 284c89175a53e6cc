"""Slack as its documentation says: 200 with ok: false, messages by their moment, metadata."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterator

from tests.vendors.cases import LINES, Case
from tests.vendors.stand_ins.server import TOKEN, Asked, Handler, Json, Kept, Reply, StandIn, given


class Slack(StandIn):
    """One workspace with one channel."""

    base = "/api"
    most = 999  # messages a page, whatever `limit` says; 15 for some apps
    names_next = True

    def ids(self) -> Iterator[str]:
        return (f"1700000000.{number:06d}" for number in itertools.count(1))

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("POST", "/chat.postMessage", self.post_message),
            ("GET", "/conversations.history", self.history),
            ("POST", "/chat.delete", self.delete),
        ]

    def unauthorized(self) -> Reply:
        return _wrong("invalid_auth")

    def limited(self) -> Reply:
        body = {"ok": False, "error": "ratelimited"}
        return Reply(status=429, body=body, headers={"Retry-After": "7"})

    def post_message(self, asked: Asked) -> Reply:
        sent = asked.json
        if sent["channel"] != "C1":
            return _wrong("channel_not_found")
        fields = given(text=_mrkdwn(sent["text"]), metadata=sent.get("metadata"))
        record = self.keep("message", fields)
        return Reply(body={"ok": True, "channel": "C1", "ts": record.id, "message": _told(record)})

    def history(self, asked: Asked) -> Reply:
        if asked.query["channel"] != "C1":
            return _wrong("channel_not_found")
        first, last = asked.query.get("oldest", "0"), asked.query.get("latest", "9")
        with_metadata = asked.query.get("include_all_metadata") == "true"
        newest_first = reversed([one for one in self.kept.values() if first <= one.id <= last])
        listed = [_told(one) for one in newest_first]
        start = int(asked.query.get("cursor") or "0")
        end = start + min(int(asked.query.get("limit", "100")), self.most)
        for message in [] if with_metadata else listed:
            message.pop("metadata", None)
        left = end < len(listed)
        cursor = {"response_metadata": {"next_cursor": str(end)}} if left else {}
        body = {"ok": True, "messages": listed[start:end], "has_more": left}
        return Reply(body={**body, **(cursor if self.names_next else {})})

    def delete(self, asked: Asked) -> Reply:
        gone = self.kept.pop(asked.json["ts"], None)
        return Reply(body={"ok": True}) if gone else _wrong("message_not_found")


def _mrkdwn(text: str) -> str:
    """How it keeps a text: entities, addresses as links, emoji as codes."""
    kept = html.escape(text, quote=False)
    kept = re.sub(r"https?://[^\s&]+(?:&amp;[^\s&]+)*", r"<\g<0>>", kept)
    kept = re.sub(r"[\w.]+@[\w.]+\w", r"<mailto:\g<0>|\g<0>>", kept)
    return kept.replace("\U0001f600", ":grinning:").replace("\u2705", ":white_check_mark:")


def _wrong(error: str) -> Reply:
    return Reply(body={"ok": False, "error": error})


def _told(record: Kept) -> Json:
    return {"type": "message", "ts": record.id, **record.fields}


class SlackWebhook(StandIn):
    """An incoming webhook; who has its address may post."""

    base = "/services/T1/B1/s3cret"

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [("POST", "", self.post)]

    def signed_in(self, asked: Asked) -> bool:
        return True

    def unauthorized(self) -> Reply:
        return Reply(status=403, body="invalid_token")

    def limited(self) -> Reply:
        return Reply(status=429, body="rate_limited", headers={"Retry-After": "7"})

    def post(self, asked: Asked) -> Reply:
        if "text" not in asked.json:
            return Reply(status=400, body="no_text")
        self.keep("message", asked.json)
        return Reply(body="ok")


CASES = (
    Case(
        connector="slack",
        action="post_message",
        stand_in=Slack,
        environment={"MESHLINE_SLACK_TOKEN": TOKEN},
        fields={"channel": "C1", "text": "Ann & Bob want <enterprise>"},
        other={"channel": "C1", "text": "Another lead"},
        confirm=("text",),
        rewritten={"text": LINES},
        kind="message",
        spoiled="text",
    ),
    Case(
        connector="slack-webhook",
        action="post_message",
        stand_in=SlackWebhook,
        environment={"MESHLINE_SLACK_WEBHOOK_URL": "URL"},
        fields={"text": "Ann wants enterprise"},
        other={"text": "Another lead"},
        confirm=(),
        kind="message",
    ),
)
