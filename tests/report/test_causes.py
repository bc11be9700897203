"""A cause is told once in every format for people: the head with what it explains, and a consequence with its head."""

import csv
import io
import json
from collections.abc import Iterator

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from keyaudit.model.causes import MANY, Causes
from keyaudit.model.expiring import Owner
from keyaudit.model.findings import Finding, Outcome, PolicyText
from keyaudit.model.run import Report
from keyaudit.model.severity import Severity
from keyaudit.policy.load import load
from keyaudit.report import markdown
from keyaudit.report.explain import render_policy
from keyaudit.report.explain.finding import render_finding
from keyaudit.report.findings.arrange import chosen
from keyaudit.report.findings.first import step
from keyaudit.report.formats import FORMATS
from keyaudit.report.html.findings import findings
from keyaudit.report.html.first import first_page
from keyaudit.report.options import Options
from keyaudit.report.summary import headline
from tests.report.example import CODESIGN, EXPIRED, EXPIRING, OVERDUE, REPORT, RUN, SOFTWARE, caused, causes, finding, holding
from tests.report.test_digest import told

HEAD = next(each for each in REPORT.findings(False) if each.cause and each.leads)
BESIDE = next(each for each in REPORT.findings(False) if each.beside_head)
APART = next(each for each in REPORT.findings(False) if each.cause and not each.leads and not each.beside_head)
NOBODY = Owner((), "", None)


def printed(format_: str, report: Report = REPORT, **how: object) -> str:
    out = io.StringIO()
    FORMATS[format_](report, out, replace(Options(), **how))
    return out.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def cells(report: Report) -> list[list[str]]:
    """The rows of the last table of the report as Markdown, as a browser shows them."""
    out = io.BytesIO()
    markdown.write(report, out)
    parsed = MarkdownIt().enable("table").parse(out.getvalue().decode())
    texts = [each.content for each in parsed if each.type == "inline"]
    at = max(number for number, text in enumerate(texts) if text == "severity")
    return [texts[start : start + 5] for start in range(at, len(texts), 5)]


def test_the_example_has_a_head_a_consequence_on_its_row_and_one_elsewhere() -> None:
    assert [each.policy for each in (HEAD, BESIDE, APART)] == [EXPIRED, OVERDUE, SOFTWARE]
    assert HEAD.row["id"] == BESIDE.row["id"] != APART.row["id"]


def test_the_headline_and_the_last_sentence_say_causes_and_findings() -> None:
    count = sum(REPORT.verdict.failed.values())
    assert f"{count - 2} causes, {count} open findings: 1 critical," in headline(REPORT)
    assert f", in {count - 2} causes; " in flat(printed("text"))
    one = holding(REPORT, [HEAD.by_itself()], verdict=replace(REPORT.verdict, failed={Severity.CRITICAL: 1}, unknown={}))
    out = io.BytesIO()
    markdown.write(one, out)
    assert "**1 cause, 1 open finding: 1 critical; " in out.getvalue().decode()


def test_text_tells_a_consequence_under_its_head_or_with_the_heads_id() -> None:
    text = flat(printed("text"))
    assert f"also HIGH {OVERDUE.problem} ({OVERDUE.id}): {BESIDE.id[:6]} {BESIDE.message}" in text
    assert f"also, on 1 other resource: {SOFTWARE.problem}" in text
    assert text.count(BESIDE.message) == 1
    assert f"{APART.message} same cause as {HEAD.id}: {EXPIRED.problem}" in text


@pytest.mark.parametrize("sort", ["policy", "resource", "expires"])
def test_text_does_so_in_any_order(sort: str) -> None:
    text = flat(printed("text", sort=sort))
    assert f"also HIGH {OVERDUE.problem} ({OVERDUE.id}): {BESIDE.id[:6]} {BESIDE.message}" in text
    assert text.count(BESIDE.message) == 1


def test_text_without_the_head_tells_each_by_itself() -> None:
    rest = holding(REPORT, [each for each in REPORT.findings(False) if not each.cause or not each.leads])
    text = flat(printed("text", rest))
    assert f"{BESIDE.message} same cause as {HEAD.id}: {EXPIRED.problem}" in text


def test_a_table_has_a_line_for_each_cause() -> None:
    lines = printed("table", columns=("policy", "finding", "cause"), hints=False).splitlines()
    rows = [line for line in lines if line.startswith((EXPIRED.id, OVERDUE.id, SOFTWARE.id)) and "unknown:" not in line]
    first, apart = rows
    assert f"{HEAD.message}; also: {OVERDUE.problem} and {SOFTWARE.problem}" in first
    assert f"{APART.message}; same cause as {HEAD.id}: {EXPIRED.problem}" in apart
    assert apart.rstrip().endswith(f"  same cause as {HEAD.id}: {EXPIRED.problem}")


@pytest.mark.parametrize("group", ["policy", "owner", "algorithm"])
def test_groups_have_every_finding_and_each_names_its_cause(group: str) -> None:
    text = flat(printed("text", group=group))
    assert f"{HEAD.message}; also: {OVERDUE.problem} and {SOFTWARE.problem}" in text
    for each in (BESIDE, APART):
        assert f"{each.message}; same cause as {HEAD.id}: {EXPIRED.problem}" in text


def test_markdown_has_a_row_for_each_cause() -> None:
    rows = {row[4]: row for row in cells(REPORT) if row[0] not in ("unknown", "severity")}
    assert OVERDUE.id not in {policy.strip("`") for policy in rows}
    assert rows[f"`{EXPIRED.id}`"][3] == f"{HEAD.message}; also: {OVERDUE.problem} and {SOFTWARE.problem}".replace(":", "&#58;")
    assert rows[f"`{SOFTWARE.id}`"][3].endswith(f"; same cause as {HEAD.id}&#58; {EXPIRED.problem}")


def test_the_page_lists_every_finding_with_its_cause_and_the_worst_causes() -> None:
    found = findings(REPORT)
    items = {group.policy.id: group.items for level in found.levels for group in level.groups}
    assert [item.also for item in items[EXPIRED.id]] == [f"also: {OVERDUE.problem} and {SOFTWARE.problem}"]
    assert [(item.head, item.of) for item in items[OVERDUE.id]] == [(HEAD.id, EXPIRED.problem)]
    rows = first_page(REPORT).rows
    assert rows[0].policy.id == EXPIRED.id
    assert {OVERDUE.id, SOFTWARE.id}.isdisjoint(row.policy.id for row in rows)


def test_programs_get_every_finding_with_the_head_of_its_cause_and_the_number_of_causes() -> None:
    document = json.loads(printed("json"))
    assert document["causes"] == {"open": causes(REPORT.findings(False)).count}
    found = {each["id"]: each["cause"] for each in document["findings"]}
    assert HEAD.cause is not None
    expected = {"kind": "key-version", "object": HEAD.cause.object, "head": HEAD.id}
    assert {id_: cause for id_, cause in found.items() if cause} == dict.fromkeys((HEAD.id, BESIDE.id, APART.id), expected)
    rows = [row for row in csv.DictReader(io.StringIO(printed("csv"), newline="")) if row["cause_id"]]
    of_cause = {row["finding_id"] for row in rows if row["cause_id"] == HEAD.id}
    assert of_cause == {HEAD.id, BESIDE.id, APART.id}
    assert all(row["cause_id"] == row["finding_id"] for row in rows if row["finding_id"] not in of_cause)


def test_a_finding_names_the_action_and_the_others_of_its_cause() -> None:
    for each, others in ((HEAD, (BESIDE, APART)), (APART, (HEAD, BESIDE))):
        said = flat(render_finding(each, NOBODY, RUN))
        assert each.cause is not None
        assert f"Cause {each.cause.action} The same cause has:" in said
        assert all(f"{other.id}: {other.policy.problem} ({other.policy.id})" in said for other in others)
    assert "Cause" not in render_finding(HEAD.by_itself(), NOBODY, RUN)


def test_a_policy_names_its_causes() -> None:
    texts: dict[str, PolicyText] = {each.text.id: each.text for each in load()}
    said = flat(render_policy(texts["kv-key-expired-still-enabled"], {}))
    assert "key-version, of one key where is_current. Give the key a rotation policy" in said
    assert "old-key-versions, of one key where not is_current. Move the users of older versions" in said
    assert "each finding has its own cause" in flat(render_policy(texts["app-no-owner"], {}))


def repeated(count: int, *others: Finding) -> Report:
    """The report with so many causes that differ in their resource alone, every third with a consequence."""
    found: list[Finding] = []
    for number in range(count):
        row = {**CODESIGN, "id": f"k{number}/v", "key_id": f"k{number}", "name": f"key-{number:04}"}
        head = finding(EXPIRED, Outcome.FAIL, row, f"old {number}", command="az one")
        also = [finding(OVERDUE, Outcome.FAIL, row, "late")] if number % 3 == 0 else []
        found += caused([head, *also], f"k{number}")
    alike = {(EXPIRED.id, "critical", "az one"): count} if count > MANY else {}
    counts = Causes({"critical": count, "info": len(others)}, alike)
    verdict = replace(REPORT.verdict, failed={Severity.CRITICAL: count, Severity.HIGH: -(-count // 3)})
    return holding(REPORT, [*found, *others], causes=lambda: counts, verdict=verdict)


OTHER = next(each for each in REPORT.findings(False) if each.policy is EXPIRING)


def test_causes_that_differ_in_their_resource_alone_are_one_entry_with_a_list() -> None:
    text = printed("text", repeated(MANY + 2, OTHER))
    assert flat(text).count(f"({EXPIRED.id})") == 1
    assert f"{MANY + 2} resources with the same problem\n  CRITICAL  {EXPIRED.problem}" in text
    first, second = (finding(EXPIRED, Outcome.FAIL, {**CODESIGN, "key_id": f"k{n}"}, "").id[:6] for n in (0, 1))
    listed = f"{first} kv-prod/keys/key-0000, owner team-release: old 0 (also {OVERDUE.problem}) {second} "
    assert f"{listed}kv-prod/keys/key-0001, owner team-release: old 1 " in flat(text)
    assert f"kv-prod/keys/key-{MANY + 1:04}, owner team-release: old {MANY + 1} (also {OVERDUE.problem})" in flat(text)
    assert text.index("resources with the same problem") > text.index(OTHER.message)


def test_two_are_listed_one_by_one() -> None:
    text = printed("text", repeated(MANY))
    assert "with the same problem" not in text
    assert flat(text).count(f"({EXPIRED.id})") == MANY


def test_the_first_screen_has_them_once_with_their_number() -> None:
    lines = printed("text", repeated(200, OTHER), full=False).splitlines()
    assert sum("CRITICAL" in line for line in lines) == 1
    assert " and 199 more" in " ".join(lines)
    assert max(map(len, lines)) <= 80


def test_markdown_has_them_in_one_row_with_a_bounded_list() -> None:
    [row] = [row for row in cells(repeated(200)) if row[0] == "critical"]
    names = row[2].split("<br>")
    assert names[0] == "kv-prod/keys/key-0000"
    assert (len(names), names[-1]) == (101, "and 100 more")


def test_at_most_so_many_causes_are_listed_for_people_and_findings_for_programs() -> None:
    report = repeated(6)
    assert [each.policy.id for each in chosen(report, Severity.INFO, 2, causes=True).findings(False)] == [
        EXPIRED.id, OVERDUE.id, EXPIRED.id,
    ]  # fmt: skip
    assert len(list(chosen(report, Severity.INFO, 2).findings(False))) == 2
    assert [each["policy"] for each in json.loads(printed("json", report, top=2))["findings"]] == [EXPIRED.id, OVERDUE.id]


def test_a_list_that_is_cut_claims_no_number() -> None:
    text = printed("text", repeated(MANY + 2), top=3)
    assert "with the same problem" not in text
    assert flat(text).count(f"({EXPIRED.id})") == 3


def test_one_cause_is_one_line_of_a_message_for_each_owner() -> None:
    here, nobody = told(holding(REPORT, ()), REPORT)
    lines = [line for line in here.body.splitlines() if line.startswith("- ")]
    said = (
        f"{HEAD.id[:6]} {EXPIRED.problem}: kv-prod/keys/codesign-2021: {HEAD.message} ({EXPIRED.id}); also: {OVERDUE.problem}"
    )
    assert lines == [f"- new critical: {said}; fix: {step(HEAD, 200)}"]
    assert "1 new critical." in here.body
    assert SOFTWARE.problem not in nobody.body


def test_a_message_about_a_consequence_of_an_old_finding_names_the_head() -> None:
    def without() -> Iterator[Finding]:
        return (each for each in REPORT.findings(True) if each is not BESIDE)

    [digest] = told(holding(REPORT, without()), REPORT)
    [line] = [line for line in digest.body.splitlines() if line.startswith("- ")]
    assert line.endswith(f"({OVERDUE.id}); same cause as {HEAD.id}: {EXPIRED.problem}")
