"""A control has one answer: every format that names controls shows the same counts, for every framework and every control."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from msgspec import Struct

from keyaudit.model.frameworks import FRAMEWORKS
from keyaudit.report.frameworks.by_control import COUNTS
from tests.cli.conftest import Keyaudit, once

ESTATES = (pytest.param("blind_spots", marks=pytest.mark.exhaustive),)
PARTS = {"fail": "failed", "waived": "excused", "unknown": "unknown", "pass": "passed"}


Controls = Mapping[tuple[str, str], Mapping[str, Any]]
"""By framework and control."""


class Written(Struct, frozen=True):
    """A snapshot, the folder with every format of one run over it, and the controls as `report --framework` shows them."""

    snapshot: Path
    folder: Path
    controls: Controls


@pytest.fixture(scope="module", params=ESTATES)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    snapshot, folder = request.getfixturevalue(request.param), tmp_path_factory.mktemp(request.param)
    names = ("json", "jsonl", "csv", "sarif", "ocsf", "html", "xlsx", "controls", "control-findings", "bundle")
    once("export", *(f"{name}={folder / name}" for name in names), "--from", snapshot)
    controls = {}
    for key in FRAMEWORKS:
        once("report", "--from", snapshot, "--framework", key, "--export", f"json={folder / key}")
        controls.update({(key, each["id"]): each for each in json.loads((folder / key).read_text("utf-8"))["controls"]})
    return Written(snapshot, folder, controls)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sheet(path: Path, name: str) -> list[dict[str, str]]:
    rows = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True)[name].iter_rows(values_only=True)
    heading = [str(cell) for cell in next(rows)]
    return [dict(zip(heading, ("" if cell is None else str(cell) for cell in row), strict=False)) for row in rows]


Added = Counter[tuple[str, ...]]
"""By framework, control and member."""


def of_rows(rows: Iterable[Mapping[str, str]]) -> Added:
    """By framework, control and member, the rows of files of findings."""
    found = (
        (*ref.split(":", 1), PARTS[row["status"]])
        for row in rows
        if row["status"] in PARTS
        for ref in filter(None, row["control_refs"].split("|"))
    )
    return Counter(found)


def of_members(found: Iterable[Mapping[str, Any]]) -> Added:
    counted = ((name, id_, PARTS[each["outcome"]]) for each in found for name, ids in each["controls"].items() for id_ in ids)
    return Counter(counted)


WORDS = ("open", "waived or known", "unknown", "passed")


def of_page(html: str) -> Iterator[tuple[tuple[str, str], list[int]]]:
    """The counts of the page: failed, waived or known, unknown, passed."""
    tables = re.findall(r"<table class=grid><caption>Controls of .*?</table>", html, re.DOTALL)
    for key, shown in zip(FRAMEWORKS, tables, strict=True):
        for id_, cells in re.findall(r"<tr><th scope=row>(.*?)<(?:small|td)(.*?)(?=<tr>|</tbody>)", shown, re.DOTALL):
            words = dict(
                reversed(each.split(" ", 1)) for each in re.findall(r"[\d,]+ (?:open|waived or known|unknown|passed)", cells)
            )
            yield (key, id_), [int(words.get(word, "0").replace(",", "")) for word in WORDS]


@pytest.mark.parametrize("written", ["contoso"], indirect=True)
def test_the_page_of_the_demo_is_at_most_600_kilobytes(written: Written) -> None:
    assert (written.folder / "html").stat().st_size <= 600_000


def test_every_format_shows_the_same_counts_of_every_control(
    written: Written,
) -> None:
    folder = written.folder
    said = {key: [each[name] for name in COUNTS] for key, each in written.controls.items()}
    # More than the benchmarks alone, and every declared control of a closed framework.
    closed = {(key, id_) for key, framework in FRAMEWORKS.items() if framework.closed for id_ in framework.controls}
    assert closed <= said.keys()
    shown: list[Iterable[Mapping[str, Any]]] = [
        table((folder / "controls").read_text("utf-8")),
        table((folder / "bundle" / "controls.csv").read_text("utf-8")),
        sheet(folder / "xlsx", "Controls"),
    ]
    for rows in shown:
        assert {(row["framework"], row["control_id"]): [int(row[name]) for name in COUNTS] for row in rows} == said
    assert dict(of_page((folder / "html").read_text("utf-8"))) == {key: counts[:4] for key, counts in said.items()}


def test_the_findings_of_every_format_add_up_to_the_counts(
    written: Written,
) -> None:
    folder = written.folder
    parts = tuple(PARTS.values())
    said = Counter({(*key, name): each[name] for key, each in written.controls.items() for name in parts if each[name]})
    whole = json.loads((folder / "json").read_text("utf-8"))
    lines = [json.loads(line) for line in (folder / "jsonl").read_text("utf-8").splitlines()]
    own = table((folder / "control-findings").read_text("utf-8"))
    bundled = [table((folder / "bundle" / name).read_text("utf-8")) for name in ("findings.csv", "control-findings.csv")]
    assert of_rows([*table((folder / "csv").read_text("utf-8")), *own]) == said
    assert of_rows([*bundled[0], *bundled[1]]) == said
    assert of_rows([*sheet(folder / "xlsx", "Findings"), *sheet(folder / "xlsx", "Control findings")]) == said
    # A format with the findings of the run alone names no control that these do not answer.
    sarif = json.loads((folder / "sarif").read_text("utf-8"))["runs"]
    ocsf = [json.loads(line) for line in (folder / "ocsf").read_text("utf-8").splitlines()]
    run = of_rows(table((folder / "csv").read_text("utf-8")))
    assert of_members(each for each in lines if each["type"] == "finding") == run
    assert of_members(whole["findings"]) == run
    assert (
        of_rows({"status": each["status_code"], "control_refs": "|".join(each["compliance"]["requirements"])} for each in ocsf)
        == run
    )
    results = [each["properties"] for part in sarif for each in part["results"]]
    assert of_members({**each, "controls": each["frameworks"]} for each in results) == {
        key: count for key, count in run.items() if key[2] != "passed"
    }


def test_the_run_keeps_its_own_findings_headline_and_gate(keyaudit: Keyaudit, written: Written) -> None:
    snapshot, folder = written.snapshot, written.folder
    plain = keyaudit("report", "--from", snapshot, "-o", "json").json
    gated = keyaudit("gate", "--from", snapshot, "-o", "json").json
    assert plain["verdict"]["failed"] == gated["verdict"]["failed"]
    ids = {(each["policy"], each["id"]) for each in plain["findings"]}
    own = table((folder / "control-findings").read_text("utf-8"))
    rows = table((folder / "csv").read_text("utf-8"))
    assert Counter(row["status"] for row in rows)["fail"] == sum(plain["verdict"]["failed"].values())
    only = {(row["policy_id"], row["finding_id"]) for row in own if row["status"] == "fail"} - ids
    assert only
    assert not only & {(row["policy_id"], row["finding_id"]) for row in rows if row["status"] == "fail"}
    assert {row["profile"] for row in own} == {"default", *(each.profile for each in FRAMEWORKS.values() if each.profile)}
    summary = " ".join(keyaudit("report", "--from", snapshot, "--framework", "cis-azure-6.0").out.split())
    counts = plain["verdict"]["failed"]
    assert ", ".join(f"{counts[level]} {level}" for level in ("critical", "high", "medium", "low") if counts[level]) in summary
    assert "The whole run, evaluated with profile default:" in summary


def test_text_and_csv_show_the_counts_of_the_json(keyaudit: Keyaudit, written: Written) -> None:
    snapshot = written.snapshot
    words = {
        "failed": "failed",
        "excused": "waived",
        "unknown": "unknown",
        "passed": "passed",
        "not_applicable": "not applicable",
    }
    for key in ("cis-azure-6.0", "mcsb"):
        text = keyaudit("report", "--from", snapshot, "--framework", key).out
        rows = {
            row["control_id"]: row for row in table(keyaudit("report", "--from", snapshot, "--framework", key, "-o", "csv").out)
        }
        for (of, id_), each in written.controls.items():
            if of != key:
                continue
            assert [int(rows[id_][name]) for name in COUNTS] == [each[name] for name in COUNTS]
            assert rows[id_]["profile"] == each["profile"] == (FRAMEWORKS[key].profile or "default")
            counts = ", ".join(f"{each[name]:,} {words[name]}" for name in COUNTS if each[name])
            if counts:
                assert f"{counts}:" in re.sub(r"\s+", " ", text.split(f" {id_} ")[1])[:400]
