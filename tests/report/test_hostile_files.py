"""No name from the tenant is active in exported files: checked with parsers that share no code with the formats."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter

import pytest
from markdown_it import MarkdownIt

from keyaudit.report.formats import FILES
from tests.needs import module
from tests.report.example import FINDINGS
from tests.report.files import parts, poisoned, sheets
from tests.report.sinks import CORPUS, agent_commands, every_payload, is_formula, one_of_each_kind, restored, terminal_codes

csv.field_size_limit(10_000_000)

TEXTS = [name for name in FILES if name != "xlsx"]
CSV = ["controls", "control-findings", "matrix"]
JSON = ["jsonl", "sarif", "ocsf", "cyclonedx", "cyclonedx-1.7"]


def lines(name: str, payload: str) -> bytes:
    """The file of that format; lines of CSV end as RFC 4180 has it."""
    output = poisoned(name, payload)
    return output.replace(b"\r\n", b"\n") if name in CSV else output


@every_payload
@pytest.mark.parametrize("name", TEXTS)
def test_nothing_reaches_a_terminal_or_a_build_agent(name: str, payload: str) -> None:
    output = lines(name, payload)
    assert terminal_codes(output) == []
    # Markdown's own headings: no agent takes "## " for a command.
    assert agent_commands(re.sub(rb"(?m)^## (?=[A-Z][a-z ]+$)", b"", output)) == []


@every_payload
@pytest.mark.parametrize("name", CSV)
def test_no_cell_is_a_formula(name: str, payload: str) -> None:
    rows = list(csv.reader(io.StringIO(poisoned(name, payload).decode(), newline=""), strict=True))
    assert {len(row) for row in rows} == {len(rows[0])}
    # The minus sign of a number makes no formula.
    assert [cell for row in rows for cell in row if is_formula(cell) and not re.fullmatch(r"-\d+", cell)] == []


def test_a_terminal_only_draws() -> None:
    module("pyte")
    import pyte  # noqa: PLC0415 - brings wcwidth, which is not everywhere

    seen: Counter[str] = Counter()

    class Listener:
        """Counts what the stream tells a screen to do."""

        def __getattr__(self, event: str) -> object:
            return lambda *_, **__: seen.update([event])

    stream = pyte.Stream(Listener())  # type: ignore[arg-type]  # a screen that draws nothing
    for name in TEXTS:
        for payload in CORPUS.values():
            stream.feed(lines(name, payload).decode())
    more = set(seen) - {"draw", "linefeed"}
    assert not more, f"a text tells a terminal to {', '.join(sorted(more))}: print names by one_line, and spaces for tabs"
    stream.feed("\x1b[2J")
    assert "erase_in_display" in seen


@every_payload
@pytest.mark.parametrize("name", TEXTS)
def test_a_name_adds_no_line(name: str, payload: str) -> None:
    if payload:  # where there is no name, nothing is said of it
        assert poisoned(name, payload).count(b"\n") == poisoned(name, "N").count(b"\n")


@every_payload
@pytest.mark.parametrize("name", JSON)
def test_json_is_ascii_and_keeps_the_original(name: str, payload: str) -> None:
    output = poisoned(name, payload)
    assert output.isascii()
    found = [json.loads(line) for line in output.splitlines()] if name in {"jsonl", "ocsf"} else json.loads(output)
    assert payload in set(_texts(found))


@every_payload
def test_sarif_has_no_link_placeholder_or_path_of_the_tenants(payload: str) -> None:
    for run in json.loads(poisoned("sarif", payload))["runs"]:
        for result in run["results"]:
            text = re.sub(r"\\[\[\]\\]|\{\{|\}\}", "", result["message"]["text"])
            assert not set("[]{}") & set(text)
            (location,) = result["locations"]
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"azure(/[A-Za-z0-9._~%-]+)+", uri)
            assert not {".", ".."} & set(uri.split("/"))


@every_payload
def test_junit_is_xml_with_as_many_cases(payload: str) -> None:
    root = ET.fromstring(poisoned("junit", payload))
    assert {each.tag for each in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped",
    }  # fmt: skip
    assert len(list(root.iter("testcase"))) == len(FINDINGS) + 1


@every_payload
def test_markdown_has_no_markup_but_ours(payload: str) -> None:
    output = poisoned("markdown", payload).decode()
    if not payload:
        return
    assert _markup(output) == _markup(poisoned("markdown", "N").decode())
    assert re.search(r"://|@|www\.|\n#[^# ]", output, re.IGNORECASE) is None


@every_payload
def test_a_label_of_a_metric_ends_where_it_should(payload: str) -> None:
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 - as it is read

    families = list(text_string_to_metric_families(poisoned("prometheus", payload).decode()))
    plain = list(text_string_to_metric_families(poisoned("prometheus", "N").decode()))
    assert [(each.name, len(each.samples)) for each in families] == [(each.name, len(each.samples)) for each in plain]
    assert {frozenset(sample.labels) for each in families for sample in each.samples} == {
        frozenset(sample.labels) for each in plain for sample in each.samples
    }


@one_of_each_kind
def test_a_workbook_holds_text_and_computes_nothing(payload: str) -> None:
    book = poisoned("xlsx", payload)
    cells = [line.split(" ", 2) for line in sheets(book)]
    assert {type_ for _, type_, _ in cells} <= {"s", "n", "d"}
    for part in parts(book).values():
        assert not {each.tag.rpartition("}")[2] for each in ET.fromstring(part).iter()} & {"f", "hyperlink", "hyperlinks"}
    said = {text for *_, text in cells}
    if 0 < len(payload) < 30_000:
        assert payload in {restored(f"'{text}") for text in said}
    assert terminal_codes("\n".join(said).encode()) == []


def _markup(text: str) -> Counter[str]:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    inside = (child for token in tokens for child in token.children or ())
    return Counter(token.type for token in (*tokens, *inside) if token.type not in {"text", "softbreak", "text_special"})


def _texts(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for key, each in value.items() for text in (key, *_texts(each))]
        case list():
            return [text for each in value for text in _texts(each)]
        case _:
            return []
