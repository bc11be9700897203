"""The 2023 intrusion in its forms: which application reads mail or signs, how fast, and from where; and what is like it.

In 2023 tokens that were forged with a stolen key named Microsoft's own applications, which are in daily use everywhere, and the
mail of 25 organisations was read with them, some mailboxes for a month: CISA and FBI, AA23-193A; Cyber Safety Review Board,
Review of the Summer 2023 Microsoft Exchange Online Intrusion.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from keyaudit.inventory.logs import Use
from keyaudit.inventory.usage.baseline import Baseline, open_baseline
from keyaudit.inventory.usage.learn import learn
from keyaudit.logs.check.check import check
from keyaudit.model.usage import UsageCheck, Window
from keyaudit.model.values.times import DAY
from tests.logs import START, mail, store, use
from tests.matrices import each_with_each

LEARNED, CLEAN = 84, 30
"""Days: twelve weeks are learned from, and those after them are the days to check."""
PEOPLE = 60
OUTLOOK = "d3590ed6-52b3-4102-aeff-aad2292ab01c"
OUTLOOK_ON_THE_WEB = "00000002-0000-0ff1-ce00-000000000000"
VIVA_INSIGHTS = "fe93bfe1-7947-460a-a5e0-7a5906b51360"
"""A service of Microsoft's that this tenant does not use."""
GRAPH = "00000003-0000-0000-c000-000000000000"
HUB, SEARCH, SERVICE, AGENTS, PAYROLL = (f"0000000{number}-2222-4222-8222-222222222222" for number in range(1, 6))
KEY, ROAMING = (f"https://v.vault.azure.net/keys/{name}/{'a' * 32}" for name in ("tokens", "releases"))
SEEDS = (1, 2, 3)

Checked = Callable[..., UsageCheck]


def person(number: int) -> str:
    return f"person{number}@contoso.example"


def reads(day: int, app: str, network: str, number: int, **columns: Any) -> Use:
    box = person(number)
    return mail(
        day, app, box, **{"principal_id": box, "network": network, "client": "Client=REST;Client=RESTSystem;;", **columns}
    )


def signs_in(day: int, network: str, number: int, **columns: Any) -> Use:
    """A user signs in to an application by SAML."""
    given = {"source": "SigninLogs", "target_kind": "application", "target_id": PAYROLL, "client": f"Mozilla/5.0 ({number})"}
    return use(day, "", operation="saml-sign-in", **{**given, "network": network, "principal_id": person(number), **columns})


def ordinary(seed: int, days: range) -> Iterator[Use]:
    """People at work, at home, on the way and in hotels, with whom a colleague may travel; and what services do."""
    for day in days:
        chance = random.Random(f"{seed}/{day}")
        for number in range(PEOPLE):
            if chance.random() > (0.8 if day % 7 < 5 else 0.1):
                continue
            home = f"100.64.{number}.7"
            yield reads(day, OUTLOOK, "198.51.100.7" if chance.random() < 0.7 else home, number)
            if number % 4 == 0:
                yield signs_in(day, "198.51.100.7" if chance.random() < 0.7 else home, number)
            if chance.random() < 0.3:
                yield reads(day, OUTLOOK_ON_THE_WEB, home, number, client="Client=OWA;Action=ViaProxy")
            if chance.random() < 0.2:
                yield reads(day, OUTLOOK, f"100.{128 + chance.randrange(60)}.{chance.randrange(60)}.9", number)
        if chance.random() < 0.2:
            hotel = f"192.{chance.randrange(1, 99)}.{chance.randrange(250)}.20"
            for number in chance.sample(range(PEOPLE), chance.choice((1, 1, 2))):
                yield reads(day, OUTLOOK, hotel, number)
                yield signs_in(day, hotel, number)
        yield from services(day, chance)


def services(day: int, chance: random.Random) -> Iterator[Use]:
    """What applications of the tenant's own do."""
    for app, boxes in ((HUB, range(8)), (SEARCH, range(2))):
        for number in boxes:
            yield reads(day, app, "10.20.4.83", number, principal_id=None, api_app_id=GRAPH, uses=chance.randrange(1, 40))
    for _ in range(5):
        yield use(day, SERVICE, target_id=KEY, network="10.20.4.11", client="azsdk-net-Security.KeyVault.Keys/4.6.0")
    agent = f"20.{chance.randrange(200)}.{chance.randrange(250)}.4"
    yield use(day, AGENTS, target_id=ROAMING, network=agent, client="azsdk-go-azkeys/v1.3.0")


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Baseline]:
    """Twelve weeks of one seed, learned once."""
    known: dict[int, Baseline] = {}

    def of(seed: int) -> Baseline:
        if seed not in known:
            folder = tmp_path_factory.mktemp("baseline")
            logs = store(tmp_path_factory.mktemp("usual") / "logs", ordinary(seed, range(LEARNED)))
            known[seed] = learn(logs, Window(since=START, until=START + LEARNED * DAY), into=folder)
        return open_baseline(known[seed].folder)

    return of


@pytest.fixture
def checked(tmp_path: Path, usual: Callable[[int], Baseline]) -> Checked:
    def run(seed: int, then: Sequence[Use], days: int = 1) -> UsageCheck:
        whole = range(LEARNED, LEARNED + days)
        logs = store(tmp_path / f"logs{seed}", [*ordinary(seed, whole), *then])
        return check(logs, Window(since=START + LEARNED * DAY, until=START + whole.stop * DAY), usual(seed))

    return run


def high(result: UsageCheck) -> list[tuple[str, str]]:
    found = [
        (each.app_id, str(why.kind)) for each in result.findings for why in each.why if why.severity in ("high", "critical")
    ]
    return sorted(found)


ELSEWHERE = "203.0.113.9"


def by_intruder(seed: int, app: str, boxes: int, *, network: str = ELSEWHERE, **columns: Any) -> list[Use]:
    chance = random.Random(f"{seed}/intruder")
    return [reads(LEARNED, app, network, number, **columns) for number in chance.sample(range(PEOPLE), boxes)]


FORMS: dict[str, tuple[Callable[[int], list[Use]], list[tuple[str, str]]]] = {
    "an application of Microsoft's in daily use, fast": (
        lambda seed: by_intruder(seed, OUTLOOK_ON_THE_WEB, 40, client="Client=OWA;Action=ViaProxy"),
        [(OUTLOOK_ON_THE_WEB, "mailboxes-from-new-network")],
    ),
    "an application of Microsoft's in daily use, slowly": (
        lambda seed: by_intruder(seed, OUTLOOK_ON_THE_WEB, 5, client="Client=OWA;Action=ViaProxy"),
        [(OUTLOOK_ON_THE_WEB, "mailboxes-from-new-network")],
    ),
    "an application of Microsoft's in daily use, each mailbox through a proxy of its own": (
        lambda seed: [
            reads(LEARNED, OUTLOOK_ON_THE_WEB, f"73.{number}.9.4", number)
            for number in random.Random(f"{seed}/proxies").sample(range(PEOPLE), 40)
        ],
        [(OUTLOOK_ON_THE_WEB, "many-new-networks")],
    ),
    "an application of Microsoft's that nobody uses, fast": (
        lambda seed: by_intruder(seed, VIVA_INSIGHTS, 40),
        [(VIVA_INSIGHTS, "mailboxes-from-new-network"), (VIVA_INSIGHTS, "many-mailboxes")],
    ),
    "an application of Microsoft's that nobody uses, slowly": (
        lambda seed: by_intruder(seed, VIVA_INSIGHTS, 5),
        [(VIVA_INSIGHTS, "mailboxes-from-new-network")],
    ),
    "a known client of Graph, with many more mailboxes": (
        lambda seed: by_intruder(seed, SEARCH, 50, network="10.20.4.83", principal_id=None, api_app_id=GRAPH),
        [(SEARCH, "many-mailboxes")],
    ),
    "a known client of Graph, from elsewhere": (
        lambda seed: by_intruder(seed, SEARCH, 1, principal_id=None, api_app_id=GRAPH),
        [(SEARCH, "new-network")],
    ),
    "one mailbox 900 times": (
        lambda seed: by_intruder(seed, SEARCH, 1, network="10.20.4.83", principal_id=None, api_app_id=GRAPH, uses=900),
        [(SEARCH, "mailbox-read-often")],
    ),
    "a key, from elsewhere": (
        lambda _: [use(LEARNED, SERVICE, target_id=KEY, network=ELSEWHERE, client="azsdk-net-Security.KeyVault.Keys/4.6.0")],
        [(SERVICE, "new-network")],
    ),
    "a key, with another program": (
        lambda _: [use(LEARNED, SERVICE, target_id=KEY, network="10.20.4.11", client="python-requests/2.31.0")],
        [(SERVICE, "new-client")],
    ),
    "users who sign in by SAML, from elsewhere": (
        lambda seed: [signs_in(LEARNED, ELSEWHERE, number) for number in random.Random(seed).sample(range(PEOPLE), 5)],
        [("", "users-from-new-network")],
    ),
}
"""By form: the uses of the intruder on one day, and what is told at high."""


@pytest.mark.parametrize(("form", "seed"), each_with_each(FORMS, SEEDS))
def test_each_form_is_found_at_high(checked: Checked, form: str, seed: int) -> None:
    made, expected = FORMS[form]
    result = checked(seed, made(seed))
    assert high(result) == expected
    assert result.exit == 1


def test_clean_days_give_at_most_two_alerts_a_week(checked: Checked) -> None:
    for seed in SEEDS:
        result = checked(seed, [], days=CLEAN)
        assert len(high(result)) <= 2 * CLEAN // 7, (seed, high(result))


ADMIN = "admin@contoso.example"


def change(day: int, operation: str, **columns: Any) -> Use:
    """A change of the directory by the administrator, who makes one of each kind every fourth week."""
    given = {"source": "AuditLogs", "target_kind": "service-principal", "target_id": f"object {day}", "principal_id": ADMIN}
    return use(day, "", operation=operation, **{**given, "network": "198.51.100.7", "client": "Mozilla/5.0", **columns})


USUAL_CHANGES = [
    *(change(day, "grant-permission", permission="User.Read", granted_to="a") for day in range(3, LEARNED, 28)),
    *(
        change(day, "grant-permission", permission="Mail.Read", granted_to="a", privileged=True)
        for day in range(4, LEARNED, 28)
    ),
    *(change(day, "add-credential", target_kind="application") for day in range(5, LEARNED, 28)),
    *(change(day, "add-credential", target_kind="application", issuer="https://ci.example") for day in range(6, LEARNED, 28)),
    *(change(day, "assign-directory-role", permission="Directory Readers") for day in range(7, LEARNED, 28)),
]
CHANGES: dict[str, tuple[Use, list[str]]] = {
    "a permission to all mail, by the administrator as before": (
        change(LEARNED, "grant-permission", permission="Mail.ReadWrite", granted_to="b", privileged=True),
        ["privileged"],
    ),
    "a role that controls the tenant, which nobody gave before": (
        change(LEARNED, "assign-directory-role", permission="Global Administrator", privileged=True),
        ["new-operation", "privileged"],
    ),
    "a federated credential of a new issuer": (
        change(LEARNED, "add-credential", target_kind="application", issuer="https://evil.example"),
        ["new-target"],
    ),
    "one of the usual issuer": (change(LEARNED, "add-credential", target_kind="application", issuer="https://ci.example"), []),
    "a client secret": (change(LEARNED, "add-credential", target_kind="application"), []),
    "a permission to sign in": (change(LEARNED, "grant-permission", permission="User.Read", granted_to="b"), []),
    "a permission to sign in, by somebody who never gave one": (
        change(LEARNED, "grant-permission", permission="openid User.Read", granted_to="b", principal_id="somebody"),
        [],
    ),
    "a permission to sign in and to read mail, by somebody who never gave one": (
        change(LEARNED, "grant-permission", permission="openid Mail.Read", granted_to="b", principal_id="somebody"),
        ["new-operation"],
    ),
    "a role to read": (change(LEARNED, "assign-directory-role", permission="Directory Readers"), []),
    "keys of an account, by somebody who never listed any": (
        change(LEARNED, "list-account-keys", source="AzureActivity", target_kind="resource"),
        ["new-operation"],
    ),
}
"""By change: the use, and the kinds of reasons at high."""


def learned(folder: Path, uses: Sequence[Use]) -> Path:
    """The baseline of these twelve weeks."""
    (folder / "baseline").mkdir()
    window = Window(since=START, until=START + LEARNED * DAY)
    return learn(store(folder / "usual", uses), window, into=folder / "baseline").folder


def next_day(tmp_path: Path, uses: Sequence[Use], usual: Path) -> UsageCheck:
    """What is found in these uses of the day after them."""
    window = Window(since=START + LEARNED * DAY, until=START + (LEARNED + 1) * DAY)
    return check(store(tmp_path / "logs", uses), window, open_baseline(usual))


@pytest.fixture(scope="module")
def usual_changes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return learned(tmp_path_factory.mktemp("changes"), USUAL_CHANGES)


@pytest.mark.parametrize("what", CHANGES)
def test_changes_that_are_told_whoever_makes_them(tmp_path: Path, usual_changes: Path, what: str) -> None:
    made, expected = CHANGES[what]
    assert [kind for _, kind in high(next_day(tmp_path, [made], usual_changes))] == expected


def calls(day: int, app: str, operation: str, many: int, *, apart: int = 1) -> list[Use]:
    """So many calls, some seconds apart."""
    made = []
    for number in range(many):
        secret = {"target_kind": "secret", "target_id": f"https://v.vault.azure.net/secrets/s{number}"}
        vault = {"target_kind": "vault", "target_id": "/subscriptions/s/vaults/v"}
        each = use(day, app, operation=operation, **(secret if operation == "read-secret" else vault))
        made.append(structs.replace(each, used_on=each.used_on + number * apart, mark=f"{number}"))
    return made


BURSTS: dict[str, tuple[list[Use], list[str]]] = {
    "60 secrets": (calls(LEARNED, SERVICE, "read-secret", 60), ["many-in-one-hour"]),
    "59 secrets": (calls(LEARNED, SERVICE, "read-secret", 59), []),
    "60 secrets in a day": (calls(LEARNED, SERVICE, "read-secret", 60, apart=300), []),
    "50 lists": (calls(LEARNED, SERVICE, "list", 50), ["many-in-one-hour"]),
    "as many lists as before": (calls(LEARNED, AGENTS, "list", 80), []),
    "a list by somebody new": (calls(LEARNED, HUB, "list", 1), []),
    "keys created by somebody new": ([use(LEARNED, AGENTS, operation="create")], ["new-app"]),
    "another key of the same vault": ([use(LEARNED, SERVICE, operation="create", target_id=ROAMING)], []),
}
"""By burst: the uses, and the kinds of reasons at high. Thresholds: https://github.com/elastic/detection-rules,
credential_access_key_vault_excessive_retrieval, has far more within a minute.
"""


@pytest.fixture(scope="module")
def usual_calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    usual = [each for day in range(LEARNED) for each in (*calls(day, SERVICE, "list", 2), *calls(day, AGENTS, "list", 70))]
    usual += [each for day in range(0, LEARNED, 7) for each in calls(day, SERVICE, "read-secret", 60, apart=400)]
    usual += [use(day, SERVICE, operation="create", target_id=KEY) for day in range(0, LEARNED, 7)]
    return learned(tmp_path_factory.mktemp("calls"), usual)


@pytest.mark.parametrize("what", BURSTS)
def test_bursts_of_calls_to_vaults(tmp_path: Path, usual_calls: Path, what: str) -> None:
    made, expected = BURSTS[what]
    found = next_day(tmp_path, made, usual_calls)
    assert [kind for _, kind in high(found)] == expected
    for why in (why for each in found.findings for why in each.why if why.kind == "many-in-one-hour"):
        assert (why.uses, why.count, len(why.evidence)) == (len(made), len(made), 3)


LIKE: dict[str, Callable[[int], list[Use]]] = {
    "two colleagues in a hotel": lambda seed: by_intruder(seed, OUTLOOK, 2),
    "a service of Microsoft's that works from its own network": lambda seed: by_intruder(
        seed, VIVA_INSIGHTS, 5, network="52.96.10.4"
    ),
    "a known application of Microsoft's, from its own network": lambda seed: by_intruder(
        seed, OUTLOOK, 9, network="2603:1026:c0b::5"
    ),
    "two colleagues who sign in from a hotel": lambda _: [signs_in(LEARNED, ELSEWHERE, number) for number in (3, 4)],
    "one who signs in from a hotel to many applications": lambda _: [
        signs_in(LEARNED, ELSEWHERE, 3, target_id=f"app {number}") for number in range(9)
    ],
    "many mailboxes from the office": lambda seed: by_intruder(seed, OUTLOOK_ON_THE_WEB, 15, network="198.51.100.9"),
    "a mailbox that is read often, as always": lambda seed: by_intruder(
        seed, HUB, 1, network="10.20.4.83", principal_id=None, api_app_id=GRAPH, uses=60
    ),
    "hosted agents, which come from anywhere": lambda _: [
        use(LEARNED, AGENTS, target_id=ROAMING, network=ELSEWHERE, client="azsdk-go-azkeys/v1.3.0")
    ],
    "another network of the same tenant": lambda _: [
        use(LEARNED, SERVICE, target_id=KEY, network="10.20.4.83", client="azsdk-net-Security.KeyVault.Keys/4.6.0")
    ],
}


@pytest.mark.parametrize(("like", "seed"), each_with_each(LIKE, SEEDS))
def test_what_is_like_it_is_not_at_high(checked: Checked, like: str, seed: int) -> None:
    assert high(checked(seed, LIKE[like](seed))) == []
