"""What the language cannot mean is refused, with the place and with what to write instead."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors.definition.extending import SHIPPED, definition_files
from connectors.definition_file import parse_definition
from connectors.kinds import KINDS, Ports
from orchestrator.domain.errors import InvalidFile
from tests.connectors.rigs import PROJECT

GOOD = """
connector: tool
kind: http
base_url: https://tool.example.com
auth: {bearer: "env:TOKEN"}
errors:
  - {status: 5xx, at: code, is: busy, means: rate_limited, retry_after: {at: wait}}
secrets: {PROJECT: "env:PROJECT"}
rate: {calls: 10, per: 1s}
actions:
  put:
    idempotency: conflict
    proof: read_back
    required: [email]
    create: {path: "/{secret.PROJECT}", json: {email: "{send.email}"}, record_id: id}
    conflict: {status: 409}
    lookup: {path: /a, query: {q: "{send.email}"}, items: "", record_id: id, where: {e: "{key}"}}
    read: {path: "/{record_id}", fields: {email: {at: email, as: caseless}}, within: 2s}
    undo: {path: "/{record_id}"}
  change:
    idempotency: native_key
    proof: read_back
    required: [email, tier]
    lookup: {path: /a, query: {q: "{send.email}"}, items: "", record_id: id}
    update: {path: "/{record_id}", form: {tier: "{send.tier}"}}
    read: {path: "/{record_id}", fields: fields}
"""
OAUTH = 'oauth2: {grant: client_credentials, token_url: "https://a/t", client_id: "env:I"'


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        parse_definition(text, name="tool.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_the_definition_from_which_these_start_is_right() -> None:
    assert parse_definition(GOOD, name="tool.yaml").connector == "tool"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("https://tool", "http://tool", "is not https, which only `private_network: true` allows"),
        ("status: 5xx", "status: 6xx", "write a status such as 404, or 4xx"),
        ("status: 5xx", "status: 99", "write a status such as 404, or 4xx"),
        ("status: 5xx, at: code, is: busy, ", "", "it would fit every answer; add status"),
        ("at: code, is", "is", "errors.0.is: it does not say where; add at: PATH"),
        ("at: code", "at: a..b", "errors.0.at: it is not a path in an answer"),
        ("means: rate_limited", "means: full", "means: it is none of its words; write refused or"),
        ("means: rate_limited", "means: refused", "retry_after: refused does not wait"),
        ("means: rate_limited", "means: refused, on: [wriet]", "write write or lookup or read"),
        ("retry_after: {at: wait}", "retry_after: {at: wait, unit: h}", "not one of its values"),
        ("calls: 10", "calls: 0", "rate.calls: 0 is too small; write at least 1"),
        ("calls: 10", "cals: 10", "rate.cals: this key is not known; write `calls`"),
        ("per: 1s", "per: 1", "rate.per: it is not a duration"),
        ("{secret.PROJECT}", "{secret.PORJECT}", "there is no secret PORJECT"),
        ('secrets: {PROJECT: "env:PROJECT"}', "secrets: {PROJECT: abc}", "it is not a reference"),
        ('where: {e: "{key}"}', 'where: {e: "{secret.PROJECT}"}', "is not found by a secret"),
        ('where: {e: "{key}"}', 'where: {"a[": "{key}"}', "it is not a path in an answer"),
        ("as: caseless", "as: caselss", "email says no known way to compare"),
        ("{at: email, as: caseless}", "{as: text}", "email does not say where it is"),
        ("{at: email, as: caseless}", "5", "email does not say where it is"),
        ("within: 2s", "within: 2m", "it is out of bounds; write 0s to 50s"),
        ("    conflict: {status: 409}\n", "", "conflict needs a `conflict`; add one"),
        ("idempotency: conflict", "idempotency: lookup", "lookup expects none; write idemp"),
        ("conflict: {status: 409}", "conflict: {is: 5}", "it would fit every answer"),
        ('undo: {path: "/{record_id}"}', "undo: {path: /x}", "it does not say which record"),
        ('undo: {path: "/{record_id}"}', "undo: {method: get, path: /x}", "undo.method"),
        ("create: {path", "creat: {path", "this key is not known; write `create`"),
        ("create: {path", "upsert: {path", "write idempotency: native_key"),
        (
            "idempotency: conflict\n    proof: read_back\n    required: [email]\n    create: {path",
            "idempotency: lookup\n    proof: read_back\n    required: [email]\n    create: {method: put, path",  # noqa: E501 - one text
            "it must be safe to repeat",
        ),
        ("update: {path", "update: {record_id: id, path", "the look-up gives the id; take it out"),
        ("update: {path", "update: {json: {}, path", "it has a JSON body too; keep one"),
        (
            "    update: {",
            "    upsert: {path: /}\n    update: {",
            "write one of create, update and",
        ),
        (
            "    update: {",
            "    create: {path: /, record_id: id}\n    update: {",
            "a second create would make a second record; write idempotency: lookup",
        ),
        (
            "idempotency: native_key\n",
            "idempotency: lookup\n    create: {path: /, json: '{send}', record_id: id}\n",
            'would be changed; add where: {PATH: "{send.FIELD}"}',
        ),
        ("fields: fields}", "fields: fields, version: {value: x}}", "only the system knows it"),
        (
            'form: {tier: "{send.tier}"}}',
            'headers: {If-Match: "{version}"}, form: {tier: "{send.tier}"}}',
            "nothing says {version}; add version: {header: ETag} to `read`",
        ),
        (
            'create: {path: "/{secret.PROJECT}",',
            'create: {path: "/{version}",',
            "known only to `update` and `undo`; take {version} out",
        ),
        (
            'update: {path: "/{record_id}", form',
            'url: {header: Location}\n    update: {path: "/{record_id}", form',
            "an update tells no address",
        ),
        ('    update: {path: "/{record_id}", form: {tier: "{send.tier}"}}\n', "", "by nothing"),
        (
            '{path: /a, query: {q: "{send.email}"}, items: "", record_id: id}\n    update: {',
            "{path: /a, record_id: id}\n    undo: {path: '/{record_id}'}\n    upsert: {",
            "undo: upsert may change a record that was there, and this would delete it",
        ),
        (
            "record_id: id}\n    conflict",
            "record_id: {value: '{secret.PROJECT}'}}\n    conflict",
            "create.record_id: it is stored, and shown to people; take {secret.PROJECT} out",
        ),
        (
            "record_id: id}\n    conflict",
            "record_id: id}\n    url: {value: '/x/{secret.PROJECT|md5}'}\n    conflict",
            "url: it is stored, and shown to people; take {secret.PROJECT} out",
        ),
        ("fields: fields}", "fields: fields}\n    undo: {path: '/{record_id}'}", "cannot be taken"),
        ('tier: "{send.tier}"', "tier: x", "tier is taken and never sent"),
        ('bearer: "env:TOKEN"', f"{OAUTH}}}", "it has no secret to show; add client_secret"),
        ('bearer: "env:TOKEN"', f"{OAUTH}, refresh_token: env:R}}", "write grant: refresh_token"),
        (
            'bearer: "env:TOKEN"',
            f"{OAUTH.replace('client_credentials', 'refresh_token')}}}",
            "add refresh_token: env:NAME",
        ),
        (
            'bearer: "env:TOKEN"',
            f"{OAUTH.replace('https', 'http')}, client_secret: env:S}}",
            "auth.oauth2.token_url: it is not https",
        ),
        ('bearer: "env:TOKEN"', 'hmac: {header: Host, secret: "env:S"}', "written for every req"),
        ('bearer: "env:TOKEN"', 'bearer: "env:T", standard_webhooks: "env:S"', "keep one"),
    ],
)
def test_what_makes_no_sense_is_refused(old: str, new: str, said: str) -> None:
    assert old in GOOD

    found = faults(GOOD.replace(old, new, 1))

    assert any(said in fault for fault in found), found


WEIRD: list[Any] = [None, True, 0, -1, 1.5, "", "x", "{", "{send}", "{key}", "a..b", [], [[]], {}]
WEIRD += [{"a": {}}, ["x", 5], {"at": 5}, 10**30, "env:", "file:", "\x00", "9" * 300, "4xx"]


@pytest.mark.parametrize("seed", range(6))
def test_no_definition_however_mangled_does_anything_but_load_or_be_refused(seed: int) -> None:
    chance = random.Random(seed)
    sources = [GOOD, *(one.read_text() for one in definition_files(SHIPPED))]
    for _ in range(25):
        raw = YAML(typ="safe").load(chance.choice(sources))
        _mangle(raw, chance)
        try:
            definition = parse_definition(_yaml(raw), name="tool.yaml")
        except InvalidFile:
            continue
        ports = Ports(client=lambda: pytest.fail("it asked"))
        KINDS[definition.kind].make(definition, PROJECT, ports)


def _mangle(raw: Any, chance: random.Random) -> None:
    """Put something strange somewhere."""
    while True:
        key = chance.choice(list(raw) if isinstance(raw, dict) else range(len(raw)))
        inner = raw[key]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.8:
            raw = inner
            continue
        if isinstance(raw, dict) and chance.random() < 0.3:
            raw[chance.choice(["", "is", "x", "json", "form", "lookup", "undo"])] = raw.pop(key)
        else:
            raw[key] = chance.choice(WEIRD)
        return


def _yaml(raw: object) -> str:
    """JSON is YAML."""
    return json.dumps(raw)
