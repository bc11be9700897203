"""The page: one file that needs nothing else, whose structure no name can change, and that counts as the other formats do."""

import base64
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest
from msgspec import structs

from keyaudit.model.errors import Exit
from keyaudit.model.frameworks import FRAMEWORKS
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Past, Report, UnderProfile
from keyaudit.model.severity import Severity
from keyaudit.model.values.text import visible
from keyaudit.report import html
from keyaudit.report.findings.first import TOP
from keyaudit.report.html import write
from keyaudit.report.html.first import PRINTED
from keyaudit.report.html.inert import LONGEST
from tests.report.example import AS_OF, CLEAN, DAY, EXPIRED, FINDINGS, GATED, OVERDUE, REPORT, holding, tallies, total
from tests.report.excused import EXCUSED
from tests.report.fixed import fixed_apart
from tests.report.hostile import hostile
from tests.report.sinks import agent_commands, every_payload, one_of_each_kind, terminal_codes

SCRIPT = Path(html.__file__).parent / "templates" / "filters.js"
REFERENCES = {each for tally in REPORT.tallies for each in tally.policy.references if each.startswith("https://")}


def printed(report: Report) -> bytes:
    out = io.BytesIO()
    write(report, out)
    return out.getvalue()


@cache
def hostile_page(payload: str) -> bytes:
    out = io.BytesIO()
    write(hostile(payload), out)
    return out.getvalue()


@lru_cache(maxsize=4)
def parsed(page: bytes) -> Element:
    """The page as a parser sees it that takes nothing amiss."""
    document: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page, transport_encoding="utf-8")
    return document


def structure(page: bytes) -> list[tuple[str, tuple[str, ...]]]:
    return [(str(each.tag), tuple(sorted(each.attrib))) for each in parsed(page).iter()]


def of_class(page: bytes, name: str) -> Iterator[Element]:
    return (each for each in parsed(page).iter() if name in each.attrib.get("class", "").split())


def text(page: bytes) -> str:
    return " ".join(" ".join(parsed(page).itertext()).split())


def test_the_same_report_gives_the_same_bytes() -> None:
    assert printed(REPORT) == printed(REPORT)


@pytest.mark.parametrize("report", [REPORT, GATED, CLEAN], ids=["report", "gated", "clean"])
def test_nothing_is_fetched_and_nothing_is_run_but_the_filters(report: Report) -> None:
    page = printed(report)
    tags = Counter(str(each.tag).rpartition("}")[2] for each in parsed(page).iter())
    assert not {"img", "link", "iframe", "object", "embed", "form", "base", "image", "use", "foreignObject"} & set(tags)
    assert (tags["h1"], tags["main"], tags["style"], tags["script"]) == (1, 1, 1, 1)
    names = {name for each in parsed(page).iter() for name in each.attrib}
    assert not [name for name in names if name.startswith("on") or name in {"style", "src", "srcset", "action"}]
    [style] = [each.text or "" for each in parsed(page).iter() if each.tag == "style"]
    assert re.findall(r"url\((.*?)\)", style) == ["#hatch"] * style.count("url(")
    assert "@import" not in style
    [script] = [each.text or "" for each in parsed(page).iter() if each.tag == "script"]
    # The same for every report: no text of the tenant is in it, and it makes no markup of text.
    assert script == SCRIPT.read_text("utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function|fetch|XMLHttp|import|storage", script
    )
    of_style, of_script = (base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in (style, script))
    [policy] = [each.attrib["content"] for each in parsed(page).iter() if "http-equiv" in each.attrib]
    confined = f"default-src 'none'; style-src 'sha256-{of_style}'; script-src 'sha256-{of_script}'"
    assert policy == f"{confined}; base-uri 'none'; form-action 'none'"


def test_every_finding_has_a_link_of_its_own_with_what_it_is_filtered_by() -> None:
    rows = [row for each in of_class(printed(REPORT), "items") for row in each]
    shown = {finding.id: finding for _, finding in REPORT.owned(False)}
    assert {each.attrib["id"].removeprefix("f-") for each in rows} == set(shown)
    for each in rows:
        finding = shown[each.attrib["id"].removeprefix("f-")]
        status = {Outcome.FAIL: "known" if finding.known else "open"}.get(finding.outcome, finding.outcome.value)
        assert each.attrib.get("data-status", "open") == status
        [link] = each.iter("a")
        assert (link.attrib["href"], link.text) == (f"#f-{finding.id}", finding.id[:6])


def test_links_lead_into_the_page_or_to_what_policies_refer_to() -> None:
    root = parsed(printed(REPORT))
    ids = [each.attrib["id"] for each in root.iter() if "id" in each.attrib]
    assert len(ids) == len(set(ids))
    links = {each.attrib["href"] for each in root.iter() if "href" in each.attrib}
    assert {link for link in links if not link.startswith("#")} == REFERENCES
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    named = {name for each in root.iter() for name in each.attrib.get("aria-labelledby", "").split()}
    assert named <= set(ids)


@one_of_each_kind
def test_a_name_changes_nothing_but_text_and_is_read_as_it_is(payload: str) -> None:
    page = hostile_page(payload)
    if not payload:
        # An empty name leaves out what would say nothing more, and never adds anything.
        assert set(structure(page)) <= set(structure(hostile_page("N")))
    else:
        assert structure(page) == structure(hostile_page("N"))
    links = {each.attrib["href"] for each in parsed(page).iter() if "href" in each.attrib}
    assert {link for link in links if not link.startswith("#")} <= REFERENCES
    # HTML has no place for a noncharacter either.
    shown = " ".join(visible(payload, LONGEST).replace("\uffff", "\\uffff").split())
    assert shown in text(page)


@every_payload
def test_a_name_acts_on_no_terminal_and_no_agent(payload: str) -> None:
    page = hostile_page(payload)
    assert terminal_codes(page) == []
    assert agent_commands(page) == []


def test_findings_and_unknown_results_are_counted_as_everywhere() -> None:
    page = printed(REPORT)
    tiles = ["".join(each.itertext()).split() for each in next(of_class(page, "tiles"))]
    failed, unknown = total(FINDINGS, Outcome.FAIL), total(FINDINGS, Outcome.UNKNOWN)
    assert {words[1]: int(words[0]) for words in tiles} == {level: failed.get(level, 0) for level in Severity}
    rows = [row for each in of_class(page, "items") for row in each]
    assert len(rows) == sum(failed.values()) + sum(unknown.values())
    listed = Counter(_level(each) for each in of_class(page, "policy") if "unknown" not in each.attrib["class"].split())
    assert listed == Counter(level for _, level in {(each.policy.id, each.severity) for each in FINDINGS if _fails(each)})


def test_policies_of_a_severity_stand_in_the_order_of_their_first_findings_and_not_of_their_number() -> None:
    failing = [each for each in FINDINGS if _fails(each)]
    [overdue] = [each for each in failing if each.policy is OVERDUE]
    [other] = [structs.replace(overdue, policy=each.policy) for each in failing if each.policy is EXPIRED][:1]
    many = [_numbered(overdue.by_itself(), number) for number in range(3)]
    for found in ([*many, other], [other, *many]):
        verdict = structs.replace(REPORT.verdict, failed=total(found, Outcome.FAIL), unknown={})
        page = printed(holding(REPORT, found, verdict=verdict, tallies=tallies(found)))
        shown = [each.attrib["id"].partition("-")[2] for each in of_class(page, "policy")]
        assert shown == list(dict.fromkeys(each.policy.id for each in found))


def _fails(finding: Finding) -> bool:
    return finding.outcome is Outcome.FAIL


def _level(details: Element) -> str:
    return details.attrib["class"].split()[1]


@pytest.mark.parametrize(
    ("conditions", "gate", "word"),
    [
        ((Exit.CLEAN,), Severity.HIGH, "GATE PASSED"),
        ((Exit.CLEAN,), None, "REPORT (no gate)"),
        ((Exit.FINDINGS,), Severity.HIGH, "GATE FAILED"),
        ((Exit.FINDINGS, Exit.INCOMPLETE), Severity.HIGH, "GATE FAILED"),
        ((Exit.INCOMPLETE,), Severity.HIGH, "INCOMPLETE"),
        ((Exit.INCOMPLETE,), None, "INCOMPLETE"),
        ((Exit.UNSAFE, Exit.INCOMPLETE), None, "REFUSED FOR SAFETY"),
        ((Exit.NO_ACCESS, Exit.INCOMPLETE), None, "NOTHING ASSESSED"),
        ((Exit.UNAVAILABLE, Exit.INCOMPLETE), None, "NOTHING ASSESSED"),
    ],
)
def test_the_band_says_what_was_decided(conditions: tuple[Exit, ...], gate: Severity | None, word: str) -> None:
    verdict = structs.replace(REPORT.verdict, exit=conditions[0], conditions=conditions, gate=gate)
    page = printed(structs.replace(REPORT, verdict=verdict))
    assert ["".join(each.itertext()) for each in of_class(page, "word")] == [word]
    incomplete = Exit.INCOMPLETE in conditions
    assert ("Coverage: missing reads" in text(page)) == incomplete
    assert ("Also incomplete: something required was not assessed" in text(page) or word == "INCOMPLETE") == incomplete


def test_what_to_do_stands_first_and_the_facts_of_the_run_last() -> None:
    page = printed(REPORT)
    anchors = [each.attrib["id"] for each in parsed(page).iter("section") if "id" in each.attrib]
    assert (anchors[:2], anchors[-1]) == (["top", "findings"], "method")
    [band] = of_class(page, "band")
    assert [each.attrib.get("id") for each in band.iter() if each.attrib.get("id") in {"filters", "first-title"}] == [
        "filters",
        "first-title",
    ]
    assert not list(band.iter("dl"))
    assert anchors.index("coverage") < anchors.index("unseen")
    assert "coverage" not in [each.attrib.get("id") for each in parsed(printed(CLEAN)).iter("section")]


def test_a_simulated_tenant_says_so() -> None:
    assert "SIMULATED TENANT" in text(printed(CLEAN))
    assert "SIMULATED TENANT" not in text(printed(REPORT))


def test_every_chart_has_its_numbers_in_a_table() -> None:
    for figure in parsed(printed(REPORT)).iter("figure"):
        charts = [each for each in figure.iter() if str(each.tag).endswith("svg") and each.attrib.get("role") == "img"]
        [details] = [each for each in figure if each.tag == "details"]
        assert len(charts) == 1
        assert list(details.iter("table"))


def test_every_framework_that_a_policy_is_mapped_to_is_there() -> None:
    shown = text(printed(REPORT))
    assert all(FRAMEWORKS[key].title in shown for tally in REPORT.tallies for key in tally.policy.frameworks)


def test_what_a_page_cannot_hold_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyaudit.report.html.findings.MOST", 3)
    out = io.BytesIO()
    write(REPORT, out)
    page = out.getvalue()
    rows = sum(map(len, of_class(page, "items")))
    assert rows == 3
    left_out = sum(total(FINDINGS, Outcome.FAIL).values()) + sum(total(FINDINGS, Outcome.UNKNOWN).values()) - 3
    assert sum(map(int, re.findall(r"(\d+) more are counted and not listed here", text(page)))) == left_out


def test_a_finding_says_what_is_weak_and_what_it_opens() -> None:
    rows = [row for each in of_class(printed(EXCUSED), "items") for row in each]
    [judged] = [" ".join("".join(row.itertext()).split()) for row in rows if " x " in "".join(row.itertext())]
    assert judged.startswith("kv-prod/keys/rolled")
    assert judged.endswith("low or medium: weak x one workload or wide")
    assert len(rows) > 1


def test_a_command_is_below_the_name_of_its_resource_and_for_its_finding_alone() -> None:
    page = printed(fixed_apart(30))
    [body] = of_class(page, "body")
    assert "".join(body.itertext()).count("Move the workload.") == 1
    fixes = list(of_class(page, "fix"))
    assert len(fixes) == 3
    for number, each in enumerate(fixes):
        said = " ".join("".join(each.itertext()).split())
        assert said.startswith(f"Fix for kv-prod/keys/codesign-{number:04d}")
        assert said.count("az keyvault key delete") == 1
        assert f"--name codesign-{number:04d}" in said
        [row] = [row for row in parsed(page).iter("li") if row.attrib.get("id") == f"f-{each.attrib['data-for']}"]
        assert f"codesign-{number:04d}" in "".join(row.itertext())
    # No command stands anywhere else, but in the short form for paper.
    assert page.count(b"az keyvault key delete") == len(fixes) + PRINTED
    assert "27 more with a fix that is not listed here" in text(page)


@pytest.mark.parametrize(
    ("severity", "steps"), [(Severity.HIGH, 3), (Severity.MEDIUM, 1), (Severity.LOW, 0), (Severity.INFO, 0)]
)
def test_a_lower_severity_has_one_example_of_the_steps_and_the_lowest_how_to_read_them(severity: Severity, steps: int) -> None:
    [overdue] = [each for each in FINDINGS if each.policy is OVERDUE and each.outcome is Outcome.FAIL]
    found = [structs.replace(_numbered(overdue.by_itself(), number), severity=severity) for number in range(3)]
    verdict = structs.replace(REPORT.verdict, failed=total(found, Outcome.FAIL), unknown={})
    page = printed(holding(REPORT, found, verdict=verdict, tallies=tallies(found)))
    assert len(list(of_class(page, "fix"))) == steps
    [body] = of_class(page, "body")
    assert (f"keyaudit explain {OVERDUE.id}" in "".join(body.itertext())) == (not steps)
    assert (OVERDUE.why in "".join(body.itertext())) == bool(steps)


def test_five_thousand_findings_are_less_than_three_megabytes() -> None:
    [overdue] = [each for each in FINDINGS if each.policy is OVERDUE and each.outcome is Outcome.FAIL]
    found = [_numbered(overdue.by_itself(), number) for number in range(5_000)]
    verdict = structs.replace(REPORT.verdict, failed=total(found, Outcome.FAIL), unknown={})
    alone = {"apart": lambda _: iter(()), "under": lambda profile: UnderProfile(profile=profile)}
    page = printed(holding(REPORT, found, verdict=verdict, tallies=tallies(found), **alone))
    assert len(page) < 3_000_000
    # Once more in Start here, and in the short form for paper.
    assert page.count(b"was created 2023-01-12; the limit is 730 days") == 5_000 + TOP + PRINTED
    assert page.count(OVERDUE.why.encode()) == 1


def _numbered(finding: Finding, number: int) -> Finding:
    name = f"codesign-{number:04d}"
    fix = {"cli": f"az keyvault key rotate --vault-name kv-prod --name {name}"}
    return structs.replace(finding, row={**finding.row, "name": name}, subject=f"{finding.subject}{number}", fix=fix)


def test_the_trend_has_a_point_a_snapshot_and_says_which_are_not_complete() -> None:
    past = [
        Past(run_id=str(days), as_of=AS_OF - days * DAY, open={Severity.HIGH: days}, unknown=1, complete=days > 40)
        for days in (60, 30)
    ]
    own = Past.of(REPORT.run, REPORT.verdict)
    after = structs.replace(past[0], run_id="after", as_of=AS_OF + DAY)
    page = printed(structs.replace(REPORT, history=(*past, own, after)))
    [section] = [each for each in parsed(page).iter("section") if each.attrib.get("id") == "trend"]
    rows = [" ".join(" ".join(row.itertext()).split()) for row in section.iter("tr")][1:]
    assert [row.split()[0] for row in rows] == ["2026-09-25", "2026-10-25", "2026-11-24"]
    assert [row.split()[-1] for row in rows] == ["yes", "no", "no"]
    assert "fewer may mean that less was read" in text(page)
    assert "1 made after this one is left out" in text(page)
    assert "No other snapshot to compare with" in text(printed(REPORT))
