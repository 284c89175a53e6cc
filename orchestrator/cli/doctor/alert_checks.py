"""The doctor's checks of what tells people: contacts, mail, alerts, and a keeper that runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from orchestrator.cli.doctor.findings import CheckResult, attention, broken, ok
from orchestrator.cli.doctor.process_checks import keeper_beats
from orchestrator.domain.errors import InvalidFile
from orchestrator.presenting.moments import span

if TYPE_CHECKING:
    from orchestrator.keeper.contacts import Contact
    from orchestrator.settings import Settings
    from orchestrator.store.database.engine import Store

_PATIENCE = 60.0  # seconds that a keeper has for what is due
_TURNS = 3  # of a slow keeper, which has longer


def look_at_contacts(config: Settings) -> Iterator[CheckResult]:
    """Whether a keeper could start with the file, and what its references lack here."""
    from orchestrator.keeper.contacts import read_contacts

    try:
        contacts = read_contacts(config.contacts)
    except InvalidFile as error:
        fix = "correct the file that MESHLINE_CONTACTS names; no keeper starts with it"
        yield broken("contacts", str(error), fix)
        return
    missing = _unresolved(contacts, config)
    for problem, some in missing.items():
        others = f" and {len(some) - 1} more" if len(some) > 1 else ""
        fix = "set it where keepers run; here only if one runs here"
        yield attention("contacts", f"{some[0]}{others}: {problem}", fix)
    if not missing:
        known = f"{len(contacts)} in {config.contacts}; every way leads somewhere"
        yield ok("contacts", known if config.contacts else "none are set; people get mails")


def _unresolved(contacts: Mapping[str, Contact], config: Settings) -> dict[str, list[str]]:
    """The contacts by what a reference of theirs lacks."""
    from connectors.definition.references import UnresolvedReference, resolve

    folder = config.contacts.parent if config.contacts else None
    missing: dict[str, list[str]] = {}
    for name, contact in contacts.items():
        for way in contact.to:
            try:
                resolve(way, folder=folder)
            except UnresolvedReference as error:
                missing.setdefault(str(error), []).append(name)
    return missing


def look_at_alerts(
    store: Store, config: Settings, *, mail_lacks: str | None
) -> Iterator[CheckResult]:
    """Whether alerts can be sent, are sent, and a keeper runs; `mail_lacks` is what mail lacks."""
    yield from _look_at_mail(store, config, mail_lacks)
    yield _look_at_failing(store)
    yield from _look_at_detours(store)
    yield from _look_at_steward(store, config)
    yield _look_at_keeper(store, config)


def _look_at_mail(store: Store, config: Settings, lacks: str | None) -> Iterator[CheckResult]:
    from orchestrator.domain.text.addresses import is_mailable

    try:
        people = _by_mail_alone(store, config)
    except InvalidFile:
        return  # the check of the contacts says so
    refused = [one for one in people if not is_mailable(one)]
    if people and lacks:
        fix = "set it where keepers run, or name another way in the file of MESHLINE_CONTACTS"
        who = "1 person has" if len(people) == 1 else f"{len(people)} people have"
        found = f"{who} no other way, and it is not set up: {lacks}"
        yield attention("mail", found, fix)
    for one in refused:
        fix = "name a plain ASCII address in the workflow, or another way in MESHLINE_CONTACTS"
        yield attention("mail", f"{one} has no other way, and mail does not take it", fix)
    if not refused and not (people and lacks):
        yield ok("mail", "it is set up" if people else "nobody is reached by it alone")


def _by_mail_alone(store: Store, config: Settings) -> list[str]:
    """Whom live workflows name and a keeper would tell, by mail and in no other way."""
    from orchestrator.domain.incidents.escalation import ROLES
    from orchestrator.keeper.contacts import MAIL, Contact, read_contacts
    from orchestrator.store.views.workflow_versions import list_definitions

    contacts = read_contacts(config.contacts)
    with store.read() as tx:
        live = list_definitions(tx, all_versions=False)
    owners = [cast("dict[str, str]", row.definition["owners"]) for row in live]
    people = {one[role] for one in owners for role in ROLES}
    return sorted(one for one in people if set(contacts.get(one, Contact()).to) == {MAIL})


def _look_at_detours(store: Store) -> Iterator[CheckResult]:
    """Whose first way does not take messages, which a later way hides."""
    from orchestrator.store.clocks.alert_views import list_detours

    with store.read() as tx:
        detours = list_detours(tx)
    for one in detours[:_MOST_DETOURS]:
        found = f"the first way to {one.recipient} fails since {one.since}: {one.error}"
        fix = f"correct it in the file of contacts; `meshline alerts test {one.recipient}`"
        yield attention("alerts", found, f"{fix} tries every way")
    if (more := len(detours) - _MOST_DETOURS) > 0:
        found = f"the first way to {more} more people fails"
        yield attention("alerts", found, "`meshline alerts list` shows them")


_MOST_DETOURS = 5  # people that are named


def _look_at_steward(store: Store, config: Settings) -> Iterator[CheckResult]:
    """Whether somebody owns the messages that no worker could read."""
    from orchestrator.store.views.quarantine.dead_letters import standing_numbers

    with store.read() as tx:
        standing = len(standing_numbers(tx))
    if standing and config.steward is None:
        found = f"{standing} messages that no worker can read, and nobody owns them"
        fix = "set MESHLINE_STEWARD for keepers to who runs Meshline; `meshline dead-letters list`"
        yield attention("dead letters", found, fix)


def _look_at_failing(store: Store) -> CheckResult:
    from orchestrator.store.clocks.alert_views import count_failing

    with store.read() as tx:
        failing, failed = count_failing(tx)
    if not failing and not failed:
        return ok("alerts", "none fails")
    found = []
    if failing:
        found.append(f"{failing} {'fails and is' if failing == 1 else 'fail and are'} tried again")
    if failed:
        found.append(f"{failed} failed for good")
    again = "; `meshline alerts retry --failed` sends again what failed for good" if failed else ""
    return attention("alerts", "; ".join(found), f"see `meshline alerts list --failing`{again}")


def _look_at_keeper(store: Store, config: Settings) -> CheckResult:
    from orchestrator.store.clocks.keeper_backlog import count_neglected

    patience = max(_PATIENCE, _TURNS * config.keeper_seconds)
    with store.read() as tx:
        left = count_neglected(tx, seconds=patience)
    counts = {
        "alerts that are due for over {}": left.alerts,
        "incidents unannounced for over {}": left.untold,
        "clocks that ran out over {} ago and are not recorded": left.clocks,
    }
    found = [f"{what.format(span(patience))}: {count}" for what, count in counts.items() if count]
    alive, beats = keeper_beats(store)
    if alive and not found:
        return ok("keeper", f"{beats}; nothing waits for one")
    fix = "see that `meshline keeper` runs, and that its ways to people answer"
    found.append(beats)
    return attention("keeper", "; ".join(found), fix)
