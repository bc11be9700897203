"""The metrics as Prometheus' own parser reads them."""

from collections.abc import Iterator, Mapping

import pytest
from msgspec import structs
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Value
from keyaudit.model.results.listing import Listing
from keyaudit.model.results.run import Report
from keyaudit.model.tables import TABLES
from keyaudit.report.formats import prometheus
from tests.report.example import AS_OF, CLEAN, DAY, REPORT, key_row, row
from tests.report.excused import EXCUSED
from tests.report.files import exported

ENDS = "keyaudit_credential_not_after_timestamp_seconds"


def read(report: Report) -> dict[str, list[Sample]]:
    families = text_string_to_metric_families(exported("prometheus", report).decode())
    return {family.name: family.samples for family in families}


def with_rows(*rows: Mapping[str, Value]) -> Report:
    """A report on these key versions alone."""

    def listing(name: str) -> Listing:
        held = rows if name == "key" else ()

        def each() -> Iterator[Mapping[str, Value]]:
            return iter(held)

        return Listing(TABLES[name], len(held), (), each)

    return structs.replace(REPORT, listing=listing)


def key(name: str, unknown: Mapping[str, Reason] | None = None, **values: Value) -> Mapping[str, Value]:
    return {**key_row(name, unknown, is_current=True, **values), "id": f"/keys/{name}"}


@pytest.mark.parametrize("report", [REPORT, CLEAN, EXCUSED])
def test_no_series_is_there_twice_and_each_names_its_tenant(report: Report) -> None:
    for samples in read(report).values():
        series = [(sample.name, *sorted(sample.labels.items())) for sample in samples]
        assert len(series) == len(set(series))
        assert {sample.labels["tenant"] for sample in samples} <= {report.run.tenant_id}


def test_the_run_the_verdict_and_the_coverage_are_there() -> None:
    found = read(REPORT)

    def value(name: str) -> float:
        (sample,) = found[f"keyaudit_{name}"]
        return sample.value

    assert value("run_timestamp_seconds") == AS_OF
    assert (value("complete"), value("exit_code")) == (0, 5)
    assert value("coverage_ratio") == pytest.approx(4 / 11)
    assert sum(sample.value for sample in found["keyaudit_gaps"]) == 6
    assert [sample.labels["policy"] for sample in found["keyaudit_policy_not_judged"]] == ["log-key-use-unwatched"]
    assert read(CLEAN)["keyaudit_complete"][0].value == 1


def test_findings_add_up_to_the_verdict() -> None:
    by_status: dict[str, float] = {}
    for sample in read(EXCUSED)["keyaudit_findings"]:
        by_status[sample.labels["status"]] = by_status.get(sample.labels["status"], 0) + sample.value
    verdict = EXCUSED.verdict
    assert by_status == {
        "fail": sum(verdict.failed.values()),
        "known": 1,
        "waived": 1,
        "unknown": sum(verdict.unknown.values()),
        "pass": verdict.passed,
    }


def test_an_end_is_a_moment_and_what_has_none_is_counted() -> None:
    found = read(
        with_rows(
            key("soon", expires_on=AS_OF + DAY),
            key("past", expires_on=AS_OF - DAY),
            key("never"),
            key("sealed", {"expires_on": Reason.PERMISSION}),
            key("off", expires_on=AS_OF, enabled=False),
            {**key("old", expires_on=AS_OF), "is_current": False},
            key("part", expires_on=AS_OF, managed=True),
        )
    )
    assert [(sample.labels["resource"], sample.value) for sample in found[ENDS]] == [
        ("kv-prod/keys/past", AS_OF - DAY),
        ("kv-prod/keys/soon", AS_OF + DAY),
    ]
    assert [sample.labels["owner"] for sample in found[ENDS]] == ["team-release"] * 2
    (unknown,) = found["keyaudit_credentials_without_known_end"]
    assert (unknown.labels["reason"], unknown.value) == ("permission", 1)
    (endless,) = found["keyaudit_credentials_without_end"]
    assert (endless.labels["kind"], endless.value) == ("key", 1)


def test_what_may_be_in_use_has_its_series() -> None:
    found = read(with_rows(key("k", {"enabled": Reason.PERMISSION, "tags": Reason.PERMISSION}, expires_on=AS_OF)))
    assert [sample.labels["owner"] for sample in found[ENDS]] == ["unknown"]


def test_the_series_are_bounded_and_the_soonest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "MOST_CREDENTIALS", 3)
    found = read(with_rows(*(key(f"k{number}", expires_on=AS_OF + (number * 7 % 10) * DAY) for number in range(10))))
    assert [sample.value for sample in found[ENDS]] == [AS_OF, AS_OF + DAY, AS_OF + 2 * DAY]
    assert found["keyaudit_credential_series_left_out"][0].value == 7


def test_two_that_look_alike_are_one_series_with_the_sooner_end() -> None:
    twin = key("k", expires_on=AS_OF + DAY)
    found = read(with_rows({**twin, "expires_on": AS_OF + 2 * DAY}, twin))
    assert [sample.value for sample in found[ENDS]] == [AS_OF + DAY]
    assert found["keyaudit_credential_series_left_out"][0].value == 1


def test_a_secret_ends_too() -> None:
    held = row("secret", id="/s", name="s", vault_name="v", expires_on=AS_OF, enabled=True, is_current=True, managed=False)
    report = structs.replace(
        REPORT,
        listing=lambda name: Listing(TABLES[name], 1, (), lambda: iter([held] if name == "secret" else [])),
    )
    assert [sample.labels["resource"] for sample in read(report)[ENDS]] == ["v/secrets/s"]


def test_what_azure_renews_has_a_label_and_leaves_its_place_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `expiring` does: what Azure should have renewed and did not is for somebody to look at."""

    def certificate(name: str, end: int, holder_type: str = "ManagedIdentity") -> Mapping[str, Value]:
        return row(
            "credential", id=f"/{name}", kind="certificate", expires_on=end, holder_type=holder_type, holder_enabled=True
        )

    held = (
        certificate("renewed", AS_OF + DAY),
        certificate("expired", AS_OF - DAY),
        certificate("own", AS_OF + 2 * DAY, "Application"),
    )
    report = structs.replace(
        REPORT, listing=lambda name: Listing(TABLES[name], 1, (), lambda: iter(held if name == "credential" else ()))
    )
    renews = {sample.labels["id"]: sample.labels["azure_renews"] for sample in read(report)[ENDS]}
    assert renews == {"/renewed": "true", "/expired": "false", "/own": "false"}
    monkeypatch.setattr(prometheus, "MOST_CREDENTIALS", 2)
    assert [sample.labels["id"] for sample in read(report)[ENDS]] == ["/expired", "/own"]


BEGAN = "keyaudit_credential_created_timestamp_seconds"


def test_an_age_counts_from_a_date_that_is_there_also_without_an_end() -> None:
    found = read(
        with_rows(
            key("endless", created_on=AS_OF - 900 * DAY, expires_on=None),
            key("young", created_on=AS_OF - DAY, expires_on=AS_OF + DAY),
            key("unread", {"created_on": Reason.PERMISSION}, expires_on=AS_OF + DAY),
            key("retired", created_on=AS_OF - 999 * DAY, enabled=False),
        )
    )
    assert [(each.labels["id"], each.value) for each in found[BEGAN]] == [
        ("/keys/endless", AS_OF - 900 * DAY),
        ("/keys/young", AS_OF - DAY),
    ]
    (unknown,) = found["keyaudit_credentials_without_known_age"]
    assert (unknown.labels["reason"], unknown.value) == ("permission", 1)


def test_only_the_tags_of_the_list_are_labels() -> None:
    report = with_rows(
        key("a", expires_on=AS_OF + DAY, tags={"team": 'a"b\nc', "secret-project": "x"}),
        key("b", expires_on=AS_OF + 2 * DAY, tags=None),
        key("c", {"tags": Reason.PERMISSION}, expires_on=AS_OF + 3 * DAY),
    )
    assert all(not name.startswith("tag_") for each in read(report)[ENDS] for name in each.labels)
    found = read(structs.replace(report, tag_labels=("team", "cost-center")))[ENDS]
    assert [each.labels["tag_team"] for each in found] == ['a"b\\x0ac', "", "unknown"]
    assert all(each.labels["tag_cost_center"] in ("", "unknown") and "tag_secret_project" not in each.labels for each in found)
