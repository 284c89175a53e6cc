"""`meshline retention`: it says what it did, and needs to be told how long."""

from __future__ import annotations

from tests.cli.desk import CommandLine


def test_nothing_is_forgotten_before_its_time(meshline: CommandLine) -> None:
    meshline.leads(2)

    answer = meshline("retention", "apply", "--days", "30", "--json").document
    said = meshline("retention", "apply", "--days", "30", "--dry-run").out

    assert answer == {
        "days": 30,
        "dry_run": False,
        "events": 0,
        "dead_letters": 0,
        "plans": 0,
        "jobs": 0,
    }
    assert said == (
        "would be forgotten: the contents of 0 events and 0 dead letters\n"
        "would be deleted: 0 replay plans, 0 jobs\n"
    )


def test_without_a_number_of_days_nothing_is_begun(meshline: CommandLine) -> None:
    meshline.publish()

    refused = meshline("retention", "apply")

    assert refused.code == 2
    assert "--days N, or MESHLINE_RETENTION_DAYS" in refused.err
