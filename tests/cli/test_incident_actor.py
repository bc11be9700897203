"""The page of an incident follows the actor, compared with the raw records of the logs: planted = shown, and no others.

Rows of `OfficeActivity` are as in https://learn.microsoft.com/azure/azure-monitor/reference/tables/officeactivity; of mail that
an application reads through Microsoft Graph, AppId is Graph's and ClientAppId the application's, as in "OAuth Apps accessing
user mail via GraphAPI [Nobelium]" of https://github.com/microsoft/Microsoft-365-Defender-Hunting-Queries.
"""

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from keyaudit.model.errors import Exit
from keyaudit.model.values.times import DAY, iso_date, iso_time
from keyaudit.simulator.estate import Row
from keyaudit.simulator.estates.logs.shapes import EXCHANGE, GRAPH
from keyaudit.simulator.estates.logs.workspaces import Held
from keyaudit.simulator.estates.logs.year import DISGUISE, FOOTHOLD, INTRUSION
from tests.cli.conftest import Keyaudit
from tests.cli.stolen import asked_of
from tests.cli.test_incident import KEY, TABLES, held, records, removals, store

__all__ = ["held"]

INTRUDERS, ELSEWHERE, OFFICE = "203.0.113.9", "192.0.2.77", "198.51.100.7"
"""An address that the intruder signs from, one that nobody uses, and one that a person always has."""
OWA = "Client=OWA;Action=ViaProxy"
LEARNED = 42
ALL = (*TABLES, "SigninLogs")
Rows = dict[str, list[Row]]


@pytest.fixture(scope="module")
def rows(held: Held) -> Rows:
    every = Held(year=held.year, tables={"all": ALL})
    first = held.year.first + (INTRUSION - LEARNED) * DAY
    return {table: [*(every.table("all", table, first, first + 400 * DAY) or ())] for table in ALL}


def read(held: Held, id_: str, box: str, *, app: str, near: str, client: str = OWA, caller: str | None = None) -> Row:
    """A mailbox is read on the second day of the intrusion."""
    return {
        "TimeGenerated": iso_time(held.year.first + (INTRUSION + 1) * DAY + 5 * 3600),
        "OfficeWorkload": "Exchange",
        "OfficeId": id_,
        "Client_IPAddress": near,
        "OperationProperties": [{"Name": "MailAccessType", "Value": "Bind"}, {"Name": "IsThrottled", "Value": "False"}],
        "OrganizationId": held.year.ground.tenant,
        "Operation": "MailItemsAccessed",
        "ResultStatus": "Succeeded",
        "UserId": f"{box}@contoso.example",
        "AppId": app,
        "ClientAppId": app if caller is None else caller,
        "ClientInfoString": client,
        "MailboxOwnerUPN": f"{box}@contoso.example",
        "Type": "OfficeActivity",
    }


@pytest.fixture(scope="module")
def plain(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs as they are."""
    return store(tmp_path_factory.mktemp("plain"), rows)


Asked = Callable[..., dict[str, Any]]


@pytest.fixture
def asked(keyaudit: Keyaudit, contoso: Path, held: Held, tmp_path: Path, rows: Rows, request: pytest.FixtureRequest) -> Asked:
    """The page, with some rows more, or some tables less."""

    def ask(
        subject: str, *, more: Rows | None = None, without: Collection[str] = (), since: bool = True, logs: Path | None = None
    ) -> dict[str, Any]:
        if more or without:
            changed = {table: [*found, *(more or {}).get(table, ())] for table, found in rows.items() if table not in without}
            logs = store(tmp_path, changed)
        logs = logs or request.getfixturevalue("plain")
        first = ["--since", iso_date(held.year.first + INTRUSION * DAY)] if since else []
        ran = keyaudit("incident", subject, "--from", contoso, "--logs", logs, *first, "-o", "json")
        assert ran.code in (Exit.CLEAN, Exit.INCOMPLETE), ran.err
        page: dict[str, Any] = ran.json
        return page

    return ask


def linked(page: dict[str, Any], *links: str) -> set[str]:
    """The records of the acts that are on the page for one of these links."""
    return records([act for act in page["timeline"] if act["link"] in links])


def said(page: dict[str, Any], section: str = "") -> dict[str, str]:
    """Sentences with their basis."""
    found = [each for each in page["sections"] if section in ("", each["id"])]
    return {each["text"]: each["confidence"] for part in found for each in part["statements"]}


def boxes(rows: Sequence[Row], ids: Collection[str]) -> set[str]:
    return {str(row["MailboxOwnerUPN"]) for row in rows if row["OfficeId"] in ids}


def test_who_shares_a_network_or_a_program_with_the_intruder_is_shown_and_nobody_else(
    asked: Asked, held: Held, rows: Rows
) -> None:
    raider = "Client=WebServices;MailRaider/1.{};"
    disguise, usual, new = held.year.app(DISGUISE), held.year.app("Billing API"), "0b000000-0000-4000-8000-000000000001"
    planted = [
        read(held, "owa-1", "person040", app=EXCHANGE, near=INTRUDERS),
        read(held, "owa-2", "person041", app=EXCHANGE, near="203.0.113.77"),
        # A record of Graph that names no application has an address all the same.
        read(held, "graph-3", "person042", app=GRAPH, near=INTRUDERS, caller="", client="Client=REST;;"),
        read(held, "shared-1", "person040", app=usual, near=INTRUDERS),
        read(held, "shared-2", "person041", app=new, near=INTRUDERS),
        read(held, "raid-1", "person060", app=disguise, near=INTRUDERS, client=raider.format(2)),
        read(held, "raid-2", "person061", app=EXCHANGE, near=OFFICE, client=raider.format(3)),
    ]
    others = [
        read(held, "owa-8", "person043", app=EXCHANGE, near=ELSEWHERE),
        # A browser that the intruder has, too, tells nothing.
        read(held, "owa-9", "person044", app=EXCHANGE, near=OFFICE),
    ]
    page = asked(KEY, more={"OfficeActivity": [*planted, *others]})
    assert linked(page, "network") == {"owa-1", "owa-2", "graph-3", "shared-1", "shared-2"}
    assert linked(page, "client") == {"raid-2"}
    assert records(page["timeline"]).isdisjoint({"owa-8", "owa-9"})
    reasons = {act["because"] for act in page["timeline"] if act["link"] == "network"}
    assert all(reason.startswith("came from network 203.0.113.0/24, as id-orders-api-test (") for reason in reasons)
    mail = [*rows["OfficeActivity"], *planted]
    by_app = {str(row["OfficeId"]) for row in mail if row["AppId"] == disguise}
    followed = {*by_app, *linked(page, "network", "client")}
    assert page["mailboxes"] == {"at_least": len(boxes(mail, followed)), "at_most": None}
    assert all(basis == "inferred" for text, basis in said(page, "next").items() if "came from network" in text)
    # Only what does nothing usual is stopped; users are asked, and the programs of applications have none.
    stops = [step["title"] for step in page["plan"] if step["title"].startswith("Stop ")]
    assert not [title for title in stops if "Billing API" in title]
    assert [title for title in stops if new in title]
    asks = [step for step in page["plan"] if step["title"].startswith("Ask these users")]
    beginnings = ("person040@contoso.example, person041@contoso.example", "person061@contoso.example")
    assert [step["text"].startswith(beginnings) for step in asks] == [True, True]
    assert not [step for step in asks if "person043" in step["text"] or usual in step["text"] or step["commands"]]


def test_mail_that_is_read_through_graph_is_that_of_its_caller_and_an_early_addition_is_named(
    asked: Asked, held: Held, rows: Rows
) -> None:
    disguise, usual = held.year.app(DISGUISE), held.year.app("Billing API")
    program = "Client=REST;Client=RESTSystem;;"
    planted = [
        # From an address of Microsoft: only the caller tells.
        read(held, "graph-1", "person050", app=GRAPH, caller=disguise, near="52.96.10.4", client=program),
        read(held, "graph-2", "person051", app=GRAPH, caller=disguise, near="52.96.10.4", client=program),
    ]
    others = [read(held, "graph-9", "person052", app=GRAPH, caller=usual, near="52.96.10.4", client=program)]
    early = added(held, "early", DISGUISE, held.year.added_credential, day=INTRUSION - 20)
    page = asked(DISGUISE, more={"OfficeActivity": [*planted, *others], "AuditLogs": [early]})
    # An addition before the days that are examined is named, too.
    assert "early" in records(page["causes"])
    by_app = {str(row["OfficeId"]) for row in rows["OfficeActivity"] if row["AppId"] == disguise}
    mail = [act for act in page["timeline"] if act["operation"] == "read-mail"]
    assert records(mail) == {*by_app, "graph-1", "graph-2"}
    assert {act["app_id"] for act in mail} == {disguise}
    assert page["mailboxes"]["at_least"] == len(boxes([*rows["OfficeActivity"], *planted], records(mail)))
    # A certificate of its own can be copied, so that there is no upper bound.
    assert f"Mail was read in at least {page['mailboxes']['at_least']} mailboxes; no upper bound" in page["in_short"]


@pytest.mark.exhaustive
def test_without_a_baseline_nobody_is_followed_by_network(asked: Asked, held: Held) -> None:
    planted = [read(held, "owa-1", "person040", app=EXCHANGE, near=INTRUDERS)]
    page = asked(KEY, more={"OfficeActivity": planted}, since=False)
    assert not linked(page, "network", "client")
    assert "Who else acted from the same networks was not examined: without a baseline they may be anybody's." in said(page)


def added(held: Held, id_: str, target: str, key: str, *, day: int, by: str = "") -> Row:
    """Somebody adds a client secret: the application of that name, or an administrator."""
    year = held.year
    app = {"appId": year.app(by), "servicePrincipalId": year.ground.guid("principal", by), "displayName": by}
    user = {"id": year.ground.guid("user", "administrator"), "ipAddress": "198.51.100.200"}
    changed = {"displayName": "KeyDescription", "oldValue": "[]", "newValue": f'["[KeyIdentifier={key},KeyType=Password]"]'}
    return {
        "TimeGenerated": iso_time(year.first + day * DAY + 7200),
        "AADTenantId": year.ground.tenant,
        "OperationName": "Update application \u2013 Certificates and secrets management ",
        "Result": "success",
        "Id": id_,
        "InitiatedBy": {"app": app} if by else {"user": user},
        "TargetResources": [
            {"id": year.ground.guid("application", target), "type": "Application", "modifiedProperties": [changed]}
        ],
        "AdditionalDetails": [],
        "Type": "AuditLogs",
    }


def test_the_page_of_an_application_names_who_added_its_credential_and_plans_its_removal(
    asked: Asked, held: Held, rows: Rows
) -> None:
    key = held.year.added_credential
    (raw,) = (row for row in rows["AuditLogs"] if key in json.dumps(row))
    other = "0a000000-0000-4000-8000-000000000001"
    more = [added(held, "other", "Billing API", other, day=INTRUSION + 1)]
    page = asked(DISGUISE, more={"AuditLogs": more})
    assert records(page["causes"]) == {raw["Id"]}
    (cause,) = page["causes"]
    assert (cause["name"], cause["credential"], cause["first_on"]) == (FOOTHOLD, key, str(raw["TimeGenerated"])[:19] + "Z")
    # The actor that added it is followed: what he signed and switched off is on the page of the application.
    operations = {act["operation"] for act in page["timeline"] if act["name"] == FOOTHOLD}
    assert operations == {"remove-log-settings", "sign", "add-credential"}
    assert "other" not in records([*page["timeline"], *page["causes"]])
    plan = page["plan"]
    assert plan[0]["phase"] == "keep"
    (stop,) = (number for number, step in enumerate(plan) if f"Stop {DISGUISE} from" in step["title"])
    (remove,) = (number for number, step in enumerate(plan) if key in step["title"])
    assert stop < remove
    assert (
        plan[remove]["title"]
        == f"Remove credential {key}, which {FOOTHOLD} added on {iso_date(held.year.first + (INTRUSION + 1) * DAY)}"
    )
    delete = f"az ad app credential delete --id {held.year.ground.guid('application', DISGUISE)} --key-id {key}"
    assert [command for command in removals(page) if key in command] == [delete]
    assert plan[remove]["commands"][-1] == delete


def test_who_added_a_credential_is_unknown_without_the_log_that_says_it(asked: Asked, held: Held) -> None:
    page = asked(DISGUISE, without=["AuditLogs"])
    assert page["causes"] == []
    found = said(page, "cause")
    key = held.year.added_credential
    assert (
        found[f"No record in these logs adds credential {key}, with which it signed in: who did is unknown."] == "not knowable"
    )
    assert any("AuditLogs is not among these logs at all" in text for text in found)


def thumbprint(contoso: Path, name: str, kind: str = "saml") -> str:
    query = f"SELECT thumbprint FROM signing_certificate WHERE kind = '{kind}' AND holder_name = '{name}' ORDER BY 1 LIMIT 1"
    return asked_of(contoso, query)[0]


def test_the_page_of_a_saml_certificate_names_the_sign_ins_that_rest_on_it(
    asked: Asked, contoso: Path, held: Held, rows: Rows
) -> None:
    first = iso_date(held.year.first + INTRUSION * DAY)
    raw = [row for row in rows["SigninLogs"] if str(row["TimeGenerated"]) >= first]
    page = asked(thumbprint(contoso, "VanArsdel Payroll"))
    (found,) = page["saml"]
    assert set(found["records"]) == {row["Id"] for row in raw}
    assert (found["count"], found["users"], found["active"]) == (len(raw), len({row["UserId"] for row in raw}), True)
    (text,) = (text for text in said(page, "used") if "by SAML or WS-Federation to VanArsdel Payroll" in text)
    assert f"at least {len(raw)} interactive sign-ins of {found['users']} users" in text
    assert said(page)[text] == "inferred"
    assert any("Entra does not record it: ask VanArsdel Payroll" in text for text in said(page))
    assert page["mailboxes"] == {"at_least": 0, "at_most": None}
    # Users who signed in are no users of the key: they are not followed.
    assert (page["uses"], page["timeline"]) == ([], [])


@pytest.mark.exhaustive
def test_without_sign_ins_of_users_a_saml_certificate_has_no_answer(asked: Asked, contoso: Path) -> None:
    page = asked(thumbprint(contoso, "VanArsdel Payroll"), without=["SigninLogs"])
    assert page["saml"][0]["count"] == 0
    assert "SigninLogs" in page["logs_absent"]
    (basis,) = (basis for text, basis in said(page, "used").items() if "show no interactive sign-in by SAML" in text)
    assert basis == "not knowable"


@pytest.mark.exhaustive
def test_another_applications_certificate_has_none_of_them(asked: Asked, contoso: Path) -> None:
    page = asked(thumbprint(contoso, "Litware HR"))
    (basis,) = (basis for text, basis in said(page, "used").items() if "sign-in by SAML or WS-Federation to Litware HR" in text)
    assert basis == "observed"


def federated(held: Held, id_: str, domain: str, by: str) -> Row:
    user = {"id": by, "ipAddress": "198.51.100.200"}
    return {
        "TimeGenerated": iso_time(held.year.first + (INTRUSION + 2) * DAY),
        "AADTenantId": held.year.ground.tenant,
        "OperationName": "Set federation settings on domain",
        "Result": "success",
        "Id": id_,
        "InitiatedBy": {"user": user},
        "TargetResources": [{"displayName": domain, "type": "Domain", "modifiedProperties": []}],
        "AdditionalDetails": [],
        "Type": "AuditLogs",
    }


def test_the_page_of_a_domains_certificate_names_who_changed_its_federation(asked: Asked, contoso: Path, held: Held) -> None:
    domain, other = "stores.contoso.example", "franchise.contoso.example"
    user = asked_of(contoso, "SELECT object_id FROM principal WHERE kind = 'user' ORDER BY 1 LIMIT 1")[0]
    nobody = held.year.ground.guid("user", "administrator")
    changes = [("own", domain, user), ("more", other, user), ("unknown", domain, nobody)]
    more = {"AuditLogs": [federated(held, *change) for change in changes]}
    page = asked(thumbprint(contoso, domain, "federated-domain"), more=more)
    assert records(page["causes"]) == {"own", "unknown"}
    assert any(text.startswith(f"Sign-ins of users of {domain} rest on it.") for text in said(page, "used"))
    assert said(page)["Who used it cannot be known: no log of this tenant names the key that a token was signed with."] == (
        "not knowable"
    )
    assert page["mailboxes"] == {"at_least": 0, "at_most": None}
    # The changes are undone, and the sessions that made them are followed and stopped.
    assert records(page["timeline"]) >= {"own", "more", "unknown"}
    undo = [step for step in page["plan"] if step["title"].startswith("Undo the change")]
    assert {step["phase"] for step in undo} == {"revoke"}
    assert sorted(step["commands"][1].split()[2] for step in undo) == [other, domain, domain]
    [stop] = [step for step in page["plan"] if step["title"].startswith("Stop user ")]
    assert (stop["phase"], stop["commands"][0]) == ("block", f"Update-MgUser -UserId {user} -AccountEnabled:$false")
    [find] = [step for step in page["plan"] if step["title"].startswith(f"Find out who {nobody} is")]
    assert (find["phase"], find["commands"]) == ("block", [])


def test_a_kid_has_no_use_in_any_log(asked: Asked, contoso: Path) -> None:
    kid = asked_of(contoso, "SELECT key_id FROM issuer_key WHERE kind = 'entra' ORDER BY 1 LIMIT 1")[0]
    page = asked(kid)
    assert (page["uses"], page["timeline"], page["causes"], page["saml"]) == ([], [], [], [])
    assert page["in_short"].startswith("Who used it cannot be known: no log names the key that a token was signed with.")
    assert set(said(page, "timeline").values()) == {"not knowable"}


def test_without_a_baseline_the_addition_is_named_and_its_removal_planned_without_a_command(asked: Asked, held: Held) -> None:
    key = held.year.added_credential
    page = asked(DISGUISE, since=False)
    assert {act["credential"] for act in page["causes"]} == {key}
    # An administrator who adds credentials every week is not followed.
    assert {act["name"] for act in page["timeline"]} == {DISGUISE}
    (step,) = (step for step in page["plan"] if key in step["title"])
    assert step["title"].endswith(", if nobody planned that")
    assert [command for command in step["commands"] if " delete " in command] == []
    assert "because the snapshot does not have it" in step["text"]
