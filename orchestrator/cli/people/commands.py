"""`meshline people`: who they are, and their roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.people import signing_keys
from orchestrator.cli.people.unknown_clients import note_unknown_clients
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.who import actor
from orchestrator.domain.access.roles import EVERY_CLIENT, ROLES_OF_PEOPLE, Role
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.operations.access.people import Changed, RoleChange
    from orchestrator.store.access.people import Grant, Person
    from orchestrator.store.database.engine import Store

app = typer.Typer(
    help="People: add, list, show, roles, invite, disable, enable, away, password, signing-key.",
    no_args_is_help=True,
)
app.add_typer(signing_keys.app, name="signing-key")


def _role(text: str) -> Role:
    """A role of people, as it is typed. Raises BadParameter."""
    known = [role.value for role in ROLES_OF_PEOPLE]
    if text not in known:
        raise typer.BadParameter(f"{text!r} is not a role: write {', '.join(known)}")
    return Role(text)


Mail = Annotated[str, typer.Argument(metavar="MAIL", help="The mail address of the person.")]
Clients = Annotated[
    list[str] | None,
    typer.Option("--client", metavar="NAME", help="For this client; may be repeated."),
]
AllClients = Annotated[
    bool, typer.Option("--all-clients", help="For every client, also later ones.")
]
_ROLE = {"metavar": "ROLE", "parser": _role}


@app.command()
def add(
    mail: Mail,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="As colleagues know them.")],
    role: Annotated[
        list[Role] | None,
        typer.Option("--role", help="A role that they get; may be repeated.", **_ROLE),
    ] = None,
    client: Clients = None,
    all_clients: AllClients = False,
    as_json: AsJson = False,
) -> None:
    """Add a person. They log in after `people invite`, or by the company's login.

    The first person has to be an admin for every client, and gets a link at once. From then on
    every command needs to know who acts.
    """
    chosen = _chosen(role, client, all_clients=all_clients)
    with opened_store(create=True) as store:
        from orchestrator.domain.access.actor import process
        from orchestrator.operations.access.people import add_person, invite_person
        from orchestrator.store.access.grants import anybody_is_there

        with store.read() as tx:
            is_first = not anybody_is_there(tx)
        roles = _changes(role, chosen)
        done = add_person(store, mail, name=name, roles=roles, actor=actor(store))
        note_unknown_clients(store, client or ())
        # Nobody has proven yet who they are, so nobody else could invite the first one.
        token = invite_person(store, mail, actor=process("cli:people")) if is_first else None
    _tell(done, "added", as_json=as_json)
    if token is not None:
        note(f"the first admin sets a password here, once: {_dashboard()}/invite/{token}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List people with their roles; of other clients than one's own nobody."""
    with opened_store() as store:
        from orchestrator.operations.access.allow import needed_scope
        from orchestrator.store.access.people import list_people

        me = actor(store)
        with store.read() as tx:
            people = list_people(tx, needed_scope(tx, me).names)
    if as_json:
        put_json({"people": people})
        return
    put_table(
        ("MAIL", "NAME", "ROLES", "LOGS IN BY", "DISABLED"),
        [
            (one.mail, one.name, _told(one.roles), _way(one), moment(one.disabled_at))
            for one in people
        ],
        below=("ROLES",),
    )


@app.command()
def show(
    mail: Annotated[
        str | None, typer.Argument(metavar="MAIL", help="Unset: who you are here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a person and their roles; without an address who you are here, and how that is known."""
    with opened_store() as store:
        from orchestrator.operations.access.away import absence_of
        from orchestrator.store.access.grants import anybody_is_there

        me = actor(store)
        person = _seen(store, mail, of=me.person)
        with store.read() as tx:
            is_somebody = anybody_is_there(tx)
            absence = None if person is None else absence_of(tx, person.mail)
    if as_json:
        put_json({"acts_as": me.name, "proof": me.proof, "person": person, "away": absence})
        return
    if mail is None:
        put(f"acts as  {me.name} ({me.proof})")
    if not is_somebody:
        note(
            "there are no people yet, so whoever runs a command may do everything;"
            " `meshline people add MAIL --name TEXT --role admin --all-clients` adds the first"
        )
        return
    if person is None:
        note("nobody is named: give --as MAIL, set MESHLINE_ACTOR, or `meshline login`")
        return
    put(f"{person.mail}  {person.name}")
    if absence is not None:
        put(f"away until {moment(absence.until)}; {absence.to} approves in their place")
    put_table(
        ("ROLE", "CLIENT", "SINCE", "BY"),
        [
            (one.role.value, _client(one.client), moment(one.granted_at), one.granted_by)
            for one in person.roles
        ],
    )


@app.command()
def roles(
    mail: Mail,
    give: Annotated[
        list[Role] | None,
        typer.Option("--give", help="A role to give; may be repeated.", **_ROLE),
    ] = None,
    take: Annotated[
        list[Role] | None,
        typer.Option("--take", help="A role to take away; may be repeated.", **_ROLE),
    ] = None,
    client: Clients = None,
    all_clients: AllClients = False,
    as_json: AsJson = False,
) -> None:
    """Give and take roles for some clients, or for every one: all of it or nothing."""
    if not (give or take):
        raise typer.BadParameter("say which roles: --give ROLE or --take ROLE")
    chosen = _chosen([*(give or ()), *(take or ())], client, all_clients=all_clients)
    with opened_store() as store:
        from orchestrator.operations.access.people import change_roles

        changes = [*_changes(give, chosen), *_changes(take, chosen, withdraw=True)]
        done = change_roles(store, mail, changes, actor=actor(store))
        note_unknown_clients(store, client or ())
    _tell(done, "changed", as_json=as_json)


@app.command()
def invite(
    mail: Annotated[
        str | None, typer.Argument(metavar="MAIL", help="Unset: whoever becomes the first admin.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a link by which this person, once and within 72 hours, sets a password.

    A link that they had before is void. Who opens it acts in their name: send it only to them.
    """
    with opened_store(create=mail is None) as store:
        from orchestrator.domain.errors import Refused
        from orchestrator.operations.access.people import invite_first_admin, invite_person

        if mail is not None:
            token = invite_person(store, mail, actor=actor(store))
        elif (first := invite_first_admin(store, actor=actor(store))) is not None:
            token = first
        else:
            raise Refused("there are people already", field="mail", fix="say whom you invite")
    link = f"{_dashboard()}/invite/{token}"
    if as_json:
        put_json({"person": mail, "link": link})
    else:
        put(link)


@app.command()
def disable(mail: Mail, as_json: AsJson = False) -> None:
    """Disable a person: sessions and keys end at once, roles do not count."""
    _switch(mail, enable=False, as_json=as_json)


@app.command()
def enable(mail: Mail, as_json: AsJson = False) -> None:
    """Enable a person again, with the roles that they had; keys that ended stay so."""
    _switch(mail, enable=True, as_json=as_json)


@app.command()
def away(
    mail: Mail,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="3d (from now), or ISO 8601 with its zone."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="MAIL", help="Who approves changes in their place."),
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="They are back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say who approves changes while a person, such as yourself, is away."""
    if back != (until is None) or back != (to is None):
        raise typer.BadParameter("write --until and --to, or --back")
    with opened_store() as store:
        from orchestrator.operations.access.away import end_away, set_away

        if until is not None and to is not None:
            done = set_away(store, mail, until=until, to=to, actor=actor(store))
        else:
            done = end_away(store, mail, actor=actor(store))
    if as_json:
        put_json(done)
    elif done.until is None:
        put(f"{done.mail} is back")
    else:
        put(f"{done.mail} is away until {moment(done.until)}; {done.to} approves in their place")
        if done.cannot:
            note(
                f"{done.to} is not an approver of {', '.join(done.cannot)} and cannot decide there:"
                " see `meshline people roles --help`"
            )


@app.command()
def password(as_json: AsJson = False) -> None:
    """Set your own password anew; you are logged out everywhere else."""
    with opened_store() as store:
        from orchestrator.cli.people.asking import ask_password
        from orchestrator.cli.terminal.who import keep_session, logged_in
        from orchestrator.domain.errors import LoginRefused
        from orchestrator.operations.access.log_in import change_password

        me = logged_in(store)
        if me is None:
            raise LoginRefused("nobody is logged in here", fix="begin with `meshline login MAIL`")
        now = ask_password(f"password of {me.mail}")
        keep_session(store, change_password(store, me, now, ask_password("new password")))
    if as_json:
        put_json({"person": me.mail, "changed": True})
    else:
        put(f"the password of {me.mail} is changed")


def _switch(mail: str, *, enable: bool, as_json: bool) -> None:
    with opened_store() as store:
        from orchestrator.operations.access.people import disable_person

        done = disable_person(store, mail, actor=actor(store), enable=enable)
    _tell(done, "enabled" if enable else "disabled", as_json=as_json)


def _chosen(
    roles: Sequence[Role] | None, clients: Sequence[str] | None, *, all_clients: bool
) -> list[str]:
    """The clients that roles are for. Raises BadParameter: it is never guessed."""
    if roles and bool(clients) == all_clients:
        raise typer.BadParameter("say for whom: --client at least once, or --all-clients")
    return [EVERY_CLIENT] if all_clients else list(dict.fromkeys(clients or ()))


def _changes(
    roles: Sequence[Role] | None, clients: Sequence[str], *, withdraw: bool = False
) -> list[RoleChange]:
    from orchestrator.operations.access.people import RoleChange

    return [
        RoleChange(client=client, role=role, withdraw=withdraw)
        for client in clients
        for role in dict.fromkeys(roles or [])
    ]


def _seen(store: Store, mail: str | None, *, of: int | None) -> Person | None:
    """The person of an address; without one, whoever acts."""
    from orchestrator.operations.access.allow import needed_scope
    from orchestrator.store.access.people import list_people, no_person

    me = actor(store)
    with store.read() as tx:
        scope = needed_scope(tx, me).names if mail is not None else None
        for one in list_people(tx, scope):
            if one.id == of if mail is None else one.mail == mail.strip().lower():
                return one
    if mail is not None:
        raise no_person(mail)
    return None


def _tell(done: Changed, word: str, *, as_json: bool) -> None:
    if as_json:
        put_json(done)
        return
    state = word if done.changed else "unchanged"
    put(f"{state} {done.mail}: {_told(done.roles) or 'no role'}")
    if done.ended_keys:
        put(f"ended keys: {', '.join(done.ended_keys)}")
    if done.ended_sessions:
        put(f"ended sessions: {done.ended_sessions}")


def _told(roles: Sequence[Grant]) -> str:
    return ", ".join(f"{one.role} of {_client(one.client)}" for one in roles)


def _client(name: str) -> str:
    return "every client" if name == EVERY_CLIENT else name


def _way(person: Person) -> str:
    ways = ["password"] if person.has_password else []
    return ", ".join([*ways, "company"] if person.subject else ways) or "-"


def _dashboard() -> str:
    from orchestrator.settings import settings

    config = settings()
    return config.dashboard_url or f"http://{config.flower_host}:{config.flower_port}"
