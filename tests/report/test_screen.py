"""The first screen answers: how bad, where, what is worst and how to fix it, what was not read, what to run next."""

import io
import re
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from keyaudit.model.gating.waivers import Glob, State, Use
from keyaudit.model.reasons import Reason
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Report
from keyaudit.model.results.tier0 import Principal, Tier0, Way
from keyaudit.model.severity import Severity
from keyaudit.report import tenant_reports
from keyaudit.report.findings import screen
from keyaudit.report.findings.first import tier0_named
from keyaudit.report.formats import FORMATS
from keyaudit.report.lines import columns
from keyaudit.report.missing import needed
from keyaudit.report.options import Options
from tests.report.example import AS_OF, CLEAN, REPORT, holding
from tests.report.excused import WAIVER


def many(count: int) -> Report:
    """The example with so many open findings, each on a resource of its own, every tenth of them critical."""
    first = next(each for each in REPORT.findings(False) if each.outcome is Outcome.FAIL and each.row).by_itself()

    def findings() -> Iterator[Finding]:
        for number in range(count):
            level = Severity.CRITICAL if number % 10 == 0 else Severity.LOW
            row = {**first.row, "id": f"{first.row['id']}{number}", "name": f"key-{number}"}
            yield replace(first, severity=level, row=row, subject=str(row["id"]))

    failed = {Severity.CRITICAL: -(-count // 10), Severity.LOW: count - -(-count // 10)}
    tally = replace(REPORT.tallies[0], failed=failed)
    return holding(REPORT, findings(), tallies=(tally,), verdict=replace(REPORT.verdict, failed=failed))


def shown(report: Report, **how: object) -> list[str]:
    out = io.StringIO()
    FORMATS["text"](report, out, replace(Options(full=False), **how))
    return out.getvalue().splitlines()


def test_it_fits_a_terminal_of_80_columns_and_45_lines() -> None:
    lines = shown(many(500))
    assert len(lines) <= 45
    assert max(map(columns, lines)) <= 80


def test_the_headline_has_each_number_once() -> None:
    text = " ".join(shown(many(500)))
    assert "500 open findings: 50 critical, 450 low;" in text
    assert f"{REPORT.verdict.assessed:,} of {REPORT.verdict.required:,} required reads done" in text
    assert f"{sum(REPORT.verdict.unknown.values()):,} results unknown" in text


def test_the_worst_are_the_highest_severities_with_where_how_bad_and_a_fix() -> None:
    lines = shown(many(500))
    entries = [line for line in lines if "CRITICAL" in line]
    # All that the report chose for the page.
    assert len(entries) == 20
    assert not any(" LOW " in line for line in lines)
    assert re.match(r"CRITICAL [0-9a-f]{6} kv-key-expired-still-enabled is violated: kv-prod/keys/key-0", entries[0])
    assert f"And {500 - len(entries)} more causes: {50 - len(entries)} critical, 450 low" in lines


def test_where_there_is_room_each_has_its_owner_and_first_step() -> None:
    lines = shown(many(40))
    entries = [line for line in lines if "CRITICAL" in line]
    assert len(entries) == 4
    assert all(lines[lines.index(line) + 1].startswith("    owner team-release; fix: ") for line in entries)


def test_no_fix_is_cut_and_none_that_takes_something_away_is_shown_without_what_comes_first() -> None:
    deleting = {"cli": "az ad app credential delete --id a --key-id b", "text": "First move the workload. Then look."}
    adding = {"cli": "az keyvault key rotate --id a", "text": "Then move its users."}
    long = {"cli": f"az keyvault key rotate --id {'a' * 80}", "text": "Then move its users."}
    for fix, shown_ in ((deleting, "First move the workload"), (adding, adding["cli"]), (long, "keyaudit explain ")):
        report = many(40)
        changed = [replace(each, fix=fix) for each in report.findings(False)]
        lines = shown(holding(report, changed))
        fixes = [line.partition("fix: ")[2] for line in lines if "fix: " in line]
        assert fixes
        assert all(line.startswith(shown_) and not line.endswith("…") for line in fixes)


def test_what_was_not_read_is_named_with_what_it_affects() -> None:
    lines = shown(many(500))
    at = next(number for number, line in enumerate(lines) if line.startswith("  Not read: "))
    assert lines[at].endswith(", each with the policies that it affects")
    assert any(re.fullmatch(r"    \S+, \d+ polic(y|ies): the identity may not read it", line) for line in lines[at : at + 6])
    assert any(line.startswith("Next: keyaudit doctor") for line in lines)


def test_what_was_expected_and_is_missing_is_named() -> None:
    report = many(500)
    gap = replace(needed(report.verdict)[0], reason=Reason.NOT_VISIBLE, blinds=(), detail="expected vault kv-nope")
    text = " ".join(shown(replace(report, verdict=replace(report.verdict, gaps=(gap,)))))
    assert ": expected vault kv-nope (it was expected but is not visible)" in text
    assert "affects 0" not in text


def test_causes_of_one_holder_are_one_line_and_the_others_a_number() -> None:
    report = many(40)
    same = [
        replace(each, row={**each.row, "app_id": "A" if number % 20 else "a"})
        for number, each in enumerate(report.findings(False))
    ]
    [entry] = [line for line in shown(holding(report, same)) if "CRITICAL" in line]
    assert entry.endswith(" (+3)")


@pytest.mark.parametrize("hints", [True, False])
def test_hints_can_be_left_out(hints: bool) -> None:
    assert any(line.startswith("Next: ") for line in shown(many(500), hints=hints)) is hints


def test_next_commands_name_one_tenant_each() -> None:
    out = io.StringIO()
    options = Options(full=False, sources=("--from one", "--from two"), choice="--profile strict")
    tenant_reports.render("text", [many(500), many(500)], out, options)
    first, second = out.getvalue().split("=== tenant ")[1:]
    for text, own, other in ((first, "--from one", "--from two"), (second, "--from two", "--from one")):
        lines = [line for line in text.splitlines() if line.startswith("Next: ")]
        assert [own in line for line in lines] == [True] * 3
        assert not any(other in line for line in lines)
        # doctor evaluates nothing.
        assert ["--profile strict" in line for line in lines] == [True, True, False]


def test_a_report_with_few_findings_lists_them_all() -> None:
    assert screen.short(CLEAN)
    assert not screen.short(many(20))
    report = many(19)
    few = " ".join(shown(replace(report, verdict=replace(report.verdict, unknown={}))))
    assert all(f"key-{number}" in few for number in range(19))


@pytest.mark.parametrize(("format_", "group"), [("text", "resource"), ("text", "policy"), ("table", "none"), ("csv", "none")])
def test_top_is_of_the_order_that_was_asked_for(format_: str, group: str) -> None:
    report = many(30)
    first = {f"key-{number}": 1_900_000_000 - number for number in range(30)}

    def findings() -> Iterator[Finding]:
        for finding in report.findings(False):
            yield replace(finding, row={**finding.row, "expires_on": first[str(finding.row["name"])]})

    out = io.StringIO()
    report = holding(report, findings(), tallies=report.tallies, verdict=report.verdict)
    FORMATS[format_](report, out, Options(sort="expires", top=2, group=group))
    assert [name for name in first if re.search(rf"\b{name}\b", out.getvalue())] == ["key-28", "key-29"]


def test_severity_and_top_leave_out_what_is_below_and_nothing_else() -> None:
    listed = " ".join(shown(many(30), full=True, least=Severity.CRITICAL))
    assert [number for number in range(30) if f"key-{number} " in listed] == [0, 10, 20]
    listed = " ".join(shown(many(30), full=True, top=2, sort="severity"))
    assert [number for number in range(30) if f"key-{number} " in listed] == [0, 1]


def test_waivers_that_cover_nothing_are_said_and_the_screen_still_fits() -> None:
    report = many(100)
    assert "Waivers" not in shown(report)
    uses = tuple(Use(replace(WAIVER, id=f"W-{number}", resource=Glob("kv/keys/a")), State.UNUSED) for number in range(9))
    lines = shown(replace(report, verdict=replace(report.verdict, waivers=uses)))
    at = lines.index("Waivers")
    assert lines[at + 1].startswith("  waiver W-0 of team-release@contoso.example covers nothing in this run: ")
    assert lines[at + 3] == "  and 7 more; keyaudit report --full lists them"
    assert len(lines) <= 45
    assert max(map(columns, lines)) <= 80


@pytest.mark.parametrize(
    ("owners", "whole", "said"),
    [
        (2, True, "owned by 2 users, last used 2026-11-24"),
        (1, False, "owned by at least 1 user, last used"),
        (0, False, "owners not read, last used"),
        (0, True, "with a client secret, last used"),
        (None, True, "with a client secret, last used"),
    ],
)
def test_who_owns_a_principal_of_tier_0_is_said_as_far_as_it_was_read(owners: int | None, whole: bool, said: str) -> None:
    way = Way.SECRET
    one = Principal(name="a", way=way, last_sign_in=AS_OF, sign_ins_read=True, owners=owners, owners_read=whole)
    report = replace(REPORT, tier0=lambda: Tier0(ways={way: 1}, whole=True, named=(one,)))
    [line] = tier0_named(report, 3)
    assert line.startswith("a: with a client secret, ")
    assert said in line


def _of_tier0(number: int) -> Principal:
    return Principal(
        name=f"An application with a name that is far too long {number}",
        way=Way.OUTSIDE,
        last_sign_in=AS_OF,
        sign_ins_read=True,
        owners=0,
        owners_read=True,
    )


@pytest.mark.parametrize("findings", [40, 500])
def test_principals_of_tier_0_are_named_where_causes_leave_room(findings: int) -> None:
    held = Tier0(ways={Way.OUTSIDE: 12}, whole=True, named=tuple(map(_of_tier0, range(10))))
    lines = shown(replace(many(findings), tier0=lambda: held))
    said = " ".join(" ".join(lines).split())
    assert (
        "Tier 0: 12 principals outside Microsoft, 12 with a certificate outside any vault (An application with a name…; "
        in said
    )
    named = said.count("An application with a name…")
    assert 1 < named <= 10
    assert f"; and {12 - named} more)" in said
    assert any(line.startswith("    keyaudit report --full --select sp-can-take-over-tenant") for line in lines)
    assert len(lines) <= 45
    assert max(map(columns, lines)) <= 80


def test_a_principal_of_tier_0_that_a_critical_line_names_is_not_named_again() -> None:
    for name, said in (("key-10", "all named above"), ("key-1", "1 named above and 1 with a client secret (key-1)")):
        named = tuple(replace(_of_tier0(0), name=each, way=Way.SECRET) for each in ("key-0", name))
        lines = shown(replace(many(40), tier0=lambda named=named: Tier0(ways={Way.SECRET: 2}, whole=True, named=named)))
        assert f"2 principals outside Microsoft, {said}" in " ".join(" ".join(lines).split())


def test_a_name_is_shown_where_it_does_not_fit_beside_its_kind() -> None:
    def findings() -> Iterator[Finding]:
        for finding in many(30).findings(False):
            row = {**finding.row, "name": f"A tenant's mail automation {finding.row['name']}"}
            yield replace(finding, policy=replace(finding.policy, table="service_principal"), row=row)

    lines = shown(holding(many(30), findings()))
    assert any(re.search(r": A tenant's mail", line) for line in lines)
    assert max(map(columns, lines)) <= 80
