"""What an HTTP definition must fulfil as a whole, beyond words and types; every fault at once."""

from __future__ import annotations

import re

from connectors.definition.collect_faults import Report, collected
from connectors.definition.references import is_reference
from connectors.http.definition import (
    Auth,
    Batch,
    HttpAction,
    HttpDefinition,
    Means,
    OAuth2,
    Sign,
    Write,
)
from connectors.http.endpoint import url_fault
from connectors.http.paging.checks import check_list, check_wanted
from connectors.http.record_checks import check_origins, check_steps, check_undo
from connectors.http.request_checks import check_requests
from orchestrator.domain.delivery.handoff import Idempotency, Proof
from orchestrator.domain.errors import Fault

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})
_OUR_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "expect"}
)


def http_faults(definition: HttpDefinition) -> list[Fault]:
    """Every fault of a definition whose words and types are right."""
    return collected(lambda report: _check_definition(definition, report))


def _check_definition(definition: HttpDefinition, report: Report) -> None:
    private = definition.private_network
    _check_url("base_url", definition.base_url, report, private=private)
    _check_auth(definition.auth, report, private=private)
    for name in definition.headers:
        _check_header(f"headers.{name}", name, report, secret=True)
    _check_rules("errors", definition.errors, report)
    for name, action in definition.actions.items():
        at = f"actions.{name}"
        _check_rules(f"{at}.errors", action.errors, report)
        _check_headers(at, action, report)
        _check_good(at, action, report)
        if len(action.writes()) == 1 or (action.either and action.upsert is None):
            write_name, write = action.writes()[0]  # of both, the one that makes the record
            _check_proof(at, action, write_name, write, report)
            _check_idempotency(at, action, write_name, write, report)
        else:
            said = " and ".join(name for name, _ in action.writes()) or "nothing"
            fix = "write one of create, update and upsert, or create and update"
            report(at, f"it writes by {said}", fix)
            continue
        _check_lookup(at, action, report)
        check_origins(at, action, report)
        check_steps(at, action, report)
        check_undo(at, action, report)
        _check_paths(at, action, definition.base_url, report)
        check_requests(at, action, definition.secrets, report)
        if action.batch:
            _check_batch(f"{at}.batch", action, action.batch, report)


def _check_batch(at: str, action: HttpAction, said: Batch, report: Report) -> None:
    if action.idempotency is Idempotency.NONE:
        problem = "a lost answer would be lost for all of them, and none could be found again"
        report(at, problem, "take it out, or declare how a record is found")
    if action.update:
        report(at, "an update looks its record up first, one by one", "take it out")
    if said.results is None and (said.where or said.record_id is not None):
        report(at, "it does not say where the results are", "add results: PATH of the list")
    if said.results is not None and not said.where:
        problem = "a tool may answer in any order, and nothing says whose a result is"
        report(at, problem, 'add where: {PATH: "{key}"}')
    if action.proof is Proof.READ_BACK and (said.results is None or said.record_id is None):
        report(at, "it does not take the records' ids", "add results, where and record_id")


def _check_url(path: str, said: str, report: Report, *, private: bool) -> None:
    if not is_reference(said) and (problem := url_fault(said, private=private)):
        report(path, f"it {problem}", "write https://host/path, or env:NAME")


def _check_paths(at: str, action: HttpAction, base_url: str, report: Report) -> None:
    if is_reference(base_url) or "?" not in base_url:
        return
    for name, said in action.requests():
        if said.path:
            problem = "base_url holds a query, which no path can follow"
            report(f"{at}.{name}.path", problem, 'write "", or put the query under `query`')


def _check_auth(auth: Auth, report: Report, *, private: bool) -> None:
    ways = sorted(auth.model_fields_set)
    if len(ways) > 1:
        report("auth", f"it says {' and '.join(ways)}", "keep one")
    if auth.header:
        _check_header("auth.header.name", auth.header.name, report)
    if auth.hmac:
        _check_header("auth.hmac.header", auth.hmac.header, report)
    if auth.oauth2:
        _check_url("auth.oauth2.token_url", auth.oauth2.token_url, report, private=private)
        _check_oauth(auth.oauth2, report)


def _check_oauth(said: OAuth2, report: Report) -> None:
    by_refresh = said.grant == "refresh_token"
    if by_refresh and said.refresh_token is None:
        report("auth.oauth2", "refresh_token has no token", "add refresh_token: env:NAME")
    if not by_refresh and said.refresh_token is not None:
        problem = f"{said.grant} takes none"
        report("auth.oauth2.refresh_token", problem, "write grant: refresh_token")
    if said.client_secret is None and (not by_refresh or said.send_as == "basic"):
        report("auth.oauth2", "it has no secret to show", "add client_secret: env:NAME")


def _check_header(path: str, name: str, report: Report, *, secret: bool = False) -> None:
    if not _HEADER.fullmatch(name):
        report(path, "it is not a header name", "write a name such as X-Api-Key")
    elif name.lower() in _OUR_HEADERS:
        report(path, "this header is written for every request", "take it out")
    elif secret and name.lower() in _SECRET_HEADERS:
        report(path, "a secret must not be here", "write it under `auth`, as env:NAME")


def _check_headers(at: str, action: HttpAction, report: Report) -> None:
    for where, ask in action.requests():
        for name, text in ask.headers.items():
            literal = "{secret." not in text
            _check_header(f"{at}.{where}.headers.{name}", name, report, secret=literal)


def _check_good(at: str, action: HttpAction, report: Report) -> None:
    for where, ask in action.requests():
        for number, sign in enumerate(ask.good):
            _check_sign(f"{at}.{where}.good.{number}", sign, report)


def _check_rules(at: str, rules: tuple[Sign, ...], report: Report) -> None:
    for number, rule in enumerate(rules):
        _check_sign(f"{at}.{number}", rule, report)
        means, wait = getattr(rule, "means", None), getattr(rule, "retry_after", None)
        if wait and means is not Means.RATE_LIMITED:
            report(f"{at}.{number}.retry_after", f"{means} does not wait", "take it out")


def _check_sign(at: str, sign: Sign, report: Report) -> None:
    said = (sign.status, sign.at, sign.header, sign.text, sign.contains)
    if all(one is None for one in said):
        report(at, "it would fit every answer", "add status: 404 or at: PATH")
    if sign.wanted is not None and (sign.at is None) == (sign.header is None):
        where = "where" if sign.at is None else "which of both it is of"
        report(f"{at}.is", f"it does not say {where}", "add at: PATH or header: NAME, one of them")
    check_wanted(f"{at}.is", sign, report)
    if sign.header is not None and None in (sign.wanted or ()):
        report(f"{at}.is", "a header is never null", "write its text")
    if sign.header is not None and not _HEADER.fullmatch(sign.header):
        report(f"{at}.header", "it is not a header name", "write a name such as X-Status")


def _check_proof(at: str, action: HttpAction, name: str, write: Write, report: Report) -> None:
    """Whether an action has the requests that its proof and its undo need."""
    if action.proof is Proof.READ_BACK and action.read is None:
        report(f"{at}.proof", "read_back needs a `read`", "add one, or write proof: receipt")
    if action.proof is Proof.RECEIPT and action.read is not None:
        report(f"{at}.read", "a receipt is never read back", "write proof: read_back")
    needed = action.proof is Proof.READ_BACK or action.lookup or action.undo or action.then
    if (action.update is None or action.either) and needed and write.record_id is None:
        report(f"{at}.{name}", "it does not take the record's id", "add record_id: PATH")
    if action.update and action.update.record_id is not None:
        report(f"{at}.update.record_id", "the look-up gives the id", "take it out")
    if action.update and action.undo and not action.either:
        report(f"{at}.undo", "what an update changed cannot be taken back", "take it out")


def _check_idempotency(
    at: str, action: HttpAction, name: str, write: Write, report: Report
) -> None:
    declared = action.idempotency
    if declared is Idempotency.LOOKUP and action.lookup is None:
        report(f"{at}.idempotency", "lookup needs a `lookup`", "add one, or write none")
    if declared is not Idempotency.NATIVE_KEY and name != "create":
        problem = f"the same {name} again changes nothing"
        report(f"{at}.idempotency", problem, "write idempotency: native_key")
    elif write.method == "put" and declared not in (Idempotency.NATIVE_KEY, Idempotency.CONFLICT):
        problem = "HTTP lets a PUT be repeated on its way, so it must be safe to repeat"
        report(f"{at}.{name}.method", problem, "write post, or idempotency: native_key or conflict")
    if action.conflict is None:
        if declared is Idempotency.CONFLICT:
            report(f"{at}.idempotency", "conflict needs a `conflict`", "add one: {status: 409}")
        return
    _check_sign(f"{at}.conflict", action.conflict, report)
    if declared is not Idempotency.CONFLICT:
        report(f"{at}.conflict", f"{declared} expects none", "write idempotency: conflict")
    known = write.record_id is not None and write.record_id.value is not None
    if action.conflict.record_id is None and action.lookup is None and not known:
        problem = "nothing says which record is there"
        report(f"{at}.conflict", problem, "add record_id: PATH, or a `lookup`")


def _check_lookup(at: str, action: HttpAction, report: Report) -> None:
    declared, lookup = action.idempotency, action.lookup
    if action.update and lookup is None:
        report(f"{at}.update", "nothing finds the record", "add a `lookup`")
    if lookup is None:
        return
    if action.either:
        if declared is Idempotency.NATIVE_KEY:
            problem = "a second create would make a second record"
            report(f"{at}.idempotency", problem, "write idempotency: lookup, or conflict")
        if lookup.items is not None and not lookup.where:
            problem = "a search may find another record, which would be changed"
            report(f"{at}.lookup", problem, 'add where: {PATH: "{send.FIELD}"}')
    if not action.update and declared not in (Idempotency.LOOKUP, Idempotency.CONFLICT):
        report(f"{at}.lookup", f"{declared} never looks up", "write idempotency: lookup")
    check_list(f"{at}.lookup", lookup, report)
    if (lookup.items is None) == (lookup.absent_status is None):
        problem = "it must say in one way how the answer looks where there is no record"
        report(f"{at}.lookup", problem, "write items: PATH of the list, or absent_status: 404")
