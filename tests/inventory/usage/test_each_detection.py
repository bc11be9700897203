"""Each form of abuse that logs can show, by what an intruder does, with the reason for which `usage check` reports it at high.

One day of a tenant has all of them, each by somebody of its own, and nothing else of that day is reported. Records of each are
read in tests/collect/usage/test_public_rules.py. `explain usage` says what is out of scope.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from keyaudit.inventory.logs import Use
from keyaudit.inventory.usage.learn import learn
from keyaudit.logs.check.check import check
from keyaudit.model.usage import Kind, UsageCheck, Window
from keyaudit.model.values.times import DAY
from keyaudit.report.topics import topic
from tests.inventory.usage.test_intrusions import (
    ADMIN,
    ELSEWHERE,
    GRAPH,
    HUB,
    KEY,
    LEARNED,
    OUTLOOK,
    OUTLOOK_ON_THE_WEB,
    SEARCH,
    SERVICE,
    USUAL_CHANGES,
    calls,
    change,
    high,
    ordinary,
    reads,
    signs_in,
)
from tests.logs import START, store, use

VAULT = "/subscriptions/s/resourcegroups/rg/providers/microsoft.keyvault/vaults/v"
BATCH, OTHER_KEY = "00000009-2222-4222-8222-222222222222", f"https://v.vault.azure.net/keys/batch/{'a' * 32}"
BUSY, LISTER = "0000000a-2222-4222-8222-222222222222", "0000000b-2222-4222-8222-222222222222"
STRANGER = "somebody new"
Expected = tuple[str, str, str]
"""An operation, the application or else the principal, and the reason."""


def by(who: str, operation: str, **columns: Any) -> Use:
    return change(LEARNED, operation, **{"principal_id": who, **columns})


def in_azure(who: str, operation: str, kind: str = "vault", **columns: Any) -> Use:
    return by(who, operation, source="AzureActivity", target_kind=kind, target_id=VAULT, **columns)


def in_exchange(who: str, operation: str, **columns: Any) -> Use:
    return by(who, operation, source="OfficeActivity", **{"target_kind": "tenant", **columns})


def made(operation: str, who: str = STRANGER) -> Use:
    return use(LEARNED, who, operation=operation, target_id=KEY)


ITEMS: dict[str, tuple[list[Use], Expected]] = {
    "an application of Microsoft's in daily use reads mailboxes from a new network": (
        [reads(LEARNED, OUTLOOK_ON_THE_WEB, ELSEWHERE, number, client="Client=OWA;Action=ViaProxy") for number in range(40)],
        ("read-mail", OUTLOOK_ON_THE_WEB, "mailboxes-from-new-network"),
    ),
    "each mailbox through a proxy of its own": (
        [reads(LEARNED, OUTLOOK_ON_THE_WEB, f"73.{number}.9.4", number) for number in range(40)],
        ("read-mail", OUTLOOK_ON_THE_WEB, "many-new-networks"),
    ),
    "slowly, five a day": (
        [reads(LEARNED, OUTLOOK, "203.0.114.9", number) for number in range(5)],
        ("read-mail", OUTLOOK, "mailboxes-from-new-network"),
    ),
    "a known client of Graph with many more mailboxes": (
        [reads(LEARNED, SEARCH, "10.20.4.83", n, principal_id=None, api_app_id=GRAPH) for n in range(50)],
        ("read-mail", SEARCH, "many-mailboxes"),
    ),
    "one mailbox read 900 times": (
        [reads(LEARNED, HUB, "10.20.4.83", 1, principal_id=None, api_app_id=GRAPH, uses=900)],
        ("read-mail", HUB, "mailbox-read-often"),
    ),
    "a signing key used from a new network": (
        [use(LEARNED, SERVICE, target_id=KEY, network=ELSEWHERE, client="azsdk-net-Security.KeyVault.Keys/4.6.0")],
        ("sign", SERVICE, "new-network"),
    ),
    "a signing key used with a new program": (
        [use(LEARNED, BATCH, target_id=OTHER_KEY, client="python-requests/2.31.0")],
        ("sign", BATCH, "new-client"),
    ),
    "a federated credential added": (
        [by(STRANGER, "add-credential", target_kind="application", issuer="https://ci.example")],
        ("add-credential", STRANGER, "new-app"),
    ),
    "the issuer of one changed, by the administrator": (
        [by(ADMIN, "add-credential", target_kind="application", issuer="https://evil.example")],
        ("add-credential", ADMIN, "new-target"),
    ),
    "an application permission for mail, by the administrator": (
        [by(ADMIN, "grant-permission", permission="Mail.ReadWrite", granted_to="a", privileged=True)],
        ("grant-permission", ADMIN, "privileged"),
    ),
    "a tenant-wide consent for roles": (
        [by("consenter", "grant-permission", permission="RoleManagement.ReadWrite.Directory", granted_to="a", privileged=True)],
        ("grant-permission", "consenter", "privileged"),
    ),
    "a privileged directory role given to a service principal": (
        [by(ADMIN, "assign-directory-role", permission="Global Administrator", privileged=True)],
        ("assign-directory-role", ADMIN, "privileged"),
    ),
    "Owner given to a service principal": (
        [in_azure(ADMIN, "assign-role", "resource", privileged=True)],
        ("assign-role", ADMIN, "privileged"),
    ),
    "a trusted root authority changed": (
        [by(ADMIN, "change-trusted-authority", target_kind="tenant", privileged=True)],
        ("change-trusted-authority", ADMIN, "privileged"),
    ),
    "certificate authentication changed": (
        [by(ADMIN, "change-certificate-sign-in", target_kind="tenant", privileged=True)],
        ("change-certificate-sign-in", ADMIN, "privileged"),
    ),
    "Add-FederatedDomain": (
        [in_exchange(ADMIN, "change-federation", target_kind="domain", privileged=True)],
        ("change-federation", ADMIN, "privileged"),
    ),
    "a new AD FS server": (
        [in_azure(ADMIN, "change-federation-servers", "resource", privileged=True)],
        ("change-federation-servers", ADMIN, "privileged"),
    ),
    **{
        f"a vault, {operation}": ([in_azure(STRANGER, operation)], (operation, STRANGER, "new-app"))
        for operation in ("delete", "purge", "restore", "change-vault-access")
    },
    "a key created by somebody new": ([made("create")], ("create", STRANGER, "new-app")),
    "a key changed by somebody new": ([made("update")], ("update", STRANGER, "new-app")),
    "50 lists within an hour": (calls(LEARNED, LISTER, "list", 50), ("list", LISTER, "many-in-one-hour")),
    "60 secrets read within an hour": (calls(LEARNED, BUSY, "read-secret", 60), ("read-secret", BUSY, "many-in-one-hour")),
    **{
        f"the keys of an account, {operation}": (
            [in_azure(STRANGER, operation, "resource")],
            (operation, STRANGER, "new-app"),
        )
        for operation in ("list-account-keys", "regenerate-account-key")
    },
    "elevated access in Entra's log": (
        [by(ADMIN, "elevate-access", target_kind="tenant", privileged=True)],
        ("elevate-access", ADMIN, "privileged"),
    ),
    "elevated access in Azure's log": (
        [in_azure("elevated", "elevate-access", "resource", privileged=True)],
        ("elevate-access", "elevated", "privileged"),
    ),
    "a transport rule with BCC": ([in_exchange(ADMIN, "forward-mail", privileged=True)], ("forward-mail", ADMIN, "privileged")),
    "SendAs or FullAccess": (
        [in_exchange(STRANGER, "grant-mailbox-access", target_kind="mailbox", target_id="a@contoso.example")],
        ("grant-mailbox-access", STRANGER, "new-app"),
    ),
    "ApplicationImpersonation": (
        [in_exchange(ADMIN, "grant-mailbox-access", privileged=True)],
        ("grant-mailbox-access", ADMIN, "privileged"),
    ),
    "users who sign in by SAML or WS-Federation from a new network": (
        [signs_in(LEARNED, "203.0.115.9", number) for number in range(3)],
        ("saml-sign-in", "", "users-from-new-network"),
    ),
}
"""By form: the uses, and what is reported at high."""
OUT_OF_SCOPE = {
    "a SAML sign-in of a federated domain without its identity provider's event": "golden SAML: sign-in without AD FS event",
    "ROPC": "- ROPC (Elastic, Panther, Sigma): out of scope",
}
"""By form: the line of `explain usage` that says why it is not found."""


def usual() -> list[Use]:
    """What happens each week, so that the forms are told from it, and not only from a tenant without such uses."""
    made = [*ordinary(1, range(LEARNED)), *USUAL_CHANGES]
    for day in range(0, LEARNED, 7):
        of_vaults = ("delete", "purge", "restore", "change-vault-access", "assign-role", "elevate-access")
        made += [change(day, each, source="AzureActivity", target_kind="vault", target_id=VAULT) for each in of_vaults]
        of_accounts = ("list-account-keys", "regenerate-account-key", "change-federation-servers")
        made += [change(day, each, source="AzureActivity", target_kind="resource", target_id=VAULT) for each in of_accounts]
        mailbox = {"source": "OfficeActivity", "target_kind": "mailbox", "target_id": "b@contoso.example"}
        made += [change(day, "grant-mailbox-access", **mailbox), *calls(day, LISTER, "list", 2)]
        made += [use(day, BATCH, target_id=OTHER_KEY), *(use(day, BATCH, operation=each) for each in ("create", "update"))]
        made += calls(day, BUSY, "read-secret", 60, apart=400)
    return made


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> UsageCheck:
    window = Window(since=START, until=START + LEARNED * DAY)
    baseline = learn(store(_new(tmp_path_factory), _as_logged(usual())), window, into=tmp_path_factory.mktemp("baseline"))
    then = [*ordinary(1, range(LEARNED, LEARNED + 1)), *(each for uses, _ in ITEMS.values() for each in uses)]
    return check(
        store(_new(tmp_path_factory), _as_logged(then)), Window(since=window.until, until=window.until + DAY), baseline
    )


def _as_logged(uses: Iterable[Use]) -> Iterator[Use]:
    """A change by a person has no application."""
    for each in uses:
        yield each if each.actor_app_id else structs.replace(each, actor_app_id=None)


def _new(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs") / "logs"


def at_high(found: UsageCheck) -> set[Expected]:
    reasons = ((each, why) for each in found.findings for why in each.why if why.severity == "high")
    return {(each.operation, each.app_id, str(why.kind)) for each, why in reasons}


@pytest.mark.parametrize("form", ITEMS)
def test_each_form_is_reported_at_high(result: UsageCheck, form: str) -> None:
    assert ITEMS[form][1] in at_high(result)


def test_nothing_else_of_that_day_is(result: UsageCheck) -> None:
    beside = {*_first_of_their_kind(result)}
    assert at_high(result) - {expected for _, expected in ITEMS.values()} == beside
    assert len(high(result)) > len(ITEMS) / 2


def _first_of_their_kind(found: UsageCheck) -> Sequence[Expected]:
    """Privileged changes that nobody made before are two reasons: the second is that nobody did."""
    privileged = {(operation, who) for _, (operation, who, kind) in ITEMS.values() if kind == "privileged"}
    return [each for each in at_high(found) if each[2] in ("new-operation", "new-app") and each[:2] in privileged]


@pytest.mark.parametrize("form", OUT_OF_SCOPE)
def test_what_is_not_found_is_said(form: str) -> None:
    assert OUT_OF_SCOPE[form] in " ".join(topic("usage").split())


def test_each_reason_and_policy_that_the_table_of_rules_names_exists() -> None:
    """A line of the table is the rule, its sources in parentheses, and what finds it; "not read" and "not found" say why."""
    _, table = topic("usage").split("## Public rules")
    lines = re.findall(r"^- (.+?\n(?:  .+\n)*)", table.split("\n## ")[0], re.MULTILINE)
    assert len(lines) > 40
    policies = {path.stem for path in Path(__file__).parents[3].glob("policies/*/*.yaml")}
    known = {*map(str, Kind), *policies}
    for line in (" ".join(each.split()) for each in lines):
        said = re.fullmatch(r"(?P<rule>.+?) \((?P<by>[A-Z][\w ,]+|all)\): (?P<found>.+)", line)
        assert said, line
        by, why_not = said["found"], re.match(r"not read|not found|not about keys|out of scope|the same here", said["found"])
        assert why_not or {word.strip(",.;:") for word in by.split()} & known, line
