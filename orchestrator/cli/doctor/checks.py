"""The doctor's checks: each says what it found and, where something is wrong, what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator.cli.doctor.alert_checks import look_at_alerts, look_at_contacts
from orchestrator.cli.doctor.approval_checks import look_at_asked_events
from orchestrator.cli.doctor.audit_checks import look_at_the_audit
from orchestrator.cli.doctor.change_checks import (
    look_at_changes,
    look_at_definitions,
    look_at_gates,
)
from orchestrator.cli.doctor.findings import CheckResult, attention, broken, ok
from orchestrator.cli.doctor.job_checks import look_at_jobs
from orchestrator.cli.doctor.login_checks import look_at_company_login
from orchestrator.cli.doctor.plan_checks import look_at_plans
from orchestrator.cli.doctor.process_checks import look_at_processes
from orchestrator.cli.doctor.proxy_checks import look_at_proxies
from orchestrator.cli.doctor.source_checks import look_at_sources
from orchestrator.cli.doctor.spool_checks import look_at_spools
from orchestrator.cli.doctor.token_checks import look_at_tokens, tokens_problem
from orchestrator.cli.doctor.wake_checks import look_at_wake_ups
from orchestrator.cli.terminal.open_store import missing_file, no_store
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.domain.delivery.blockers import told_calls
from orchestrator.domain.delivery.breakers import Block
from orchestrator.domain.errors import BrokerUnavailable, InvalidFile, MeshlineError, StartupFailed

if TYPE_CHECKING:
    from orchestrator.domain.workflows.catalog import Catalog
    from orchestrator.settings import Settings
    from orchestrator.store.database.engine import Store

_LITTLE_DISK, _NO_DISK = 1_000_000_000, 100_000_000  # bytes


@dataclass(frozen=True, kw_only=True)
class Connectors:
    """What this machine knows of connectors."""

    actions: Catalog = field(default_factory=dict)
    unset: Mapping[str, str] = field(default_factory=dict)  # by name, what it lacks here
    digests: Mapping[str, str] = field(default_factory=dict)  # by name, of their definitions


def look_at_everything() -> Iterator[CheckResult]:
    """Every check, those first on which others rest."""
    from orchestrator.settings import settings

    try:
        config = settings()
    except StartupFailed as error:
        yield broken("settings", str(error), "correct the setting that it names")
        return
    yield ok("settings", "they are valid")
    for name in config.unknown_variables():
        fix = "unset it; a secret of a connector is named in its definition, as env:NAME"
        yield attention("settings", f"nothing here reads {name}", fix)
    yield _look_at_broker(config)
    connectors, finding = _look_at_connectors(config)
    yield finding
    yield from look_at_sources(config)
    yield from look_at_proxies()
    yield from look_at_contacts(config)
    yield from look_at_company_login(config)
    yield from _look_at_store(config, connectors)
    yield from _look_at_disk(config)


def _look_at_broker(config: Settings) -> CheckResult:
    from orchestrator.broker import call_broker

    try:
        call_broker(config)
    except StartupFailed as error:
        found, _, fix = str(error).partition(": ")
        return broken("broker", found, fix)
    except BrokerUnavailable as error:
        fix = "start it, or correct MESHLINE_BROKER_URL; the door accepts meanwhile"
        return broken("broker", str(error), fix)
    return ok("broker", "it answers")


def _look_at_connectors(config: Settings) -> tuple[Connectors, CheckResult]:
    from connectors.registry import known_connectors, unresolved

    try:
        known = known_connectors(config.connectors)
        actions = {name: one.connector.actions for name, one in known.items()}
        unset = unresolved(config.connectors, no_tokens=tokens_problem(config))
    except InvalidFile as error:
        fix = "correct the definition; MESHLINE_CONNECTORS names the folder"
        return Connectors(), broken("connectors", str(error), fix)
    ready = ", ".join(sorted(actions.keys() - unset.keys())) or "none is set up here"
    others = f"; {len(unset)} more are not set up here" if unset else ""
    digests = {name: one.digest() for name, one in known.items()}
    found = Connectors(actions=actions, unset=unset, digests=digests)
    return found, ok("connectors", f"{ready}{others}")


def _look_at_store(config: Settings, connectors: Connectors) -> Iterator[CheckResult]:
    from orchestrator.store.database.engine import Store

    try:
        store = Store(config.store_url)
    except MeshlineError as error:
        yield broken("store", str(error), "correct MESHLINE_DATABASE_URL")
        return
    try:
        yield from _look_into(store, config, connectors)
    except MeshlineError as error:
        yield broken("store", str(error), "start it, or correct MESHLINE_DATABASE_URL")
    finally:
        store.close()


def _look_into(store: Store, config: Settings, connectors: Connectors) -> Iterator[CheckResult]:
    from orchestrator.store.database.migrate import schema_version
    from orchestrator.store.database.schema import HEAD

    shown = store.url.render_as_string(hide_password=True)
    if missing := missing_file(store):
        found, _, fix = no_store(missing).partition(": ")
        yield broken("store", found, fix)
        return
    with store.read() as tx:
        schema = schema_version(tx)
    if schema == HEAD:
        yield ok("store", f"{shown} answers, schema {schema}")
        yield from _look_at_workflows(store, connectors)
        yield from _look_at_circuits(store)
        yield from look_at_processes(store)
        yield from look_at_wake_ups(store)
        yield from look_at_plans(store)
        yield look_at_jobs(store)
        yield from look_at_changes(store)
        yield from look_at_gates()
        yield from look_at_asked_events(store)
        yield from look_at_definitions(store, connectors.digests)
        yield look_at_the_audit(store)
        yield from look_at_spools(store, config)
        yield from look_at_tokens(store, config)
        known = "mail" in connectors.actions
        lacks = connectors.unset.get("mail") if known else "there is no such connector here"
        yield from look_at_alerts(store, config, mail_lacks=lacks)
    elif schema is None or schema < HEAD:
        fix = "nothing: the first process that starts brings it up to date"
        yield attention("store", f"{shown} has schema {schema}, this is {HEAD}", fix)
    else:
        fix = "run the newer release of Meshline that made it"
        yield broken("store", f"{shown} has schema {schema}, this is {HEAD}", fix)


def _look_at_workflows(store: Store, connectors: Connectors) -> Iterator[CheckResult]:
    from orchestrator.store.views.workflow_versions import list_definitions

    with store.read() as tx:
        live = list_definitions(tx, all_versions=False)
    if not live:
        yield broken("workflows", "none is live", "`meshline workflow publish FILE`")
        return
    yield ok("workflows", f"{len(live)} live")
    for row in live:
        name = f"{row.client}/{row.workflow}"
        yield from _look_at_destinations(name, row.definition, connectors)


def _look_at_destinations(
    name: str, definition: dict[str, Any], connectors: Connectors
) -> Iterator[CheckResult]:
    asked = {(one["connector"], one["action"]) for one in definition["destinations"].values()}
    for connector, action in sorted(asked):
        if action not in connectors.actions.get(connector, {}):
            fix = "put its definition into the folder that MESHLINE_CONNECTORS names"
            found = f"it needs {connector}.{action}, which is not known here"
            yield broken(name, found, fix)
    for connector in sorted({one for one, _ in asked} & connectors.unset.keys()):
        found = f"{connector}: {connectors.unset[connector]}"
        yield attention(name, found, "set it where workers run; here only if one runs here")


def _look_at_circuits(store: Store) -> Iterator[CheckResult]:
    from orchestrator.store.views.destinations.list import blocked_circuits

    with store.read() as tx:
        blocked = blocked_circuits(tx)
    for circuit in shown_here(store, blocked):
        why = told_calls(circuit.block, circuit.breaker)
        if circuit.block == Block.BREAKER:
            why += f" ({circuit.reason})"
        deliveries = "1 delivery" if circuit.held == 1 else f"{circuit.held} deliveries"
        said = f"{why}: {circuit.error}" if circuit.error else why
        found = f"{said}; it holds {deliveries}"
        fix = "see `meshline destinations list`"
        yield attention(f"destination {circuit.name}", found, fix)


def _look_at_disk(config: Settings) -> Iterator[CheckResult]:
    if config.database_url and config.broker_url:
        return  # nothing is kept on this machine
    place = config.home.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:.1f} GB free in {place}"
    if free < _NO_DISK:
        yield broken("disk", found, "make room: the store cannot commit on a full disk")
    elif free < _LITTLE_DISK:
        yield attention("disk", found, "make room soon")
    else:
        yield ok("disk", found)
