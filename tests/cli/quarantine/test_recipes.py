"""A recipe is tried on the whole group, applied to what then passes, and published."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from orchestrator.domain.access.actor import login
from tests.cli.desk import CommandLine

Emit = Callable[[str], list[str]]


@pytest.fixture
def emit(meshline: CommandLine) -> Emit:
    """Send lines of leads and let the first stage judge them."""

    def send(lines: str) -> list[str]:
        ran = meshline("emit", "lead.created", "--client", "acme", "--lines", "-", stdin=lines)
        meshline.validate()
        return ran.out.split()

    meshline.publish()
    return send


def renamed(count: int) -> str:
    return "\n".join(
        f'{{"email": "{n}@example.com", "customer_tier": "Pro"}}' for n in range(count)
    )


RECIPE = ("--rename", "customer_tier=tier", "--map", "tier=Pro:pro")
GROUP = ("quarantine", "recipe", "--workflow", "leads")


def test_a_preview_shows_before_and_after_and_changes_nothing(
    meshline: CommandLine, emit: Emit
) -> None:
    ids = emit(renamed(2))

    tried = meshline(*GROUP, *RECIPE, "--json").document

    assert (tried["passing"], tried["refused"], tried["places"]) == (2, 0, [2, 2])
    assert tried["recipe"]["steps"][0] == {"rename": "customer_tier", "to": "tier"}
    (first, _) = tried["events"]
    assert (first["id"], first["passes"], first["to"]) == (ids[0], True, ["crm"])
    assert [(one["path"], one["before"], one["after"]) for one in first["changes"]] == [
        ("/customer_tier", "Pro", "Pro"),
        ("/tier", "Pro", "pro"),
    ]
    assert not meshline("quarantine", "show", ids[0], "--json").document["quarantine"]["amended"]


def test_the_screen_says_what_each_step_does_and_what_to_do_next(
    meshline: CommandLine, emit: Emit
) -> None:
    emit(renamed(2))

    ran = meshline(*GROUP, *RECIPE)

    assert ran.code == 0
    assert "rename customer_tier to tier: in 2 of 2 events" in ran.out
    assert "2 would pass contract and routes, 0 would not" in ran.out
    assert "/customer_tier -> /tier" in ran.out
    assert "--apply amends them" in ran.err


PHONE = "    phone: {type: string, minLength: 5}\n"


def test_the_screen_says_where_a_step_changes_what_did_not_break(
    meshline: CommandLine, emit: Emit
) -> None:
    from tests.leads import TEXT, publish_leads

    with meshline.store() as store:
        publish_leads(store, TEXT.replace("facts:", PHONE + "facts:"))
    (good, bad) = emit(
        '{"email": "a@example.com", "tier": " pro", "phone": "+4930123456"}\n'
        '{"email": "b@example.com", "tier": "pro", "phone": ""}'
    )
    both = ("--trim", "tier", "--drop", "phone")

    ran = meshline(*GROUP, *both)
    tried = meshline(*GROUP, *both, "--json").document

    assert "drop phone: in 2 of 2 events; in 1 of them it changes what did not break" in ran.out
    assert '/phone: "+4930123456" is taken out (it did not break the contract)' in ran.out
    assert '/phone: "" is taken out\n' in ran.out
    assert '/tier: " pro" -> "pro"\n' in ran.out
    assert "would not mend" not in ran.err  # as `amend` the drop leaves the good one alone
    assert (tried["places"], tried["beyond"], tried["not_standing"]) == ([1, 2], [0, 1], 0)
    broke = {one["id"]: [each["broke"] for each in one["changes"]] for one in tried["events"]}
    assert broke == {good: [True, False], bad: [True]}
    assert {one["stands"] for one in tried["events"]} == {True}


def test_the_screen_says_that_as_amend_it_would_not_mend(meshline: CommandLine, emit: Emit) -> None:
    from tests.leads import TEXT, publish_leads

    with meshline.store() as store:
        publish_leads(store, TEXT.replace("additionalProperties: false", "minProperties: 1"))
    emit(renamed(1))

    # In an open object the old name breaks nothing, so `map` has to come after `rename`.
    file = meshline.folder / "fix.yaml"
    file.write_text(
        "- {map: customer_tier, values: {Pro: pro}}\n- {rename: customer_tier, to: tier}\n"
    )
    ran = meshline(*GROUP, "--file", str(file))

    assert "1 would pass contract and routes" in ran.out
    assert "as `amend` it would not mend 1 of these by itself" in ran.err


def test_blanks_and_lists_are_mended_by_options(meshline: CommandLine, emit: Emit) -> None:
    from tests.leads import TEXT, publish_leads

    more = PHONE + "    tags: {type: array, items: {type: string}}\n"
    with meshline.store() as store:
        publish_leads(store, TEXT.replace("facts:", more + "facts:"))
    (one,) = emit('{"email": " A@Example.com", "tier": "PRO ", "phone": "", "tags": {"0": "x"}}')

    ran = meshline(
        *GROUP, "--trim", "email", "--trim", "tier", "--case", "tier=lower", "--wrap", "tags",
        "--drop-if", "phone=", "--apply",
    )  # fmt: skip

    assert "amended 1" in ran.out
    assert 'drop phone if "": in 1 of 1 events' in ran.out
    shown = meshline("quarantine", "show", one, "--json").document["amended"]
    assert shown == {"email": "A@Example.com", "tier": "pro", "tags": ["x"]}


def test_applying_amends_what_passes_and_says_what_does_not(
    meshline: CommandLine, emit: Emit
) -> None:
    good, bad, other = emit(
        renamed(1) + '\n{"email": "x@example.com", "customer_tier": "Gold"}\n{"email": 5}'
    )

    ran = meshline(*GROUP, *RECIPE, "--why", "the form was rebuilt", "--apply", "--json")

    assert ran.code == 1
    assert ran.document["applied"] == [good]
    refused = {one["id"]: one for one in ran.document["events"] if not one["passes"]}
    assert refused[bad]["reason"] == "contract_violation"
    assert "no step finds anything" in refused[other]["detail"]
    history = meshline("events", "show", good, "--json").document["history"]
    told = next(one for one in history if one["action"] == "amend")
    assert told["actor"].startswith("cli:")
    assert told["detail"] == {"recipe": 1, "note": "the form was rebuilt"}


def test_an_applied_recipe_says_what_takes_it_back(meshline: CommandLine, emit: Emit) -> None:
    (event,) = emit(renamed(1))

    ran = meshline(*GROUP, "--set", "tier=pro", "--drop", "customer_tier", "--why", "x", "--apply")

    assert "`meshline quarantine fix --reset` takes it back" in ran.err
    assert meshline("quarantine", "fix", event, "--reset", "--json").document["ids"] == [event]
    right = meshline(*GROUP, *RECIPE, "--from-original", "--apply", "--json").document
    assert right["applied"] == [event]


def test_what_passes_the_contract_and_no_route_is_not_amended(
    meshline: CommandLine, emit: Emit
) -> None:
    from tests.leads import TEXT, publish_leads

    with meshline.store() as store:
        publish_leads(store, TEXT.replace("[enterprise, pro]", "[enterprise, pro, none]"))
    emit(renamed(1))

    ran = meshline(*GROUP, "--rename", "customer_tier=tier", "--map", "tier=Pro:none", "--json")

    assert (ran.code, ran.document["passing"]) == (1, 0)
    assert ran.document["events"][0]["reason"] == "no_route"


def test_published_it_heals_the_next_lead_and_the_audit_says_by_what(
    meshline: CommandLine, emit: Emit
) -> None:
    emit(renamed(1))

    ran = meshline(*GROUP, *RECIPE, "--publish", "--json")

    assert ran.document["published"]["version"] == 2
    shown = meshline("workflow", "show", "leads", "--json").document
    assert shown["definition"]["amend"] == ran.document["recipe"]["steps"]
    (healed,) = emit('{"email": "next@example.com", "customer_tier": "Pro"}')
    event = meshline("events", "show", healed, "--json").document
    assert event["state"] == "validated"
    told = next(one for one in event["history"] if one["action"] == "amend")
    assert (told["actor"], told["detail"]["version"]) == ("workflow:leads", 2)
    (stopped,) = emit('{"email": "other@example.com", "customer_tier": "Gold"}')
    assert meshline.state(stopped) == "quarantined"


def test_published_again_it_is_the_same_version(meshline: CommandLine, emit: Emit) -> None:
    emit(renamed(1))
    meshline(*GROUP, *RECIPE, "--publish")

    assert meshline(*GROUP, *RECIPE, "--publish", "--json").document["published"]["unchanged"]


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_a_recipe_comes_from_a_file(meshline: CommandLine, emit: Emit, kind: str) -> None:
    emit(renamed(1))
    steps = [{"rename": "customer_tier", "to": "tier"}, {"map": "tier", "values": {"Pro": "pro"}}]
    text = json.dumps({"note": "rebuilt", "steps": steps})
    if kind == "yaml":
        text = (
            "note: rebuilt\nsteps:\n  - {rename: customer_tier, to: tier}\n"
            "  - {map: tier, values: {Pro: pro}}\n"
        )
    name = meshline.write(f"fix.{kind}", text)

    assert meshline(*GROUP, "--file", name, "--json").document["passing"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "a recipe has no step"),
        (("--set", "tier=pro"), "missing option '--why'"),
        (("--rename", "tier"), "not of the form old=new"),
        (("--file", "x.yaml", "--drop", "a"), "a file and steps were given"),
        (("--file", "x.yaml", "--saved", "1"), "a saved recipe and another were given"),
    ],
)
def test_what_is_no_recipe_is_wrong_usage(
    meshline: CommandLine, emit: Emit, words: tuple[str, ...], said: str
) -> None:
    emit(renamed(1))

    assert said in meshline(*GROUP, *words).usage


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--file", "absent.yaml"), "it cannot be read"),
        (("--drop", "nothing", "--publish"), "heals no event"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused_in_one_line(
    meshline: CommandLine, emit: Emit, words: tuple[str, ...], said: str
) -> None:
    emit(renamed(1))

    assert said in meshline(*GROUP, *words).error


def test_an_incident_is_a_group(meshline: CommandLine, emit: Emit) -> None:
    emit(renamed(2) + '\n{"email": 5}')
    incidents = meshline("incidents", "list", "--json").document["incidents"]
    one = next(each for each in incidents if each["events"] == 2)

    tried = meshline("quarantine", "recipe", "--incident", str(one["id"]), *RECIPE, "--json")

    assert (tried.document["passing"], tried.document["refused"]) == (2, 0)
    owned = meshline(*GROUP, "--owner", "triage@acme.example", *RECIPE, "--json").document
    assert owned["passing"] + owned["refused"] == 3


def test_a_recipe_that_was_applied_is_saved_once_with_its_author(
    meshline: CommandLine, emit: Emit
) -> None:
    emit(renamed(3))
    assert meshline("quarantine", "recipes", "--json").document == {"recipes": []}

    first = meshline(*GROUP, *RECIPE, "--why", "the form was rebuilt", "--apply")
    emit(renamed(2))
    meshline(*GROUP, *RECIPE, "--apply")

    assert "saved as recipe 1" in first.out
    (saved,) = meshline("quarantine", "recipes", "--json").document["recipes"]
    assert (saved["recipe"], saved["workflow"], saved["note"]) == (
        1,
        "leads",
        "the form was rebuilt",
    )
    assert saved["author"].startswith("cli:") and saved["used_at"]
    assert saved["steps"][0] == {"rename": "customer_tier", "to": "tier"}
    (told,) = meshline("audit", "--action", "save_recipe", "--json").document["audit"]
    assert told["detail"]["steps"] == saved["steps"]
    assert "rename customer_tier to tier" in meshline("quarantine", "recipes").out
    assert "acme/leads" in meshline("quarantine", "recipes").out


def test_a_saved_recipe_heals_what_fails_in_the_same_way_later(
    meshline: CommandLine, emit: Emit
) -> None:
    emit(renamed(3))
    meshline(*GROUP, *RECIPE, "--apply")
    meshline("quarantine", "replay", "--workflow", "leads")
    late = emit(renamed(1) + '\n{"email": 5}')
    incidents = meshline("incidents", "list", "--json").document["incidents"]
    shown = {
        one["title"]: meshline("incidents", "show", str(one["id"]), "--json").document
        for one in incidents
    }

    offered = {title: [one["recipe"] for one in view["recipes"]] for title, view in shown.items()}
    assert offered == {
        "undeclared fields, `tier` is missing": [1],
        "`email` breaks type, `tier` is missing": [],
    }
    view = shown["undeclared fields, `tier` is missing"]
    assert view["fix"][1].endswith("--saved 1 --apply")
    assert view["fix"][2].endswith("--saved 1 --publish")
    assert f"recipe {'':7} 1 would let the events that were tried pass" in meshline(
        "incidents", "show", str(view["id"])
    ).out.replace("\n", " ")
    ran = meshline("quarantine", "recipe", late[0], "--saved", "1", "--apply", "--json")
    assert (ran.document["applied"], ran.document["saved"]) == ([late[0]], [1])
    assert meshline("quarantine", "recipes", "--json").document["recipes"][0]["events"] == 4


def test_a_published_recipe_is_saved_with_its_version(meshline: CommandLine, emit: Emit) -> None:
    emit(renamed(1))

    meshline(*GROUP, *RECIPE, "--publish")

    (saved,) = meshline("quarantine", "recipes", "--json").document["recipes"]
    assert (saved["version"], saved["events"]) == (2, 0)


def test_a_saved_recipe_is_named_by_a_number_that_exists_and_stands_alone(
    meshline: CommandLine, emit: Emit
) -> None:
    emit(renamed(1))

    assert "there is no recipe 7" in meshline(*GROUP, "--saved", "7").error
    both = meshline(*GROUP, "--saved", "7", "--drop", "a").usage
    assert "a saved recipe and another were given" in both


def test_what_was_amended_so_before_can_still_be_published(
    meshline: CommandLine, emit: Emit
) -> None:
    emit(renamed(2))
    meshline(*GROUP, *RECIPE, "--apply")

    again = meshline(*GROUP, *RECIPE, "--apply", "--publish", "--json")

    assert again.code == 0
    done = again.document
    assert (done["passing"], done["already"], done["refused"], done["applied"]) == (0, 2, 0, [])
    assert done["published"]["version"] == 2
    assert "unchanged 2\n" in meshline(*GROUP, *RECIPE).out


def test_what_another_fix_made_is_not_taken_for_the_recipes_work(
    meshline: CommandLine, emit: Emit
) -> None:
    emit(renamed(1))
    meshline(
        "quarantine", "fix", "--workflow", "leads", "--unset", "customer_tier", "--set", "tier=pro"
    )

    tried = meshline(*GROUP, "--rename", "customer_tier=tier", "--json")

    assert (tried.code, tried.document["already"], tried.document["refused"]) == (1, 0, 1)


def test_a_preview_tells_null_from_nothing(meshline: CommandLine, emit: Emit) -> None:
    emit('{"email": "a@example.com", "x": null}')

    words = (*GROUP, "--set", "tier=pro", "--why", "all of them are", "--drop", "x")
    (tried,) = meshline(*words, "--json").document["events"]

    assert [one["action"] for one in tried["changes"]] == ["set", "drop"]
    out = meshline(*words).out
    assert '/tier: "pro" where nothing was' in out
    assert "/x: null is taken out" in out


def test_a_recipe_for_nothing_has_nothing_to_do(meshline: CommandLine, emit: Emit) -> None:
    ran = meshline(*GROUP, "--drop", "a")

    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "0 would pass contract and routes, 0 would not"


def test_a_file_without_end_is_not_read_to_its_end(meshline: CommandLine, emit: Emit) -> None:
    emit(renamed(1))

    assert "it is larger than 1 MiB" in meshline(*GROUP, "--file", "/dev/zero").error


def test_publishing_a_file_without_the_amendment_says_that_it_goes(
    meshline: CommandLine, emit: Emit
) -> None:
    from orchestrator.operations.publish_workflow import publish_workflow
    from tests.leads import lead_workflow

    emit(renamed(1))
    meshline(*GROUP, *RECIPE, "--publish")

    with meshline.store() as store:
        published = publish_workflow(store, lead_workflow(), actor=login("cli:tester"))

    assert (published.version, published.lost_amend) == (3, 2)
