"""A report in other groups, orders and columns, as it is asked for on the command line."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from keyaudit.cli.clock import SystemClock
from keyaudit.model.errors import Exit
from keyaudit.simulator.estates import estate
from tests.cli.conftest import Keyaudit
from tests.cli.tenants import running

# Findings of several grades, with an end and without one; with those of applications, of owners from every source.
KEYS = ("--select", "kv-key-*", "--select", "app-secret-too-long")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--group-by", "polcy"], "resource"),
        (["--group-by", "policy", "-o", "json"], "leave one of them out"),
        (["--columns", "severity,ownr", "-o", "table"], "did you mean owner?"),
        (["--columns", "severity", "-o", "csv"], "-o table"),
        (["--columns", "severity", "--group-by", "owner"], "-o table"),
        (["--sort", "expiry"], "expires"),
        (["--framework", "mcsb", "--group-by", "owner"], "--framework"),
        (["--framework", "mcsb", "--sort", "expires"], "--framework"),
        (["--framework", "mcsb", "--columns", "severity"], "--framework"),
        (["--framework", "mcsb", "--profile", "default"], "evaluated with its own limits"),
        (["--control", "8.3.9"], "--framework"),
    ],
)
def test_what_cannot_be_combined_is_refused(keyaudit: Keyaudit, arguments: list[str], words: str) -> None:
    ran = keyaudit("report", "--demo", *arguments)
    assert ran.code == Exit.USAGE
    assert words in ran.err
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1


def _beside(finding: dict[str, Any], findings: list[dict[str, Any]]) -> bool:
    """Whether the head of its cause is another finding on the same row."""
    head = finding["cause"] and next(each for each in findings if each["id"] == finding["cause"]["head"])
    return bool(head) and head is not finding and head["row"]["id"] == finding["row"]["id"]


def test_every_grouping_tells_of_the_same_findings(keyaudit: Keyaudit, contoso: Path) -> None:
    def listed(*arguments: str) -> int:
        ran = keyaudit("report", "--from", contoso, *KEYS, *arguments)
        assert ran.code == Exit.CLEAN
        return len(re.findall(r"^ {0,2}(CRITICAL|HIGH|MEDIUM|LOW|INFO) ", ran.out, re.MULTILINE))

    def named(*arguments: str) -> set[str]:
        return set(re.findall(r"\b[0-9a-f]{6}\b", keyaudit("report", "--from", contoso, *KEYS, *arguments).out))

    findings = keyaudit("report", "--from", contoso, *KEYS, "-o", "json").json["findings"]
    assert len({each["policy"] for each in findings}) > 5
    assert len({each["severity"] for each in findings}) > 2
    # By resource and in a table, those on the row of the head of their cause are told with it.
    own = {each["id"][:6] for each in findings if not _beside(each, findings)}
    assert len(own) < len(findings)
    assert {listed("--group-by", by) for by in ("policy", "owner")} == {len(findings)}
    assert listed("--group-by", "none", "--sort", "severity") == len(own)
    for arguments in (("--group-by", "resource", "--sort", "severity"), *(("--sort", by) for by in ("policy", "expires"))):
        assert own <= named(*arguments)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("narrow_views")
@pytest.mark.parametrize(
    ("estate_", "arguments"),
    [("hardened", ("--top", "5")), ("blind_spots", ("--full", "--all"))],
)
def test_what_is_printed_does_not_depend_on_what_else_is_written(
    request: pytest.FixtureRequest, keyaudit: Keyaudit, tmp_path: Path, estate_: str, arguments: tuple[str, ...]
) -> None:
    """A file of findings needs every column of the inventory, and lines for people only some."""
    folder = request.getfixturevalue(estate_)
    alone = keyaudit("report", "--from", folder, *arguments)
    beside = keyaudit("report", "--from", folder, *arguments, "--export", f"json={tmp_path / 'all.json'}")
    assert alone.out == beside.out
    assert alone.code == beside.code


OWNERS = re.compile(r"^(\S.*?)  \d+ (?:critical|high|medium|low|info)\b", re.MULTILINE)
"""The headings of a report by owner."""


def test_owners_are_those_of_the_list_of_what_expires(keyaudit: Keyaudit, contoso: Path) -> None:
    listed = keyaudit("expiring", "20000d", "--all", "--from", contoso).out
    ending = set(re.findall(r"^(\S.*)\n  (?:\d{4}-|unknown)", listed, re.MULTILINE))
    assert ending
    # Findings without an end have owners, too.
    assert len(set(OWNERS.findall(keyaudit("report", "--group-by", "owner", *KEYS, "--from", contoso).out)) & ending) > 5


def test_columns_make_a_table_of_them(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("report", "--from", contoso, *KEYS, "--columns", "expires,policy,owner", "--sort", "expires")
    [header] = [line for line in ran.out.splitlines() if line.startswith("Expires")]
    assert header.split() == ["Expires", "Policy", "Owner"]


def test_columns_alone_make_a_table_too(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("report", "--from", contoso, "--select", "kv-*", "--columns", "severity,owner")
    assert ["Severity", "Owner"] in [line.split() for line in ran.out.splitlines()]


def test_the_next_commands_can_be_pasted_and_are_about_the_same_report(keyaudit: Keyaudit, contoso: Path) -> None:
    flags = ("--as-of", "2032-01-01", "--select", "kv-key-*", "--profile", "strict")
    ran = keyaudit("report", "--from", contoso, *flags)
    full, explain, expiring = (shlex.split(line)[2:] for line in ran.out.splitlines() if line.startswith("Next: "))
    assert (full[0], full[2:]) == ("report", ["--from", str(contoso), *flags])
    assert (explain[0], explain[2:]) == ("explain", ["--from", str(contoso), *flags])
    assert expiring == ["expiring", "30d", "--from", str(contoso), *flags[:2]]
    assert keyaudit(*explain).code == Exit.CLEAN


def test_quiet_prints_the_result_alone(keyaudit: Keyaudit) -> None:
    live = ("report", "--demo", "--source", "vaults", "--select", "kv-purge-*")
    ran = keyaudit(*live, "--quiet")
    assert ran.err == ""
    assert "Next: " not in ran.out
    loud = keyaudit(*live)
    assert "reading tenant" in loud.err
    assert "Next: " in loud.out


def test_every_command_that_reads_a_tenant_can_be_quiet(keyaudit: Keyaudit, contoso: Path) -> None:
    few = ("--select", "kv-purge-*")
    for command in (("report", *few), ("gate", *few), ("inventory",), ("expiring",), ("doctor",)):
        ran = keyaudit(*command, "--from", contoso, "-q")
        assert ran.err == "", command
        assert "Next: " not in ran.out, command
    assert keyaudit("diff", contoso, contoso, *few, "-q").err == ""


def test_nothing_judged_is_not_said_as_nothing_found(keyaudit: Keyaudit, hardened: Path) -> None:
    ran = keyaudit("report", "--from", hardened, "--select", "log-ual-off")
    assert ran.code == Exit.NO_ACCESS
    said = re.sub(r"\s+", " ", ran.out)
    assert "Nothing was evaluated: of 1 policy, 0 had nothing to evaluate, and 1 lacked evidence." in said
    assert "no findings" not in said


def test_all_waived_is_said_so_with_the_next_end(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    waivers = tmp_path / "w.yaml"
    waivers.write_text(
        "version: 1\nwaivers:\n  - id: W-1\n    match: {policy: kv-key-exportable, resource: 'https://kv-*'}\n"
        "    reason: x\n    owner: a\n    approved_by: b\n    expires: 2027-06-30\n    allow_critical: true\n"
    )
    ran = keyaudit("report", "--from", contoso, "--select", "kv-key-exportable", "--waivers", waivers)
    assert ran.code == Exit.CLEAN, ran.err
    said = re.sub(r"\s+", " ", ran.out)
    assert re.search(r"nothing open, since \d+ findings are waived; \d+ waived \(the next waiver ends 2027-06-30\)", said)


def test_a_tenant_without_vaults_says_so_with_where_it_looked(keyaudit: Keyaudit, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = structs.replace(estate("sized:1x1x1x1", SystemClock().now()), vaults=())
    with running(tenant) as simulated:
        for name, value in simulated.environ.items():
            monkeypatch.setenv(name, value)
        ran = keyaudit("report", "--tenant", tenant.tenant_id, "--quiet")
    assert "No vault was found in 1 subscription, as far as this identity can see." in re.sub(r"\s+", " ", ran.out), ran


def test_owners_are_pseudonyms_where_names_are_left_out(keyaudit: Keyaudit, contoso: Path) -> None:
    grouped = ("report", "--from", contoso, *KEYS, "--group-by", "owner")
    names, pseudonyms = (set(OWNERS.findall(keyaudit(*grouped, *more).out)) for more in ((), ("--redact", "names")))
    assert len(names) == len(pseudonyms) > 5
    assert names & pseudonyms == {"no owner known"}


def test_several_tenants_are_each_grouped_by_themselves(keyaudit: Keyaudit, contoso: Path, hardened: Path) -> None:
    both = ("--from", contoso, "--from", hardened, "--select", "kv-key-exportable")
    ran = keyaudit("report", *both, "--group-by", "policy", "--sort", "policy")
    assert ran.code == Exit.CLEAN
    assert ran.out.count("=== tenant ") == 2
