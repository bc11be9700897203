"""`keyaudit usage collect`: the simulated tenant's logs, what it prints, and how it ends."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from keyaudit.cli.clock import SystemClock
from keyaudit.inventory.logs import open_logs
from keyaudit.logs.storing.write import Import, write_logs
from keyaudit.model.errors import Exit
from keyaudit.model.values.times import DAY, iso_date
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.logs.year import DISGUISE, STOLEN, WITHOUT_PRINCIPAL, Year
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import Simulator
from tests.cli.conftest import Keyaudit
from tests.cli.tenants import running
from tests.collect.usage import made
from tests.collect.usage.live.rig import LOGGED, TABLES, Given, estate

WINDOW = ("--first-day", "2026-03-30", "--last-day", "2026-04-01")
ERROR = {"error": {"code": "E", "message": "m"}}
DENIED = {"error": {"code": "Authorization_RequestDenied", "message": "m"}}
WHO = ("actor_app_id", "principal_id", "operation", "target_kind", "target_id", "network", "client")
"""What a summary keeps apart, among the columns of a use."""
SERVED = ("log.query", "sign_in.list", "directory_audit.list")


class Hurried(SystemClock):
    """Sleeping takes no time, and has passed it all the same."""

    slept = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.slept

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        await super().sleep(0)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyaudit.cli.clock.SystemClock", Hurried)


@contextmanager
def _served(monkeypatch: pytest.MonkeyPatch, tenant: Any, *faults: Fault) -> Iterator[Simulator]:
    with running(tenant, faults=faults) as simulator:
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator


@pytest.mark.exhaustive
def test_the_demo_is_read_learned_and_checked(keyaudit: Keyaudit, tmp_path: Path) -> None:
    today = SystemClock().now()
    days = [iso_date(today - back * DAY) for back in (80, 30, 29, 0)]
    for name, first, last in (("before", *days[:2]), ("now", *days[2:])):
        ran = keyaudit("usage", "collect", "--demo", "--first-day", first, "--last-day", last, "--out", tmp_path / name)
        assert (ran.code, ran.err.count("(simulated tenant)")) == (Exit.INCOMPLETE, 1)
        # One table is kept where it cannot be queried. Another, and Graph's lists, do not go back to the earlier days.
        unread = [line for line in ran.out.partition("Not read:\n")[2].splitlines() if line.startswith("  ")]
        assert unread[0] == (
            "  log-analytics:log-archive/AZKVAuditLogs: on the plan Basic, which keyaudit does not query: change the table's "
            "plan, or"
            " export it and import the files"
        )
        lists = ("directoryAudits", "signIns/managedIdentity", "signIns/servicePrincipal")
        brief = ("log-analytics:log-people/AzureDiagnostics", *(f"graph:auditLogs/{each}" for each in lists))
        assert {line.partition(" no longer exists")[0] for line in unread[1:]} == (
            {f"  {place}: kept for 30 days: what was logged before {days[1]}" for place in brief} if name == "before" else set()
        )
    store = open_logs(tmp_path / "now")
    apis = ("Log Analytics", "Log Analytics, summarized", "Microsoft Graph")
    assert {file.form for file in store.files} == {f"{api}, simulated tenant" for api in apis}
    ran = keyaudit("usage", "learn", tmp_path / "before", "--out", tmp_path / "baseline")
    assert ran.code == Exit.INCOMPLETE
    assert "log-archive/AZKVAuditLogs" in ran.out
    ran = keyaudit("usage", "check", tmp_path / "now", "--baseline", tmp_path / "baseline", "-o", "json")
    assert ran.code == Exit.FINDINGS
    intruder = Year(ground=Ground(2016, 0, "contoso.example"), first=0).app(DISGUISE)
    assert any(each["app_id"] == intruder and each["operation"] == "read-mail" for each in ran.json["findings"])
    assert "log-analytics:log-archive/AZKVAuditLogs" in {each["subject"] for each in ran.json["unknown"]}


@pytest.mark.exhaustive
def test_a_page_and_a_report_over_summaries_are_those_over_all_records(keyaudit: Keyaudit, tmp_path: Path) -> None:
    today = SystemClock().now()
    first, learned, since = (iso_date(today - back * DAY) for back in (40, 10, 9))
    pages, uses, others = [], [], []
    for more in ((), ("--rows",)):
        place = tmp_path / f"{len(more)}"
        place.mkdir()
        logs, usual, stored = (place / name for name in ("logs", "usual", "stored"))
        keyaudit("usage", "collect", "--demo", "-q", "--first-day", first, "--out", logs, *more)
        keyaudit("usage", "learn", logs, "--out", usual, "--last-day", learned)
        keyaudit("collect", "--demo", "-q", "--import", f"logs={logs}", "--import", f"usage-baseline={usual}", "--out", stored)
        asked = ("--logs", logs, "--baseline", usual, "--since", since, "-o", "json")
        ran = keyaudit("incident", "/".join(STOLEN), "--from", stored, *asked)
        page = json.loads(ran.out.replace(str(place), ""))
        pages.append((page["uses"], page["timeline"], page["plan"], _texts(page)))
        found = keyaudit("report", "--from", stored, "-o", "json").json["findings"]
        of_uses = [each for each in found if "used_on" in (each["row"] or {})]
        uses.append({(each["policy"], each["outcome"], *(each["row"].get(name) for name in WHO)) for each in of_uses})
        others.append([(each["policy"], each["outcome"], each["subject"]) for each in found if each not in of_uses])
    (summed, *of_sums), (whole, *of_rows) = pages
    assert any(len(few["records"]) < len(every["records"]) for few, every in zip(summed, whole, strict=True))
    for few, every in zip(summed, whole, strict=True):
        assert {*few["records"]} <= {*every["records"]}
    assert [act | {"records": []} for act in summed] == [act | {"records": []} for act in whole]
    assert of_sums == of_rows
    assert len(uses[0]) > 1
    assert (uses[0], others[0]) == (uses[1], others[1])
    year = Year(ground=Ground(2016, 0, "contoso.example"), first=0)
    without = [use for use in uses[0] if use[0] == "use-sign-in-without-principal" and use[1] != "pass"]
    assert [use[1:3] for use in without] == [("fail", year.app(WITHOUT_PRINCIPAL))]


def _texts(page: dict[str, Any]) -> list[str]:
    """Without the statement about records that could name a token: summaries are of records of other tables alone."""
    texts = [each["text"] for section in page["sections"] for each in section["statements"]]
    return [text for text in texts if "records name no token" not in text]


def test_the_default_is_sixty_days_and_quiet_says_nothing(keyaudit: Keyaudit, tmp_path: Path) -> None:
    ran = keyaudit("usage", "collect", "--demo", "--quiet", "--source", "azkvaudit*", "--out", tmp_path / "logs")
    assert ran.err == ""
    [line] = [line for line in ran.out.splitlines() if line.startswith("AZKVAuditLogs")]
    today = SystemClock().now()
    assert line.split()[1:4] == [iso_date(today - 59 * DAY), iso_date(today - DAY), "59"]


def test_all_that_is_asked_for_was_read(keyaudit: Keyaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _served(monkeypatch, LOGGED):
        names = [f"--source={name}" for _, name in TABLES]
        ran = keyaudit("usage", "collect", "--auth", "env", *WINDOW, *names, "--out", tmp_path / "logs")
    assert ran.code == Exit.CLEAN, ran
    assert f"4 files, tenant {made.TENANT}" in ran.out
    assert "simulated" not in ran.err + ran.out


def test_a_search_is_made_only_on_demand_and_told(keyaudit: Keyaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _served(monkeypatch, LOGGED) as simulator:
        ran = keyaudit("usage", "collect", "--auth", "env", *WINDOW, "--source=AuditLogs", "--out", tmp_path / "a")
        assert "audit_search.create" not in simulator.calls
        ran = keyaudit(
            *(
                "usage",
                "collect",
                "--auth",
                "env",
                *WINDOW,
                "--source=AuditLogs",
                "--audit-search",
                "-q",
                "--out",
                tmp_path / "b",
            )
        )
    assert ran.code == Exit.CLEAN
    # Created objects are reported even if the command then fails.
    assert ran.err.startswith("made a search of the unified audit log, ")
    assert "OfficeActivity" in ran.out


@pytest.mark.parametrize(
    ("faults", "code", "says"),
    [
        ([Fault(name, "every", status=403, body=DENIED) for name in SERVED], Exit.NO_ACCESS, "grant AuditLog.Read.All"),
        ([Fault(name, "every", status=503, body=ERROR) for name in SERVED], Exit.UNAVAILABLE, "service_error (E)"),
        (
            [Fault(name, "every", status=302, headers={"Location": "https://evil.example/"}) for name in SERVED],
            Exit.UNSAFE,
            "redirected (302, not followed)",
        ),
        ([Fault("token", "every", status=400, body={"error": "invalid_client"})], Exit.NO_ACCESS, "sign-in"),
    ],
)
def test_where_nothing_is_read_nothing_is_left(
    keyaudit: Keyaudit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    faults: list[Fault],
    code: Exit,
    says: str,
) -> None:
    with _served(monkeypatch, LOGGED, *faults):
        ran = keyaudit("usage", "collect", "--auth", "env", *WINDOW, "--out", tmp_path / "logs")
    assert (ran.code, ran.out) == (code, "")
    assert says in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_boundary_that_was_met_shows_whatever_else_was_read(
    keyaudit: Keyaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _served(monkeypatch, LOGGED, Fault("directory_audit.list", next_link="https://evil.example/")):
        ran = keyaudit("usage", "collect", "--auth", "env", *WINDOW, "--out", tmp_path / "logs")
    assert ran.code == Exit.UNSAFE
    assert "graph:auditLogs/directoryAudits: after record 40: foreign_link" in ran.out
    assert open_logs(tmp_path / "logs").tenant_id == made.TENANT


def test_another_tenants_records_end_it(keyaudit: Keyaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = [
        {**row, "OrganizationId": "22222222-2222-4222-8222-222222222222"} for row in TABLES["log-main", "OfficeActivity"]
    ]
    with _served(monkeypatch, estate(Given({("log-main", "OfficeActivity"): strange}))):
        ran = keyaudit("usage", "collect", "--auth", "env", *WINDOW, "--out", tmp_path / "logs")
    assert ran.code == Exit.UNSAFE
    assert "log-main/OfficeActivity: record 1 is of tenant 22222222-2222-4222-8222-222222222222" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_logs_are_added_to_earlier_ones_of_the_same_tenant(
    keyaudit: Keyaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _served(monkeypatch, LOGGED):
        asked = ("usage", "collect", "--auth", "env", *(f"--source={name}" for _, name in TABLES))
        keyaudit(*asked, "--first-day", "2026-03-30", "--last-day", "2026-03-30", "--out", tmp_path / "first")
        rest = ("--first-day", "2026-03-31", "--last-day", "2026-04-01", "--merge", tmp_path / "first")
        ran = keyaudit(*asked, *rest, "--out", tmp_path / "merged")
        keyaudit(*asked, *WINDOW, "--out", tmp_path / "whole")
        write_logs(tmp_path / "other", iter([]), Import("22222222-2222-4222-8222-222222222222"))
        refused = keyaudit(*asked, *WINDOW, "--merge", tmp_path / "other", "--out", tmp_path / "wrong")
    assert ran.code == Exit.CLEAN
    merged, whole = open_logs(tmp_path / "merged"), open_logs(tmp_path / "whole")
    assert list(merged.manifest.stored()) == list(whole.manifest.stored())
    assert (refused.code, refused.out) == (Exit.UNSAFE, "")
    assert "--merge: the earlier logs are of tenant 22222222-2222-4222-8222-222222222222" in refused.err
    assert not (tmp_path / "wrong").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "AZKVAudit"], "did you mean AZKVAuditLogs?"),
        (["--source", "nothing-like-it"], "directoryAudits"),
        (["--first-day", "2026-13-01"], "not a date"),
        (["--first-day", "2026-03-02", "--last-day", "2026-03-01"], "after the last day"),
        (["--last-day", "2999-01-01"], "a day in the future"),
        (["--tenant", "a.example", "--tenant", "b.example"], "takes one tenant, and several are named"),
        (["--estate", "contoso"], "add --demo"),
        (["--vault", "kv-*"], "--vault"),
    ],
)
def test_a_mistake_is_said_before_anything_is_asked(
    keyaudit: Keyaudit, tmp_path: Path, arguments: list[str], words: str
) -> None:
    ran = keyaudit("usage", "collect", *arguments, "--out", tmp_path / "logs")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_refused_before_anything_is_asked(keyaudit: Keyaudit, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    ran = keyaudit("usage", "collect", "--demo", "--out", tmp_path)
    assert (ran.code, ran.err) == (Exit.USAGE, f"keyaudit: {tmp_path}: is not empty; name a new folder\n")
