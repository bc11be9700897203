"""Findings that are really sent, by the official client to the simulated endpoint; and what each way of failing exits with."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.cli.sources.judged import judged
from keyaudit.cloud import ingestion as sending
from keyaudit.model.errors import Exit
from keyaudit.model.results.run import Report
from keyaudit.report.topics import topic
from keyaudit.send.log_analytics.rows import COLUMNS
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.monitor import ingestion
from keyaudit.simulator.serve import Simulator
from tests.cli.conftest import Keyaudit, Reported
from tests.cli.tenants import running
from tests.documents import fenced

TO = ("--endpoint", f"https://{ingestion.HOST}", "--rule", ingestion.RULE, "--stream", ingestion.STREAM)
FEW = ("--select", "kv-key-no-expiry")
SHIP = ("ship", "log-analytics", "--auth", "env", *TO)

Azure = Callable[..., contextlib.AbstractContextManager[Simulator]]


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Azure:
    """A simulated tenant beside the command, which the variables of this process lead to."""

    @contextlib.contextmanager
    def served(name: str = "hardened", *faults: Fault) -> Iterator[Simulator]:
        with running(name, faults=faults) as simulator:
            for variable, value in simulator.environ.items():
                monkeypatch.setenv(variable, value)
            yield simulator

    return served


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending.Ingestion, "_backoff", lambda *_: 0.01)


def verdicts(simulator: Simulator) -> list[dict[str, Any]]:
    return [row for row in simulator.ingested if row["record_type"] == "verdict"]


def test_the_findings_and_the_verdict_of_a_snapshot_arrive_and_nothing_else(
    keyaudit: Keyaudit, azure: Azure, blind_spots: Path, blind_report: Reported
) -> None:
    with azure() as simulator:
        ran = keyaudit(*SHIP, "--from", blind_spots)
        assert ran.code == Exit.INCOMPLETE, ran.err
        *found, verdict = simulator.ingested
        assert (ingestion.HOST, "https://monitor.azure.com") in simulator.audiences
        assert {host for host, _ in simulator.audiences} == {ingestion.HOST}
    sent = {row["finding_id"] for row in found if "finding_id" in row}
    assert sent == {each["id"] for each in blind_report.findings("fail", "unknown", "waived")}
    evaluated = [row for row in found if row["status"] != "not-judged"]
    assert len(sent) == len(evaluated)
    assert {row["policy_id"] for row in found} - {row["policy_id"] for row in evaluated} == {
        each["policy"] for each in blind_report.json["not_judged"]
    }
    assert {name for row in simulator.ingested for name in row} <= set(COLUMNS)
    assert verdict["record_type"] == "verdict"
    assert (verdict["records"], verdict["complete"], verdict["exit_code"]) == (len(found), False, 3)
    assert ran.out.startswith(f"{len(found):,} records and the verdict stored in ")


def test_a_clean_tenant_is_a_verdict_that_arrives(keyaudit: Keyaudit, azure: Azure, hardened: Path) -> None:
    with azure() as simulator:
        ran = keyaudit(*SHIP, "--from", hardened)
        assert ran.code == Exit.CLEAN, ran.err
        [verdict] = verdicts(simulator)
    assert verdict["verdict"] == "no gate evaluated"
    assert [verdict[f"open_{each}"] for each in ("low", "medium", "high", "critical")] == [0, 0, 0, 0]


def test_an_answer_that_broke_off_is_told(keyaudit: Keyaudit, azure: Azure, hardened: Path, hurried: None) -> None:
    # The simulator stores the rows, and then answers nothing.
    with azure("hardened", Fault("ingest", 1, drop=True)) as simulator:
        ran = keyaudit(*SHIP, *FEW, "--from", hardened)
        stored = simulator.ingested
    assert ran.code == Exit.CLEAN, ran.err
    assert "may be stored twice" in ran.out
    keys = [(row["shipment_id"], row["record_number"]) for row in stored]
    assert len(keys) > len(set(keys)) == stored[-1]["record_number"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("ingest", "every", status=403), "Monitoring Metrics Publisher"),
        (Fault("ingest", "every", status=400), "keyaudit send template"),
        (Fault("ingest", "every", status=429, headers={"Retry-After": "86400"}), "throttled until the end"),
        (Fault("ingest", "every", drop=True), "may be stored or not"),
    ],
)
def test_what_is_not_stored_exits_70_and_says_what_is_in_the_table(
    keyaudit: Keyaudit, azure: Azure, hardened: Path, fault: Fault, words: str, hurried: None
) -> None:
    with azure("hardened", fault):
        ran = keyaudit(*SHIP, *FEW, "--from", hardened)
    assert (ran.code, ran.out) == (Exit.BUG, "")
    assert words in ran.err
    assert "0 rows were stored, and no verdict row" in ran.err


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("--endpoint", "https://soc.evil.example"), Exit.UNSAFE, "is no ingestion endpoint of cloud public"),
        (("--rule", "dcr-keyaudit"), Exit.USAGE, "--rule: not the immutable id"),
        (("--stream", "KeyAudit_CL"), Exit.USAGE, "--stream: not a stream of a custom table"),
        (("--cloud", "china"), Exit.UNSAFE, "is no ingestion endpoint of cloud china"),
    ],
)
def test_a_wrong_destination_is_refused_before_anything_is_read(
    keyaudit: Keyaudit, more: Sequence[str], code: Exit, words: str
) -> None:
    ran = keyaudit(*SHIP, *more)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err


def test_findings_go_to_the_tenant_that_they_are_of(
    keyaudit: Keyaudit, azure: Azure, hardened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot of a real tenant is not shipped by a sign-in of another; a simulated one may be."""

    @contextlib.contextmanager
    def real(*arguments: Any, **options: Any) -> Iterator[Report]:
        with judged(*arguments, **options) as report:
            yield replace(report, run=replace(report.run, simulated=False))

    with azure("contoso") as simulator:
        assert keyaudit(*SHIP, *FEW, "--from", hardened).code == Exit.CLEAN
        stored = len(simulator.ingested)
        with monkeypatch.context() as patch:
            patch.setattr("keyaudit.cli.sources.judged.judged", real, raising=True)
            ran = keyaudit(*SHIP, *FEW, "--from", hardened)
        assert len(simulator.ingested) == stored > 0
    assert ran.code == Exit.UNSAFE
    assert "the sign-in belongs to" in ran.err


def test_without_the_extra_it_says_what_to_install(keyaudit: Keyaudit, hardened: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.monitor.ingestion", None)
    monkeypatch.setitem(sys.modules, "azure.monitor.ingestion.aio", None)
    monkeypatch.delitem(sys.modules, "keyaudit.cloud.ingestion")
    ran = keyaudit(*SHIP, "--from", hardened)
    assert ran.code == Exit.USAGE
    assert ran.err == (
        "keyaudit: send log-analytics: needs azure.monitor.ingestion.aio, which is not installed;"
        " run pip install '.[ship]' in the checkout of keyaudit\n"
    )


def test_the_template_and_the_workbook_are_printed_or_written(keyaudit: Keyaudit, tmp_path: Path) -> None:
    printed = keyaudit("ship", "template")
    assert printed.json["outputs"]["stream"]["value"] == ingestion.STREAM
    file = tmp_path / "workbook.json"
    assert keyaudit("ship", "template", "--as", "workbook", "--out", file).code == Exit.CLEAN
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == "Notebook/1.0"
    assert keyaudit("ship", "template", "--out", tmp_path / "no" / "file").code == Exit.USAGE


def test_the_recipe_for_a_table_of_ones_own_sends_every_line_by_the_plain_client(
    keyaudit: Keyaudit, azure: Azure, hardened: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert keyaudit("export", "ocsf=findings.ocsf.jsonl", "csv=findings.csv", *FEW, "--from", hardened).code == Exit.CLEAN
    events = [json.loads(line) for line in Path("findings.ocsf.jsonl").read_text(encoding="utf-8").splitlines()]
    [recipe] = fenced(topic("log-analytics"), "python")
    with azure() as simulator:
        for variable, value in {"ENDPOINT": f"https://{ingestion.HOST}", "RULE": ingestion.RULE}.items():
            monkeypatch.setenv(variable, value)
        for variable in ("OCSF_STREAM", "CSV_STREAM"):
            monkeypatch.setenv(variable, ingestion.STREAM)
        exec(compile(recipe, "recipe", "exec"), {"__name__": "recipe"})
        stored = simulator.ingested
    assert [row["event"] for row in stored if "event" in row] == events != []
    assert [row["finding_id"] for row in stored if "finding_id" in row] == [each["finding_info"]["uid"] for each in events]
    assert all(str(row["TimeGenerated"]).startswith("20") for row in stored)
