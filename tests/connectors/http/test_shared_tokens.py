"""Refresh tokens that are taken once: all processes use one, and the store has the newest."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connectors.definition_file import parse_definition
from connectors.http.connector import HttpConnector
from connectors.http.definition import HttpDefinition
from connectors.http.wire.client import HttpClient
from orchestrator.domain.delivery.handoff import Connector, Failed
from orchestrator.domain.delivery.tokens import AccessToken, Lease, Login, Minted, TokensUnusable
from orchestrator.domain.errors import NotReached, StoreUnavailable, Unauthorized
from orchestrator.operations.tokens.keys import SealingKeys, make_home_key, sealing_keys
from orchestrator.operations.tokens.opening import closed_logins, vault_of
from orchestrator.operations.tokens.sealing import Seal
from orchestrator.operations.tokens.vault import Vault
from orchestrator.store.database.engine import Store
from orchestrator.store.views.audit import list_audit
from tests.connectors.rigs import hand, sent
from tests.details import detail_of
from tests.servers.rotating import FIRST, SECRETS, Provider, rotating_provider

Run = Callable[..., Any]
KEY, OTHER_KEY = (base64.b64encode(bytes([number]) * 32).decode() for number in (251, 7))
LOGIN = Login(id="a" * 64, connector="tool")


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with rotating_provider() as provider:
        yield provider


class Process:
    """What a process has: a vault of its own, and a connector."""

    def __init__(self, provider: Provider, store: Store, run: Run, **said: Any) -> None:
        self.run = run
        self.vault = vault(store, **said)
        self.connector = connector(provider, lambda: self.vault)

    def call(self, key: str = "key-1") -> None:
        self.run(self.connector.create(sent(key)))


@pytest.fixture
def start(provider: Provider, store: Store, run: Run) -> Iterator[Callable[..., Process]]:
    """Starts processes."""
    started = []

    def start(**said: Any) -> Process:
        started.append(Process(provider, store, run, **said))
        return started[-1]

    yield start
    for process in started:
        run(process.connector.close())


def vault(store: Store, *, key: str = KEY, seconds: float = 30) -> Vault:
    seal = Seal(sealing_keys(key, home=None))
    return Vault(store, seal, actor="worker:dispatch", lease_seconds=seconds)


def connector(provider: Provider, tokens: Callable[[], Any], timeout: str = "10s") -> Connector:
    said = parse_definition(provider.definition(timeout=timeout), name="test.yaml")
    assert isinstance(said, HttpDefinition)
    return HttpConnector(said, folder=None, client=HttpClient, tokens=tokens)


def _same(vault: Vault) -> Vault:
    return vault


def minted(number: int, seconds: float = 3600) -> Minted:
    access = AccessToken(text=f"access-{number}", good_seconds=seconds)
    return Minted(access=access, refresh=f"refresh-{number}")


def leased(vault: Vault, refused: str = "") -> Lease:
    taken = vault.take(LOGIN, refused=refused)
    assert isinstance(taken, Lease)
    return taken


def test_a_second_process_and_one_after_a_restart_use_the_token_of_the_first(
    provider: Provider, start: Callable[..., Process]
) -> None:
    for _ in range(3):
        start().call()

    assert (provider.taken, provider.shown) == (3, [FIRST])


def test_a_token_that_ran_out_is_refreshed_with_the_newest_refresh_token(
    provider: Provider, start: Callable[..., Process]
) -> None:
    provider.seconds = 0.001

    for _ in range(3):
        start().call()

    assert provider.shown == [FIRST, "refresh-1-abc", "refresh-2-abc"]
    assert not provider.ended


def test_a_process_whose_token_is_refused_takes_the_one_that_another_has_fetched(
    provider: Provider, start: Callable[..., Process]
) -> None:
    one, other = start(), start()
    one.call()
    other.call()
    provider.access = "taken back"
    one.call("key-2")

    other.call("key-2")

    assert provider.shown == [FIRST, "refresh-1-abc"]
    assert provider.taken == 4


def test_many_processes_that_want_a_token_at_once_refresh_once(
    provider: Provider, store: Store, run: Run
) -> None:
    vaults = [vault(store) for _ in range(4)]
    connectors = [connector(provider, partial(_same, one)) for one in vaults]

    async def call_all() -> None:
        await asyncio.gather(*(one.create(sent(f"k-{n}")) for one in connectors for n in range(5)))
        for one in connectors:
            await one.close()

    run(call_all())

    assert (provider.taken, provider.shown) == (20, [FIRST])


def test_a_refresh_goes_on_to_its_end_when_the_call_that_wanted_it_runs_out_of_time(
    provider: Provider, store: Store, run: Run, start: Callable[..., Process]
) -> None:
    hurried = connector(provider, lambda: vault(store), timeout="300ms")
    provider.wait.clear()

    async def call() -> Any:
        asyncio.get_running_loop().call_later(0.8, provider.wait.set)
        return await hand(hurried, sent())

    outcome = run(call())
    run(hurried.close())
    start().call()

    assert isinstance(outcome, Failed)
    assert provider.shown == [FIRST]


class Absent:
    """A keeper whose store does not answer once, when it should keep."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.take, self.give_back = vault.take, vault.give_back
        self.missed = 0

    def keep(self, lease: Lease, minted: Minted) -> bool:
        if not self.missed:
            self.missed += 1
            raise StoreUnavailable("the server is away")
        return self._vault.keep(lease, minted)


def test_what_the_store_did_not_take_is_not_used_and_is_kept_by_the_next_call(
    provider: Provider, store: Store, run: Run, start: Callable[..., Process]
) -> None:
    keeper = Absent(vault(store))
    tool = connector(provider, lambda: keeper)

    with pytest.raises(NotReached, match="token: the store does not answer"):
        run(tool.create(sent()))
    assert provider.taken == 0
    run(tool.create(sent()))
    run(tool.close())
    start().call()

    assert (provider.taken, provider.shown) == (2, [FIRST])


class Overtaken:
    """A keeper into which another process has put newer tokens while the first was refreshing."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.take, self.give_back = vault.take, vault.give_back

    def keep(self, lease: Lease, minted: Minted) -> bool:
        newer = AccessToken(text="access-newer", good_seconds=3600)
        assert self._vault.keep(lease, Minted(access=newer, refresh="refresh-newer"))
        return self._vault.keep(lease, minted)


def test_tokens_that_another_has_overtaken_are_not_used(
    provider: Provider, store: Store, run: Run
) -> None:
    tool = connector(provider, lambda: Overtaken(vault(store)))
    provider.takes_only = "access-newer"

    run(tool.create(sent()))
    run(tool.close())

    assert (provider.taken, provider.refused, provider.shown) == (1, 0, [FIRST])


def test_a_provider_that_refuses_leaves_the_kept_token_and_lets_others_refresh(
    provider: Provider, start: Callable[..., Process]
) -> None:
    one, other = start(), start()
    provider.ended = True
    for process in (one, other):
        with pytest.raises(Unauthorized, match="invalid_grant"):
            process.call()

    provider.log_in_anew(FIRST)
    one.call()
    other.call()

    assert provider.taken == 2


def test_no_error_shows_a_refresh_token_that_came_later(
    provider: Provider, start: Callable[..., Process], run: Run
) -> None:
    process = start()
    process.call()
    provider.ended, provider.access = True, ""

    told = run(hand(process.connector, sent("key-2")))

    assert isinstance(told, Failed)
    assert "invalid_grant" in told.error
    assert "abc" not in told.error


def test_another_first_refresh_token_is_another_login_and_the_audit_says_so_without_it(
    provider: Provider, store: Store, start: Callable[..., Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    start().call()
    provider.ended = True
    monkeypatch.setenv("REFRESH", "refresh-anew-abc")
    provider.log_in_anew("refresh-anew-abc")
    provider.seconds = 0.001

    start().call()
    start().call()

    with store.read() as tx:
        rows = list(list_audit(tx, newest_first=False))
    assert [(row.action, row.destination, row.actor) for row in rows] == [
        ("refresh_login", "tool", "worker:dispatch"),
        ("replace_login", "tool", "worker:dispatch"),
        ("refresh_login", "tool", "worker:dispatch"),
    ]
    assert [detail_of(row)["version"] for row in rows] == [1, 1, 2]
    assert detail_of(rows[0])["digest"] != detail_of(rows[1])["digest"]
    assert "abc" not in repr(rows)


def test_nothing_of_a_token_can_be_read_in_the_database(
    provider: Provider, store: Store, start: Callable[..., Process]
) -> None:
    start().call()

    with store.read() as tx:
        rows = tx.exec_driver_sql("SELECT * FROM oauth_tokens").all()

    assert len(rows) == 1
    assert "refresh-1" not in repr(rows)
    assert "access-1" not in repr(rows)
    if store.is_sqlite:
        assert isinstance(store.url.database, str)
        files = Path(store.url.database).parent.glob("store.db*")
        assert not any(b"refresh-1-abc" in one.read_bytes() for one in files)


def test_with_another_key_nothing_is_sent_or_changed_and_the_right_one_opens_it_again(
    provider: Provider, store: Store, start: Callable[..., Process]
) -> None:
    start().call()
    provider.seconds = 0.001
    with store.read() as tx:
        before = tx.exec_driver_sql("SELECT * FROM oauth_tokens").all()

    with pytest.raises(NotReached, match="no key of MESHLINE_TOKEN_KEY opens the tokens"):
        start(key=OTHER_KEY).call()

    with store.read() as tx:
        assert tx.exec_driver_sql("SELECT * FROM oauth_tokens").all() == before
    assert provider.shown == [FIRST]
    start().call()
    assert closed_logins(store, key=KEY, home=None) == (["tool"], [])
    assert closed_logins(store, key=OTHER_KEY, home=None) == (["tool"], ["tool"])


def test_keys_are_changed_by_naming_the_new_one_before_the_old_one(
    provider: Provider, store: Store, start: Callable[..., Process]
) -> None:
    start().call()
    provider.access = "taken back"

    start(key=f"{OTHER_KEY},{KEY}").call()

    start(key=OTHER_KEY).call()
    assert provider.taken == 3
    assert closed_logins(store, key=KEY, home=None)[1] == ["tool"]


def test_one_logins_row_cannot_be_put_in_anothers_place() -> None:
    seal = Seal(SealingKeys(place="a test", keys=[KEY.replace("+", "-").replace("/", "_")]))
    from orchestrator.operations.tokens.sealing import Opened

    sealed = seal.close("one", Opened(access="a", refresh="r"))

    assert seal.open("one", sealed).refresh == "r"
    with pytest.raises(TokensUnusable):
        seal.open("other", sealed)


def test_one_refreshes_at_a_time_and_a_lease_that_ran_out_is_given_anew(store: Store) -> None:
    one, other = vault(store), vault(store, seconds=0)
    lease = leased(one)
    assert other.take(LOGIN, refused="") is None

    one.give_back(lease)

    assert leased(other).holder != lease.holder
    assert leased(one).number == 0


def test_of_two_that_refreshed_after_all_the_holder_of_the_lease_has_the_last_word(
    store: Store,
) -> None:
    late, holder = vault(store, seconds=0), vault(store)
    lost, held = leased(late), leased(holder)

    assert late.keep(lost, minted(1))  # nobody has written since
    assert holder.keep(held, minted(2))
    assert not late.keep(lost, minted(3))

    assert leased(holder, refused="access-2").refresh == "refresh-2"


def test_a_token_is_not_given_to_whoever_says_that_it_was_refused(store: Store) -> None:
    kept = vault(store)
    kept.keep(leased(kept), minted(1))

    found = kept.take(LOGIN, refused="access-0")

    assert isinstance(found, AccessToken)
    assert (found.text, found.good_seconds > 3500) == ("access-1", True)
    assert isinstance(kept.take(LOGIN, refused="access-1"), Lease)


def test_without_a_key_no_token_is_asked_for_and_the_setting_is_named(
    provider: Provider, store: Store, run: Run
) -> None:
    tool = connector(provider, vault_of(store, key=None, home=None, actor="test"))

    outcome = run(hand(tool, sent()))
    run(tool.close())

    assert isinstance(outcome, Failed)
    assert "token: MESHLINE_TOKEN_KEY is not set: refresh tokens are kept" in outcome.error
    assert provider.shown == []


def test_the_homes_own_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"

    first = sealing_keys(None, home=home)
    make_home_key(home)

    assert sealing_keys(None, home=home) == first
    assert [one.name for one in home.iterdir()] == ["token.key"]
    assert (home / "token.key").stat().st_mode & 0o777 == 0o600


def test_keys_are_read_from_the_file_that_the_setting_names(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{KEY}\n{OTHER_KEY}\n")

    assert len(sealing_keys(f"file:{file}", home=None).keys) == 2

    file.write_text("not a key")
    with pytest.raises(TokensUnusable) as caught:
        sealing_keys(f"file:{file}", home=None)
    assert str(caught.value) == (
        f"MESHLINE_TOKEN_KEY ({file}): it is not 32 bytes in base64; make one with"
        " `openssl rand -base64 32`"
    )
    with pytest.raises(TokensUnusable, match="nowhere cannot be read as a list of keys"):
        sealing_keys(f"file:{tmp_path}/nowhere", home=None)
