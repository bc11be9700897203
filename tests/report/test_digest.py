"""Notifications about changes: only important ones, with the owner, and inert in any client."""

from collections.abc import Iterable

import html5lib
from markdown_it import MarkdownIt
from msgspec import structs

from keyaudit.model.errors import Exit
from keyaudit.model.results.expiring import Ending, Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Expiring, Report
from keyaudit.model.severity import Severity
from keyaudit.report.findings.first import step
from keyaudit.send.digest import MOST, TOLD, Digest, digests, ends_soon, inert, spelled
from tests.report.example import AS_OF, CLEAN, CODESIGN, DAY, EXPIRED, FINDINGS, OVERDUE, REPORT, SUBSCRIPTION, finding, owned
from tests.report.hostile import hostile
from tests.report.listings import expiring
from tests.report.sinks import agent_commands, every_payload, terminal_codes

NOTHING = expiring(())
GREEN = structs.replace(CLEAN, run=structs.replace(REPORT.run, as_of=AS_OF - DAY))


def holding(findings: Iterable[Finding], of: Report = REPORT) -> Report:
    """The report with just these findings."""
    held = tuple(findings)
    return structs.replace(of, findings=lambda _: iter(held), owned=lambda _: owned(held))


EMPTY = holding(())


def told(before: Report, after: Report, ending: Expiring = NOTHING, ended: dict[str, int] | None = None) -> list[Digest]:
    return digests(before, after, ended or {}, ending, Severity.HIGH)


def ending(name: str, days: int | None, *names: str, **more: object) -> Ending:
    row = {**CODESIGN, "id": f"https://kv-prod.vault.azure.net/keys/{name}/v", "name": name}
    ends = None if days is None else AS_OF + days * DAY
    made = Ending(Owner(names, "tag owner", None), "key", row, ends, False)
    return structs.replace(made, **more)


def test_what_is_new_and_grave_is_told_to_its_owner_and_the_rest_to_nobody() -> None:
    release, nobody = told(EMPTY, REPORT)
    [grave] = [each for each in FINDINGS if each.policy is EXPIRED and each.outcome is Outcome.FAIL]
    fix = step(grave, 200)
    key, said = "kv-prod/keys/codesign-2021", "codesign-2021 expired 2026-11-21 and is still enabled"
    assert release.title == "keyaudit: contoso.example, team-release"
    assert release.body.splitlines() == [
        "contoso.example, since 2026-11-24T13:30:00Z: 1 new critical.",
        f"- new critical: {grave.id[:6]} {EXPIRED.problem}: {key}: {said} ({EXPIRED.id}); also: {OVERDUE.problem}; fix: {fix}",
    ]
    assert nobody.title == "keyaudit: contoso.example, no owner known"
    assert "1 new high." in nobody.body
    # Medium, low and unknown are in the report, and are no news.
    assert "MEDIUM" not in (release.body + nobody.body).upper()


def test_what_is_as_it_was_is_not_told() -> None:
    assert told(REPORT, REPORT) == []


def test_what_became_graver_is_told_and_what_became_milder_is_not() -> None:
    [grave] = [each for each in FINDINGS if each.policy is EXPIRED and each.outcome is Outcome.FAIL]
    mild = structs.replace(grave, severity=Severity.MEDIUM)
    [digest] = told(holding([mild]), holding([grave]))
    assert "1 new critical" in digest.body
    assert told(holding([grave]), holding([mild])) == []


def test_what_somebody_waived_is_no_news() -> None:
    [grave] = [each for each in FINDINGS if each.policy is EXPIRED and each.outcome is Outcome.FAIL]
    assert told(EMPTY, holding([structs.replace(grave, outcome=Outcome.WAIVED)])) == []


def test_all_critical_ones_are_told_and_of_others_five() -> None:
    rows = ({**CODESIGN, "name": f"key-{number}", "key_id": f"k{number}", "id": f"k{number}/v"} for number in range(12))
    many = [finding(EXPIRED, Outcome.FAIL, row, "old") for row in rows]
    [digest] = told(EMPTY, holding(many))
    assert "12 new critical." in digest.body
    assert len([line for line in digest.body.splitlines() if line.startswith("- new critical: ")]) == 12
    [high] = told(EMPTY, holding(structs.replace(each, severity=Severity.HIGH) for each in many))
    lines = high.body.splitlines()
    assert len([line for line in lines if line.startswith("- ")]) == TOLD
    assert "12 new high" in lines[0]
    assert lines[-1] == "and 7 more; keyaudit diff and keyaudit expiring list all of them."


def test_a_gate_that_passes_again_is_told_once() -> None:
    bodies = [digest.body for digest in told(EMPTY, structs.replace(CLEAN, run=REPORT.run))]
    assert (
        sum("gate passes again: no open findings at high or above, and everything required was read" in body for body in bodies)
        == 1
    )
    assert told(GREEN, structs.replace(CLEAN, run=REPORT.run)) == []


def test_an_incomplete_run_recovers_no_gate() -> None:
    blind = structs.replace(CLEAN.verdict, exit=Exit.INCOMPLETE, conditions=(Exit.INCOMPLETE,))
    after = structs.replace(CLEAN, run=REPORT.run, verdict=blind)
    assert not [each for each in told(REPORT, after) if "passes again" in each.body]


def test_an_end_that_came_nearer_is_told_once_for_each_span() -> None:
    found = expiring(
        (
            ending("a", 30, "ann"),
            ending("b", 7, "ann"),
            ending("c", 0, "ann"),
            ending("d", 31, "ann"),
            ending("e", None, "ann"),
            ending("f", 3, "ann", retired=True),
        )
    )
    assert found.before == AS_OF + 30 * DAY
    [digest] = told(EMPTY, EMPTY, found)
    assert digest.body.splitlines()[1:] == [
        "- expired: kv-prod/keys/c, expired 2026-11-24",
        "- expiring within 7 days: kv-prod/keys/b, expires 2026-12-01",
        "- expiring within 30 days: kv-prod/keys/a, expires 2026-12-24",
    ]
    # Notifications are not repeated, except for objects that have come closer to expiration since.
    assert told(EMPTY, EMPTY, found, ends_soon(found)) == []
    earlier = dict.fromkeys(ends_soon(found), max(ends_soon(found).values()))
    [again] = told(EMPTY, EMPTY, found, earlier)
    assert "1 expired, 1 expiring within 7 days." in again.body


def test_how_far_to_look_ahead_is_said() -> None:
    found = structs.replace(expiring((ending("a", 60, "ann"), ending("b", 61, "ann"))), before=AS_OF + 60 * DAY)
    [digest] = told(EMPTY, EMPTY, found)
    assert digest.body.splitlines()[1:] == ["- expiring within 60 days: kv-prod/keys/a, expires 2027-01-23"]


def test_more_owners_than_anybody_reads_are_counted_in_the_last() -> None:
    found = expiring(tuple(ending(f"key-{number}", 3, f"owner-{number:03}") for number in range(60)))
    written = told(EMPTY, EMPTY, found)
    assert len(written) == MOST
    assert written[-1].title.endswith("no owner known")
    assert written[-1].body.endswith("36 more owners have 36 changes.")
    # Who has an address of their own is told nevertheless.
    all_told = digests(EMPTY, EMPTY, {}, found, Severity.HIGH, has_address=lambda names: names[0] > "owner-029")
    assert [each.owners for each in all_told if each.owners and each.owners[0] > "owner-029"] == [
        (f"owner-{n:03}",) for n in range(30, 60)
    ]
    assert len(all_told) == 30 + MOST
    assert all_told[-1].body.endswith("6 more owners have 6 changes.")


def test_a_simulated_tenant_is_said_so() -> None:
    simulated = holding(FINDINGS, structs.replace(REPORT, run=structs.replace(REPORT.run, simulated=True)))
    for digest in told(EMPTY, simulated):
        assert digest.title.startswith("keyaudit, simulated tenant: ")
        assert digest.body.startswith("SIMULATED TENANT")


def _attacked(payload: str) -> list[Digest]:
    poisoned = hostile(payload)
    # Half of them had lost nothing before, so that what is lost now is dark.
    before = holding((), structs.replace(poisoned, run=structs.replace(poisoned.run, tenant_name="x")))
    found = expiring((ending(payload, 3, payload), ending("b", 1)))
    return told(before, poisoned, found)


@every_payload
def test_no_name_is_more_than_text_to_any_channel(payload: str) -> None:
    assert _attacked(payload)
    for digest in (spelled(each, mail=False) for each in _attacked(payload)):
        for text in (digest.title, digest.body):
            assert terminal_codes(text.encode()) == []
            assert agent_commands(text.encode()) == []
            assert not set("<>[]`*~|@") & set(text)
            assert "://" not in text
            # An HTML parser finds one text, and a Markdown parser no link, image, HTML or emphasis.
            parsed = html5lib.parseFragment(text)
            assert len(parsed) == 0
            tokens = [each for token in MarkdownIt("commonmark").parse(text) for each in (token, *(token.children or ()))]
            assert {token.type for token in tokens} <= {
                *("inline", "text", "softbreak", "paragraph_open", "paragraph_close", "text_special", "hardbreak"),
                *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
            }
        assert len(digest.title) < 600
        assert len(digest.body.splitlines()) <= TOLD + 3
        assert all(len(line) < 1_000 for line in digest.body.splitlines())


@every_payload
def test_mail_has_the_names_as_they_are_and_no_links(payload: str) -> None:
    for digest in (spelled(each, mail=True) for each in _attacked(payload)):
        for text in (digest.title, digest.body):
            assert terminal_codes(text.encode()) == []
            assert "://" not in text
    [nobody] = [each for each in told(EMPTY, REPORT) if not each.owners]
    assert spelled(nobody, mail=True) == nobody


def test_what_a_channel_acts_on_is_spelled_out_and_the_rest_is_as_it_is() -> None:
    assert inert("kv-prod/keys/a_b (R&D), alice@contoso.example") == "kv-prod/keys/a_b (R&D), alice(at)contoso.example"
    assert inert("<!channel> &lt; [x](http://evil) www.evil.example __init__ @here") == (
        "\\x3c!channel\\x3e \\x26lt; \\x5bx\\x5d(http:\\x2f/evil) www\\x2eevil.example \\x5f\\x5finit\\x5f\\x5f (at)here"
    )


def test_no_id_of_a_subscription_and_no_evidence_is_told() -> None:
    said = "".join(each.body for each in told(EMPTY, REPORT))
    assert SUBSCRIPTION not in said
    assert "0123456789abcdef" not in said
