"""The YAML files of sources: every fault has its line, and a folder is read whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.sources.definition import (
    DeclaredForm,
    DeclaredHmac,
    DeclaredLimits,
    DeclaredRate,
    DeclaredSignature,
    SourceDefinition,
)
from connectors.sources.file import parse_source, shipped_sources
from connectors.sources.registry import closed_sources, load_sources, secrets_of
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.sources.source import SourceLimits
from orchestrator.domain.sources.unclaimed import unclaimed_workflow
from tests.hooks import FORM, SAVED, source, source_text
from tests.house.pages import blocks, text_of

WHOLE = """\
source: shop
client: acme
owners: {owner: ops@acme.example, recovery_lead: triage@acme.example}
secrets: [env:MESHLINE_SHOP_NEW, env:MESHLINE_SHOP_OLD]
signature: {hmac: {header: X-Sign}}
type: "shop.{body.kind}"
"""


def _faults(text: str) -> str:
    with pytest.raises(InvalidFile) as refused:
        parse_source(text, name="shop.yaml")
    return "\n".join(map(str, refused.value.faults))


def test_every_shipped_source_has_a_saved_request_and_can_be_extended() -> None:
    assert sorted(shipped_sources()) == sorted(SAVED)
    assert {source(name).name for name in SAVED} == {*SAVED}


def test_a_source_has_limits_whatever_its_file_says() -> None:
    shop, form = parse_source(WHOLE, name="a"), parse_source(FORM, name="b")
    own = parse_source(f"{WHOLE}limits: {{rate: {{calls: 7, per: 2s}}, quota: 9}}", name="c")

    assert shop.limits == SourceLimits(rate=6_000, per_seconds=60, quota_per_day=1_000_000)
    assert form.limits == SourceLimits(rate=5, per_seconds=3_600, quota_per_day=10_000)
    assert own.limits == SourceLimits(rate=7, per_seconds=2, quota_per_day=9)


def test_a_source_that_says_everything_itself_is_right() -> None:
    found = parse_source(WHOLE, name="shop.yaml")

    assert (found.client, found.owners.approver) == ("acme", "ops@acme.example")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("client: acme\n", ""), "client: it is missing; add `client: acme`"),
        (("{hmac: {header: X-Sign}}", "{}"), "line 5: signature: it does not name one scheme"),
        (("X-Sign}", "X-Sign}, token: {header: X}"), "it does not name one scheme"),
        (("X-Sign", 'X-Sign, signed: "{time}{body}"'), "{time} is not a part of a request"),
        (("X-Sign", 'X-Sign, signed: "{timestamp}"'), "it leaves the body out"),
        (("X-Sign", 'X-Sign, signed: "{timestamp}.{body}"'), "no header is named for it"),
        (("X-Sign", 'X-Sign, signed: "{url}{body}"'), "public_url: the vendor signs the address"),
        (("X-Sign", "X-Sign, algorithm: md5"), "md5"),
        (("X-Sign", "X-Sign, tolerance: 2h"), "write 1s to 1h"),
        (
            ("type:", "limits: {rate: {calls: 1, per: 500ms}}\ntype:"),
            "not a number of whole seconds",
        ),
        (("type:", "limits: {quota: 0}\ntype:"), "limits.quota"),
        (("env:MESHLINE_SHOP_NEW", "hunter2"), "a definition never holds a secret"),
        (("{body.kind}", "{kind}"), "neither {header.NAME}, {body.PATH} nor {digest}"),
        (("ops@acme.example", "ops"), "is not an e-mail address"),
        (("type:", "keep_headers: [Cookie]\ntype:"), "is never kept"),
        (("type:", "extends: githb\ntype:"), "write `github`"),
        (("source: shop", "source: ../shop"), "it is not a plain name"),
        (("type:", "recover_within: 31d\ntype:"), "it is not a duration from 1m to 30d"),
    ],
)
def test_a_fault_says_where_it_is_and_what_to_write(change: tuple[str, str], said: str) -> None:
    assert said in _faults(WHOLE.replace(*change, 1))


def test_a_folder_is_read_whole_and_no_name_comes_twice(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(source_text("github"))
    (tmp_path / "two.yaml").write_text(WHOLE)

    assert sorted(load_sources(tmp_path)) == ["github", "shop"]
    assert load_sources(None) == {}

    (tmp_path / "three.yaml").write_text(WHOLE)
    with pytest.raises(InvalidFile, match="has the source shop too"):
        load_sources(tmp_path)
    with pytest.raises(InvalidFile, match="there is no such folder"):
        load_sources(tmp_path / "none")


def test_several_secrets_are_good_at_once_and_one_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop.yaml").write_text(WHOLE.replace("env:MESHLINE_SHOP_OLD", "file:old"))
    shop = load_sources(tmp_path)["shop"]

    assert secrets_of(shop).closed

    monkeypatch.setenv("MESHLINE_SHOP_NEW", "new")
    assert not secrets_of(shop).closed
    assert "file:old" in closed_sources(tmp_path)["shop"]

    (tmp_path / "old").write_text("old\n")
    assert secrets_of(shop).values == ("new", "old")
    assert closed_sources(tmp_path) == {}


@pytest.mark.parametrize(
    "block",
    [
        block
        for page in ("reference/sources", "howto/receive-webhooks", "howto/receive-forms")
        for block in blocks(f"docs/{page}.md", "yaml")
    ],
)
def test_a_source_on_a_page_is_right(block: str) -> None:
    assert parse_source(block, name="page.yaml").client == "acme"


def test_the_reference_names_every_key_and_every_shipped_source() -> None:
    page = text_of("docs/reference/sources.md") + text_of("docs/howto/receive-forms.md")
    models = (
        SourceDefinition,
        DeclaredSignature,
        DeclaredHmac,
        DeclaredForm,
        DeclaredLimits,
        DeclaredRate,
    )
    keys = {one.alias or name for model in models for name, one in model.model_fields.items()}

    assert {one for one in {*keys, *shipped_sources()} if f"`{one}`" not in page} == set()


def test_what_a_source_may_say_is_right_for_the_workflow_that_keeps_what_nobody_takes() -> None:
    longest = WHOLE.replace("source: shop", f"source: {'s' * 40}").replace("acme", "a" * 63, 1)

    for clock in ("1m", "30d"):
        kept = unclaimed_workflow(parse_source(f"{longest}recover_within: {clock}", name="x.yaml"))
        assert (kept.name, kept.client) == (f"{'s' * 40}-unclaimed", "a" * 63)
