"""`keyaudit incident` over the simulated tenant and its logs: what was planted is on the page, and nothing else is."""

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.logs.files.read import read_logs
from keyaudit.logs.storing.write import Import, write_logs
from keyaudit.model.errors import Exit
from keyaudit.model.values.times import DAY, iso_date
from keyaudit.simulator.estate import Row
from keyaudit.simulator.estates import estate
from keyaudit.simulator.estates.contoso import contoso as estate_of
from keyaudit.simulator.estates.logs.workspaces import Held
from keyaudit.simulator.estates.logs.year import DISGUISE, FOOTHOLD, INTRUSION, STOLEN
from tests.cli.conftest import Keyaudit, once
from tests.cli.stolen import asked_of
from tests.matrices import first_of

KEY = "/".join(STOLEN)
LEARNED = 42
"""Days before the intrusion week that are learned from."""
TABLES = (
    *("AZKVAuditLogs", "AADManagedIdentitySignInLogs", "AADServicePrincipalSignInLogs"),
    *("AuditLogs", "OfficeActivity", "AzureActivity"),
)
_IDS = ("CorrelationId", "OfficeId", "Id")


@pytest.fixture(scope="module")
def held(contoso: Path) -> Held:
    """What happened in the year of that snapshot's tenant."""
    as_of = open_snapshot(contoso).run.as_of
    events = estate_of(as_of - as_of % DAY).logs.events
    assert isinstance(events, Held)
    return events


@pytest.fixture(scope="module")
def rows(held: Held) -> dict[str, list[Row]]:
    """Its last seven weeks, by table."""
    every = Held(year=held.year, tables={"all": TABLES})
    first = held.year.first + (INTRUSION - LEARNED) * DAY
    return {table: [*(every.table("all", table, first, first + 400 * DAY) or ())] for table in TABLES}


def store(folder: Path, rows: dict[str, list[Row]]) -> Path:
    files = folder / "files"
    files.mkdir(parents=True)
    for table, records in rows.items():
        (files / f"{table}.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    known = Import()
    write_logs(folder / "logs", read_logs([files], known), known)
    return folder / "logs"


@pytest.fixture(scope="module")
def logs(rows: dict[str, list[Row]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store(tmp_path_factory.mktemp("incident"), rows)


@pytest.fixture(scope="module")
def page(contoso: Path, logs: Path, held: Held, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The page of the stolen key, with all logs; no test may change it."""
    path = tmp_path_factory.mktemp("page") / "page.json"
    since = iso_date(held.year.first + INTRUSION * DAY)
    once("incident", KEY, "--from", contoso, "--logs", logs, "--since", since, "--out", path)
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def planted(held: Held, rows: dict[str, list[Row]]) -> tuple[set[str], set[str]]:
    """The ids of the records of the intruder: those of the key, and all others."""
    foothold, disguise = held.year.app(FOOTHOLD), held.year.app(DISGUISE)
    of_key, others = set[str](), set[str]()
    for table, records in rows.items():
        for record in records:
            said = json.dumps(record)
            id_ = str(next(record[name] for name in _IDS if name in record))
            if table == "AZKVAuditLogs" and foothold in said and KEY.replace("/", ".vault.azure.net/keys/") in said:
                of_key.add(id_)
            elif (table in ("AuditLogs", "AzureActivity") and foothold in said) or disguise in said:
                others.add(id_)
    return of_key, others


def asked(keyaudit: Keyaudit, contoso: Path, logs: Path, held: Held, *, subject: str) -> dict[str, Any]:
    since = iso_date(held.year.first + INTRUSION * DAY)
    ran = keyaudit("incident", subject, "--from", contoso, "--logs", logs, "--since", since, "-o", "json")
    assert ran.code in (Exit.CLEAN, Exit.INCOMPLETE), ran.err
    found: dict[str, Any] = ran.json
    return found


def records(acts: Collection[dict[str, Any]]) -> set[str]:
    return {record for act in acts for record in act["records"]}


def test_every_planted_row_is_on_the_page_and_no_other(page: dict[str, Any], held: Held, rows: dict[str, list[Row]]) -> None:
    of_key, others = planted(held, rows)
    outside = [act for act in page["uses"] if act["outside_baseline"]]
    assert records(outside) == of_key
    assert records(page["timeline"]) == others
    assert {act["name"] for act in page["uses"] if not act["outside_baseline"]} == {"id-identity-token-service-prod"}
    assert [act["operation"] for act in page["timeline"]] == ["remove-log-settings", "add-credential", "sign-in", "read-mail"]
    read = {row["MailboxOwnerUPN"] for row in rows["OfficeActivity"] if row["AppId"] == held.year.app(DISGUISE)}
    # A token that was forged with the key may have read more, and nothing records it.
    assert page["mailboxes"] == {"at_least": len(read), "at_most": None}
    # Each sentence says what it is, and rests on something unless it says that nothing shows it.
    statements = [each for section in page["sections"] for each in section["statements"]]
    assert {each["confidence"] for each in statements} == {"observed", "inferred", "not knowable"}
    assert all(each["rests_on"] for each in statements if each["confidence"] != "not knowable")
    # The intruder is out before anything else, who works with the key is told, and nobody else loses anything.
    ended = removals(page)
    assert {each for each in ended if "accountEnabled" in each} == {
        f"az ad sp update --id {held.year.app(name)} --set accountEnabled=false" for name in (DISGUISE, FOOTHOLD)
    }
    [cut] = [step for step in page["plan"] if step["title"].startswith(f"Remove the access of {FOOTHOLD} to {KEY}")]
    assert (cut["phase"], [each in ended for each in cut["commands"]]) == ("block", [False, True])
    assert any("app credential delete" in each and held.year.added_credential in each for each in ended)
    [now] = [step for step in page["plan"] if step["title"].startswith(f"Disable {KEY}") and step["phase"] == "block"]
    assert len(set(ended)) == 5
    assert set(now["commands"]) < set(ended)
    assert re.search(rf"This stops id-identity-token-service-prod and {FOOTHOLD}: \d+ uses, the last on ", now["text"])
    [stop] = [step for step in page["plan"] if step["title"].startswith(f"Stop {FOOTHOLD} from signing in")]
    assert re.search(rf"This stops {FOOTHOLD}: \d+ uses, the last on \S+, \d+ of them outside the baseline", stop["text"])


def removals(page: dict[str, Any]) -> list[str]:
    """The commands of a plan that end access."""
    ends = re.compile(r" delete |delete-policy|--enabled false|accountEnabled=false")
    return [command for step in page["plan"] for command in step["commands"] if ends.search(command)]


def test_who_is_at_work_is_named_and_kept(page: dict[str, Any], held: Held, rows: dict[str, list[Row]]) -> None:
    worker = held.year.app("id-identity-token-service-prod")
    signed = [row for row in rows["AZKVAuditLogs"] if worker in json.dumps(row) and "kv-identity-prod" in json.dumps(row)]
    last = max(str(row["TimeGenerated"])[:10] for row in signed)
    [step] = [step for step in page["plan"] if step["title"].startswith("Remove access of principals")]
    assert f"At work, and kept: id-identity-token-service-prod ({len(signed):,} uses, the last on {last})." in step["text"]
    # Its vault was not logged for a moment, so nobody else is shown not to use it either.
    assert step["commands"] == []
    assert "Ines Moreau by custom role Contoso Key Custodian" in step["text"]


SUBJECTS = (KEY, "etl-runner", "azdo-payments-release", "hsm-contoso-trust/branch-link-signing", "Litware HR")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_without_logs_a_plan_stops_what_was_stolen_says_that_its_users_are_unknown_and_takes_no_access_away(
    keyaudit: Keyaudit, contoso: Path, subject: str
) -> None:
    page = keyaudit("incident", subject, "--from", contoso, "-o", "json").json
    ends = re.compile(r"credential delete|--enabled false|accountEnabled=false")
    assert [each for each in removals(page) if not ends.search(each)] == []
    told = re.compile(r"may stop legitimate work: no logs were supplied|This stops .*in Entra's")
    ending = [step for step in page["plan"] if not set(step["commands"]).isdisjoint(removals(page))]
    assert [step["title"] for step in ending if not told.search(step["text"])] == []
    # The active certificate of a relying party is not stopped: Entra signs with it.
    assert bool(removals(page)) is (subject != "Litware HR")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_where_nobody_states_a_theft_a_plan_names_who_has_access_and_ends_nothing(
    keyaudit: Keyaudit, contoso: Path, subject: str
) -> None:
    page = keyaudit("blast-radius", subject, "--from", contoso, "-o", "json").json
    assert removals(page) == []
    unsaid = [step for step in page["plan"] if step["phase"] == "revoke" and step["settles"]]
    assert unsaid
    assert all("No command is printed" in step["text"] for step in unsaid)


def test_the_reports_of_entra_show_a_credential_at_work(keyaudit: Keyaudit, contoso: Path) -> None:
    steps = keyaudit("blast-radius", "etl-runner", "--from", contoso, "-o", "json").json["plan"]
    said = {step["title"]: step["text"] for step in steps}
    (remove,) = (text for title, text in said.items() if title.endswith("from etl-runner"))
    assert re.search(r"in use: last used on \d{4}-\d\d-\d\d in Entra's credential report", remove)
    (stop,) = (text for title, text in said.items() if title.startswith("Stop etl-runner from"))
    assert re.search(r"in use: last sign-in on \d{4}-\d\d-\d\d in Entra's sign-in report", stop)


@pytest.mark.parametrize("kind", first_of(("issuer-key", "saml", "federated-domain")))
def test_of_a_key_that_signs_tokens_no_log_shows_a_use_or_an_end(
    keyaudit: Keyaudit, contoso: Path, logs: Path, held: Held, kind: str
) -> None:
    """No record names the key that a token was signed with: 0 of anything would be invented."""
    query = (
        "SELECT key_id FROM issuer_key ORDER BY 1 LIMIT 1"
        if kind == "issuer-key"
        else (f"SELECT thumbprint FROM signing_certificate WHERE kind = '{kind}' ORDER BY 1 LIMIT 1")
    )
    page = asked(keyaudit, contoso, logs, held, subject=asked_of(contoso, query)[0])
    assert page["mailboxes"] == {"at_least": 0, "at_most": None}
    said = {each["text"]: each["confidence"] for section in page["sections"] for each in section["statements"]}
    assert not [text for text in said if re.search(r"show no (use|mailbox|further)|\b0 mailbox", text)]
    assert said["Who used it cannot be known: no log of this tenant names the key that a token was signed with."] == (
        "not knowable"
    )
    (mail,) = (text for text in said if text.startswith("Whether mail was read with it cannot be known:"))
    assert said[mail] == "not knowable"
    assert "Whether mail was read with it is unknown." in page["left_open"]


def test_of_a_client_secret_complete_logs_bound_what_was_read(
    keyaudit: Keyaudit, contoso: Path, logs: Path, held: Held, rows: dict[str, list[Row]], tmp_path: Path
) -> None:
    """Entra records each sign-in with a secret, wherever its copy is."""
    page = asked(keyaudit, contoso, logs, held, subject="BI Refresh")
    assert page["mailboxes"] == {"at_least": 0, "at_most": 0}
    said = {each["text"]: each["confidence"] for section in page["sections"] for each in section["statements"]}
    (mail,) = (text for text in said if "show no mailbox that was read with it" in text)
    assert said[mail] == "observed"
    # Without the log of sign-ins nobody knows who used it.
    lacking = {table: found for table, found in rows.items() if table != "AADServicePrincipalSignInLogs"}
    page = asked(keyaudit, contoso, store(tmp_path, lacking), held, subject="BI Refresh")
    assert page["mailboxes"] == {"at_least": 0, "at_most": None}


def doubts(page: dict[str, Any], section: str) -> list[str]:
    [found] = [each["statements"] for each in page["sections"] if each["id"] == section]
    return [each["text"] for each in found if each["confidence"] == "not knowable" and each["text"].startswith("This may not")]


def test_what_logs_lack_is_said_where_it_matters(
    keyaudit: Keyaudit, contoso: Path, held: Held, rows: dict[str, list[Row]], tmp_path: Path
) -> None:
    last = held.year.first + 365 * DAY
    gone = {iso_date(last - back * DAY) for back in (3, 4)}
    mail = [row for row in rows["OfficeActivity"] if str(row["TimeGenerated"])[:10] not in gone]
    throttled = [{"Name": "IsThrottled", "Value": "True"}]
    box = mail[-1] = {**mail[-1], "OperationProperties": throttled}
    lacking = {table: found for table, found in rows.items() if table != "AuditLogs"} | {"OfficeActivity": mail}
    page = asked(keyaudit, contoso, store(tmp_path, lacking), held, subject=KEY)
    said = "\n".join(doubts(page, "next"))
    assert "AuditLogs is not among these logs at all" in said
    assert "OfficeActivity: no event on" in said
    assert f"{box['MailboxOwnerUPN']}: its log was throttled" in said
    assert page["mailboxes"]["at_most"] is None
    assert page["logs_absent"] == ["AuditLogs"]
    assert not doubts(page, "used")
    # Without the change of the credential only the network says that the application belongs to the intruder.
    assert [(act["operation"], act["link"]) for act in page["timeline"]] == [
        ("remove-log-settings", "key"),
        ("sign-in", "network"),
        ("read-mail", "network"),
    ]


def test_the_page_begins_with_its_verdict_and_has_a_timeline(
    keyaudit: Keyaudit, contoso: Path, logs: Path, held: Held, page: dict[str, Any]
) -> None:
    since = iso_date(held.year.first + INTRUSION * DAY)
    last = iso_date(held.year.first + (INTRUSION + 1) * DAY)
    arguments = ("incident", KEY, "--from", contoso, "--logs", logs, "--since", since)
    first = " ".join(keyaudit(*arguments).out.partition("\n\n")[0].split())
    assert first == f"Key {KEY}. {page['in_short']}"
    assert f"Used outside its baseline from {since} to {last}, by {FOOTHOLD}. Mail was read in at least" in first
    [timeline] = [each["statements"] for each in page["sections"] if each["id"] == "timeline"]
    outside = [act for act in (*page["uses"], *page["timeline"]) if act["outside_baseline"]]
    assert [each["text"][:20] for each in timeline] == sorted(act["first_on"] for act in outside)
    assert {record for each in timeline for record in each["rests_on"]} == records(outside)
    head = keyaudit(*arguments, "-o", "markdown").out.partition("\n## ")[0]
    assert f"by {FOOTHOLD}. Mail was read in at least" in head


def test_a_key_that_only_its_usual_users_use_is_called_so(keyaudit: Keyaudit, contoso: Path, logs: Path, held: Held) -> None:
    page = asked(keyaudit, contoso, logs, held, subject="kv-identity-prod/workforce-token-signing")
    assert " show no use of it outside its baseline." in page["in_short"]
    assert not [act for act in (*page["uses"], *page["timeline"]) if act["outside_baseline"]]


def test_a_simulated_tenant_without_logs_has_a_page_and_reads_what_it_needs(keyaudit: Keyaudit) -> None:
    (vault,) = estate("sized:1x1", 0).vaults
    key = f"{vault.name}/{vault.keys[0].name}"
    ran = keyaudit("incident", f"{vault.name}/absent", "--demo", "--estate", "sized:1x1", "-q")
    assert ran.code == Exit.USAGE
    assert "nothing is known by this name" in ran.err
    page = keyaudit("incident", key, "--demo", "--estate", "sized:1x1", "-q", "-o", "json").json
    assert page["in_short"].startswith("Who used it is unknown: no logs were supplied.")
    operations = {each["operation"] for each in page["coverage"]}
    assert "key.get" in operations
    assert "diagnostic_setting.list" not in operations


def test_without_logs_the_page_says_that_nothing_of_it_is_known(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("incident", KEY, "--from", contoso)
    assert ran.code == Exit.INCOMPLETE
    assert " ".join(ran.out.split()).count("No logs were supplied: give a folder") == 1
    assert "What they did next" not in ran.out
    # By its former name the question is only what it opens, which needs no logs.
    assert keyaudit("blast-radius", KEY, "--from", contoso).code == Exit.CLEAN


def test_what_still_accepts_it_is_asked_without_logs(keyaudit: Keyaudit, contoso: Path, logs: Path) -> None:
    ran = keyaudit("incident", KEY, "--verify", "--from", contoso, "-o", "json")
    assert (ran.code, ran.json["verify"], ran.json["left_open"]) == (Exit.FINDINGS, True, [])
    assert [section["id"] for section in ran.json["sections"]] == ["trust"]
    refused = keyaudit("incident", KEY, "--verify", "--logs", logs, "--from", contoso)
    assert (refused.code, "--verify: reads no logs" in refused.err) == (Exit.USAGE, True)


def test_a_key_that_is_known_to_be_stolen_is_called_so(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("incident", "D4B4CCCDA9228624656BFF33D8110955779632AA", "--from", contoso, "-o", "markdown")
    assert "the consumer signing key that was stolen from Microsoft" in ran.out
    ran = keyaudit("incident", "D4B4CCCDA9228624656BFF33D8110955779632AB", "--from", contoso, "-o", "markdown")
    assert "not a publicly known stolen key" in ran.out
    # A key without a certificate has no thumbprint to look for in the list.
    ran = keyaudit("incident", KEY, "--from", contoso, "-o", "markdown")
    assert "Whether it is a publicly known stolen key is not known" in ran.out
    assert "not a publicly known stolen key" not in ran.out


def test_the_page_goes_to_a_file_in_the_format_of_its_ending(
    keyaudit: Keyaudit, contoso: Path, logs: Path, held: Held, tmp_path: Path
) -> None:
    since = iso_date(held.year.first + INTRUSION * DAY)
    page = tmp_path / "page.html"
    ran = keyaudit("incident", KEY, "--from", contoso, "--logs", logs, "--since", since, "--out", page)
    assert (ran.out, page.read_text(encoding="utf-8")[:15]) == ("", "<!doctype html>")
    text = page.read_text(encoding="utf-8")
    assert "read-mail of mailboxes of contoso.example by Partner EDI" in text
    assert f"by {FOOTHOLD}. Mail was read in at least" in text.partition("Each sentence")[0]
    for refused in ("page.pdf", "missing/page.html"):
        assert keyaudit("incident", KEY, "--from", contoso, "--out", tmp_path / refused).code == Exit.USAGE


@pytest.mark.exhaustive
def test_a_stored_snapshot_takes_logs_that_came_later(
    keyaudit: Keyaudit, contoso: Path, logs: Path, held: Held, tmp_path: Path
) -> None:
    """A report with logs and a snapshot finds the same as `usage check` for the same days."""
    last = iso_date(held.year.first + (INTRUSION - 1) * DAY)
    assert keyaudit("usage", "learn", logs, "--last-day", last, "--out", tmp_path / "usual").code in (
        Exit.CLEAN,
        Exit.INCOMPLETE,
    )
    imports = ("--import", f"logs={logs}", "--import", f"usage-baseline={tmp_path / 'usual'}")
    names = {
        *("log-unexpected-appid", "log-mail-of-many-mailboxes", "log-settings-removed"),
        *("combo-cross-environment-signed", "use-superseded-version", "use-key-signs-for-many-apps"),
    }
    chosen = [argument for name in sorted(names) for argument in ("--select", name)]
    ran = keyaudit("report", "--from", contoso, *imports, *chosen, "-o", "json")
    # The logs are about this tenant: what is unknown is what they do not show, and nothing that they name.
    unknown = {reason for each in ran.json["findings"] for reason in each["unknown"].values()}
    assert unknown == {"not_supplied"}
    failing = {each["policy"] for each in ran.json["findings"] if each["outcome"] == "fail" and each["severity"] == "high"}
    assert failing == names - {"log-mail-of-many-mailboxes", "use-superseded-version"}
    report = {
        (each["severity"], each["row"]["operation"], each["row"]["target_class"], each["row"]["app_id"], each["row"]["uses"])
        for each in ran.json["findings"]
        if each["outcome"] == "fail" and each["policy"].startswith("log-unexpected")
    }
    ran = keyaudit("usage", "check", logs, "--baseline", tmp_path / "usual", "-o", "json")
    check = {
        (why["severity"], each["operation"], each["target"], each["app_id"], why["uses"])
        for each in ran.json["findings"]
        for why in each["reasons"]
        if why["severity"] != "info"
    }
    assert report == check
    foothold, disguise = held.year.app(FOOTHOLD), held.year.app(DISGUISE)
    assert {(operation, app) for severity, operation, _, app, _ in report if severity == "high"} == {
        *((operation, foothold) for operation in ("sign", "add-credential", "remove-log-settings")),
        ("read-mail", disguise),
    }
