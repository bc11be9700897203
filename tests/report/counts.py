"""How many results of each status and severity a format shows: read back, each by a parser of its own."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import openpyxl

Counts = Counter[tuple[str, str]]


def of_json(output: bytes) -> Counts:
    return Counter((each["outcome"], each["severity"]) for each in json.loads(output)["findings"]) + Counter(
        ("not-judged", "") for _ in json.loads(output)["not_judged"]
    )


def of_jsonl(output: bytes) -> Counts:
    lines = [json.loads(line) for line in output.splitlines()]
    found = Counter((each["outcome"], each["severity"]) for each in lines if each["type"] == "finding")
    return found + Counter(("not-judged", "") for each in lines if each["type"] == "not-judged")


def of_csv(output: bytes) -> Counts:
    return _of_rows(csv.DictReader(io.StringIO(output.decode(), newline="")))


def of_xlsx(output: bytes) -> Counts:
    rows = openpyxl.load_workbook(io.BytesIO(output), read_only=True)["Findings"].iter_rows(values_only=True)
    heading = [str(cell) for cell in next(rows)]
    return _of_rows(dict(zip(heading, map(str, row), strict=False)) for row in rows)


def of_ocsf(output: bytes) -> Counts:
    found = [json.loads(line) for line in output.splitlines()]
    names = {"Informational": "info"}
    return Counter(
        (
            each["status_code"],
            "" if each["status_code"] == "not-judged" else names.get(each["severity"], each["severity"].lower()),
        )
        for each in found
    )


def of_junit(output: bytes) -> Counts:
    """Of a pass it has no severity."""
    found: Counts = Counter()
    kinds = {"failure": "fail", "error": "unknown", "skipped": "waived"}
    for case in ET.fromstring(output).iter("testcase"):
        kind, severity = next(((kinds[answer.tag], answer.attrib["type"]) for answer in case), ("pass", ""))
        found[("not-judged", "") if severity == "not-judged" else (kind, severity)] += 1
    return found


def of_sarif(output: bytes) -> Counts:
    """Passes are counted, and policies that were not evaluated are named."""
    log = json.loads(output)
    found: Counts = Counter()
    for run in log["runs"]:
        for result in run["results"]:
            status = "unknown" if result["kind"] == "open" else "waived" if "suppressions" in result else "fail"
            found[status, result["properties"]["severity"]] += 1
    return found + Counter({("pass", ""): log["properties"]["passed"], ("not-judged", ""): len(log["properties"]["notJudged"])})


READERS: dict[str, Callable[[bytes], Counts]] = {
    "json": of_json,
    "jsonl": of_jsonl,
    "csv": of_csv,
    "xlsx": of_xlsx,
    "ocsf": of_ocsf,
    "junit": of_junit,
    "sarif": of_sarif,
}


def alike(counts: Counts) -> Counts:
    """Without the severities of passes, which not every format has."""
    found: Counts = Counter()
    for (status, severity), count in counts.items():
        found[status, "" if status == "pass" else severity] += count
    return found


def _of_rows(rows: Iterable[Mapping[str, str]]) -> Counts:
    return Counter((row["status"], "" if row["status"] == "not-judged" else row["severity"]) for row in rows)
