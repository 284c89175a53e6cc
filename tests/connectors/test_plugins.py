"""A connector from somebody else's package is used like one of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.registry import known_connectors, load_connectors
from orchestrator.domain.errors import InvalidFile

MODULE = """
from connectors.definition.shared_keys import FakeDefinition
from connectors.fake import FakeConnector

def make(name="acme-desk"):
    action = {"idempotency": "lookup", "proof": "read_back", "open_fields": True}
    said = {"connector": name, "kind": "fake", "actions": {"open": action}}
    return FakeConnector(FakeDefinition.model_validate(said))

def make_mail():
    return make("mail")

def make_other():
    return make("other")

def make_nothing():
    return object()

def fail():
    raise RuntimeError("no licence")
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which packages are installed."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "acme_connectors.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(site))
    return site


def install(site: Path, *points: str, package: str = "acme") -> None:
    info = site / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join(["[meshline.connectors]", *points]))


def test_a_package_brings_a_connector(site: Path) -> None:
    install(site, "acme-desk = acme_connectors:make")

    known = known_connectors(None)["acme-desk"]

    assert (known.kind, known.origin) == ("python", "package acme")
    assert set(load_connectors(None)["acme-desk"].actions) == {"open"}


def test_a_package_goes_before_what_is_shipped_and_after_what_is_the_users(
    site: Path, tmp_path: Path
) -> None:
    install(site, "mail = acme_connectors:make_mail")
    own = tmp_path / "own"
    own.mkdir()
    (own / "mail.yaml").write_text("connector: mail\nextends: mail\n")

    assert known_connectors(None)["mail"].origin == "package acme"
    assert known_connectors(own)["mail"].origin == str(own / "mail.yaml")


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("acme-desk = acme_connectors:make_other", "it calls itself other"),
        ("acme-desk = acme_connectors:make_nothing", "it has no name, actions, limits"),
        ("acme-desk = acme_connectors:fail", "it cannot be loaded: RuntimeError: no licence"),
        ("acme-desk = acme_nowhere:make", "it cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_a_package_that_is_broken_is_named(site: Path, point: str, said: str) -> None:
    install(site, point)

    with pytest.raises(InvalidFile) as caught:
        load_connectors(None)

    assert str(caught.value).startswith(f"package acme: acme-desk: {said}")


def test_two_packages_with_one_name_are_refused(site: Path) -> None:
    install(site, "acme-desk = acme_connectors:make")
    install(site, "acme-desk = acme_connectors:make_other", package="zenith")

    with pytest.raises(InvalidFile, match="brings it too; uninstall one of them"):
        load_connectors(None)
