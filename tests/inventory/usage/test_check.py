"""What does not belong: each kind of reason found, and what is usual left alone."""

from collections.abc import Callable, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from msgspec import json, structs

from keyaudit.inventory.logs import Use
from keyaudit.inventory.usage.baseline import Baseline, open_baseline
from keyaudit.inventory.usage.learn import learn
from keyaudit.logs.check.check import check
from keyaudit.model.gating.waivers import Glob
from keyaudit.model.usage import Accepted, Blind, Unusual, UsageCheck, Window
from keyaudit.model.values.times import DAY
from tests.logs import START, mail, store, use

LEARNED = 56
"""Days, eight weeks."""
NEW = 60
"""A day that was not learned from."""
OUTLOOK = "d3590ed6-52b3-4102-aeff-aad2292ab01c"
VIVA = "fe93bfe1-7947-460a-a5e0-7a5906b51360"

Held = Callable[..., UsageCheck]
Learned = Callable[[Sequence[Use]], Baseline]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    """The baseline of some uses, learned once for all tests."""
    known: dict[bytes, Path] = {}

    def of(uses: Sequence[Use]) -> Baseline:
        label = json.encode(uses)
        if label not in known:
            known[label] = tmp_path_factory.mktemp("baseline")
            logs = store(tmp_path_factory.mktemp("usual") / "logs", uses)
            learn(logs, Window(since=START, until=START + LEARNED * DAY), into=known[label])
        return open_baseline(known[label])

    return of


@pytest.fixture
def held(tmp_path: Path, learned: Learned) -> Held:
    """Learns from the uses of some days and looks at those of the days after them."""

    def run(usual: Sequence[Use], then: Sequence[Use], accepted: Sequence[Accepted] = (), until: int = NEW + 10) -> UsageCheck:
        begins = START + LEARNED * DAY
        before = [each for each in (*usual, *then) if each.used_on < begins]
        logs = store(tmp_path / "logs", [each for each in (*usual, *then) if each.used_on >= begins])
        return check(logs, Window(since=begins, until=START + until * DAY), learned(before), accepted=accepted)

    return run


def reasons(found: UsageCheck) -> list[tuple[str, str, str]]:
    return [(each.app_id, why.kind, why.severity) for each in found.findings for why in each.why]


def daily(app: str = "app", **columns: object) -> list[Use]:
    return [use(day, app, **columns) for day in range(LEARNED)]


def one(found: UsageCheck) -> Unusual:
    (only,) = found.findings
    return only


def test_what_was_learned_belongs(held: Held) -> None:
    assert reasons(held(daily(), [use(NEW), use(NEW, network="10.0.0.77", client="sdk/2.5.1 (other comment)")])) == []


def key(name: str, version: str = "a") -> str:
    return f"https://v.vault.azure.net/keys/{name}/{version * 32}"


NOT_LEARNED: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "an application that nobody knows": ({"app": "stranger"}, ("stranger", "new-app", "high")),
    "no application, where one was always named": ({"app": ""}, ("", "new-app", "high")),
    "an application of Microsoft's": ({"app": VIVA}, (VIVA, "new-app", "medium")),
    "refused": ({"app": "stranger", "succeeded": False}, ("stranger", "new-app", "medium")),
    "a new key": ({"target_id": key("other")}, ("app", "new-target", "low")),
    "a new client application": ({"client_app_id": "caller"}, ("app", "new-client-app", "high")),
    "a client of Microsoft's": ({"client_app_id": OUTLOOK}, ("app", "new-client-app", "medium")),
    "a new network": ({"network": "10.9.9.9"}, ("app", "new-network", "high")),
    "a new program": ({"client": "curl/8.0"}, ("app", "new-client", "high")),
    "a new version": ({"target_id": key("k9", "b")}, ("app", "new-key", "info")),
    "an operation that nobody did": ({"operation": "decrypt"}, ("app", "new-operation", "high")),
    "a harmless one that nobody did": ({"operation": "verify"}, ("app", "new-operation", "medium")),
    "a principal that is new here": ({"principal_id": "visitor"}, ("app", "new-principal", "high")),
}
"""One use each, of a key of its own (k0 to k12) unless it names one; the application, kind and severity it is found with."""


def test_what_was_not_learned_is_found(held: Held) -> None:
    keys = [key(f"k{number}") for number in range(len(NOT_LEARNED))]
    usual = [each for target in keys for each in daily(target_id=target)]
    new = [
        use(NEW, **{"target_id": target, **columns}) for target, (columns, _) in zip(keys, NOT_LEARNED.values(), strict=True)
    ]
    found = held(usual, [*(use(NEW, target_id=target) for target in keys), *new])
    told = {why.evidence[0].target_id: (each, why) for each in found.findings for why in each.why}
    assert len(reasons(found)) == len(told) == len(new)
    for made, (what, (_, expected)) in zip(new, NOT_LEARNED.items(), strict=True):
        each, why = told[made.target_id or ""]
        assert (each.app_id, why.kind, why.severity) == expected, what
        assert (why.uses, why.days, why.first_on, len(why.evidence)) == (1, 1, made.used_on, 1), what


def test_an_application_known_for_another_key_is_new_to_this_one(held: Held) -> None:
    found = held([*daily(), *daily("neighbour", target_id=key("other"))], [use(NEW + 2, "neighbour"), use(NEW, "neighbour")])
    assert reasons(found) == [("neighbour", "new-app", "high")]
    (why,) = one(found).why
    assert why.elsewhere
    noons = [START + day * DAY + DAY // 2 for day in (NEW, NEW + 2)]
    assert (why.uses, why.days, why.first_on, one(found).last_on) == (2, 2, *noons)
    assert [row.used_on for row in why.evidence] == noons


SIGNS_IN = {"operation": "sign-in", "target_kind": "application", "target_id": "graph", "source": "SignIns"}
SHORT = range(LEARNED - 41, LEARNED)
"""One day less than it takes to know that an application always had few networks."""
ELSEWHERE = {"network": "203.0.113.9"}
SECOND: dict[str, tuple[list[dict[str, Any]], str]] = {
    "nothing else": ([{}], "low"),
    "a new program": ([{"client": "curl/8.0"}], "high"),
    "a new program, from the usual network": ([{}, {"network": "10.0.0.1", "client": "curl/8.0"}], "low"),
    "a first operation": ([{}, {"operation": "decrypt"}], "high"),
    "a new credential": ([{}, {**SIGNS_IN, "credential_key_id": "new"}], "high"),
    "the usual credential": ([{}, {**SIGNS_IN, "credential_key_id": "usual"}], "low"),
    "a new version of the key": ([{"version": "b"}], "low"),
    "three keys": ([{"of": name} for name in ("", "x", "y")], "high"),
    "two keys": ([{"of": name} for name in ("", "x")], "low"),
    "twice as many uses as on a day": ([{"uses": 2}], "low"),
    "more": ([{"uses": 3}], "high"),
}
"""By second sign: the uses of one day, from a new network unless they name one; and the severity of that network."""


def test_a_new_network_needs_a_second_sign_before_it_is_known_that_there_are_few(held: Held) -> None:
    def of(day: int, app: str, given: dict[str, Any]) -> Use:
        columns = {name: value for name, value in given.items() if name not in ("of", "version")}
        target = key(f"{app}{given.get('of', '')}".replace(" ", "-"), given.get("version", "a"))
        return use(day, app, **{"target_id": target, **columns})

    usual = [of(day, app, {"of": name}) for day in SHORT for app in SECOND for name in ("", "x", "y")]
    usual += [of(day, app, {**SIGNS_IN, "credential_key_id": "usual"}) for day in SHORT for app in SECOND]
    usual += [use(0, "from the first day", target_id=key("other"))]
    then = [of(NEW, app, {**ELSEWHERE, **given}) for app, (made, _) in SECOND.items() for given in made]
    found = held(usual, then)
    signed = [each for each in found.findings if each.operation == "sign"]
    networks = {(each.app_id, why.severity) for each in signed for why in each.why if why.kind == "new-network"}
    assert networks == {(app, severity) for app, (_, severity) in SECOND.items()}


def test_a_new_network_is_high_once_it_is_known_that_there_are_few(held: Held) -> None:
    long = range(LEARNED - 42, LEARNED)
    secret = {"operation": "read-secret", "target_kind": "secret", "target_id": "https://v.vault.azure.net/secrets/s"}
    usual = [use(day, app, **columns) for day in long for app, columns in (("signs", {}), ("reads", secret))]
    found = held(usual, [use(NEW, "signs", **ELSEWHERE), use(NEW, "reads", **secret, network="203.0.114.9")])
    assert {*reasons(found)} == {("signs", "new-network", "high"), ("reads", "new-network", "high")}


def test_a_network_of_others_is_a_failover(held: Held) -> None:
    found = held([*daily(), *daily("neighbour", network="10.9.9.1")], [use(NEW, network="10.9.9.9")])
    assert reasons(found) == [("app", "new-network", "info")]


def saml(day: int, network: str = "10.0.0.1", **columns: Any) -> Use:
    given = {"operation": "saml-sign-in", "source": "SigninLogs", "target_kind": "application", "target_id": "payroll"}
    return use(day, "", **{**given, "principal_id": "somebody", "network": network, **columns})


def test_users_who_always_sign_in_from_the_same_network_are_told_from_another(held: Held) -> None:
    beside = saml(NEW, client="another browser", principal_id="a newcomer", target_id="a new application")
    elsewhere = [saml(NEW, "203.0.113.9"), saml(NEW + 1, "203.0.113.9", succeeded=False)]
    found = held([saml(day) for day in range(LEARNED)], [beside, *elsewhere])
    assert reasons(found) == [("", "new-network", "high")]
    assert [row.principal_id for row in one(found).why[0].evidence] == ["somebody", "somebody"]


def test_a_network_where_only_users_signed_in_is_new_to_a_key(held: Held) -> None:
    usual = [*daily(), *(saml(day, "203.0.113.9") for day in range(LEARNED))]
    assert reasons(held(usual, [use(NEW, network="203.0.113.9")])) == [("app", "new-network", "high")]


def test_addresses_of_one_network_belong_together(held: Held) -> None:
    networks = (
        ("2001:db8:1:2::9", "2001:0DB8:0001:ffff::1", "2001:db8:2::9"),
        ("2001:db8::5", "2001:db8:0:8:9:a:b:c", "2001:db8:5::"),
        ("::1", "0:0:0:1:2:3:4:5", "0:0:1::"),
        ("::ffff:10.1.2.3", "10.1.2.200", "10.1.3.3"),
    )
    usual = [each for known, *_ in networks for each in daily(known, network=known)]
    found = held(usual, [use(NEW, known, network=each) for known, *then in networks for each in then])
    evidence = {each.app_id: [row.network for why in each.why for row in why.evidence] for each in found.findings}
    assert evidence == {known: [other] for known, _, other in networks}


def test_a_key_that_was_replaced_is_found_when_it_returns(held: Held) -> None:
    old, new = key("k", "a"), key("k", "b")
    usual = [*(use(day, target_id=old) for day in range(12)), *(use(day, target_id=new) for day in range(9, LEARNED))]
    found = held(usual, [use(NEW, target_id=old), use(NEW, target_id=new)])
    assert reasons(found) == [("app", "returned-key", "high")]
    assert one(found).why[0].values == ("a" * 32,)


def test_keys_that_are_in_turn_belong(held: Held) -> None:
    old, new = key("k", "a"), key("k", "b")
    usual = [*(use(day, target_id=old) for day in range(20)), *(use(day, target_id=new) for day in range(LEARNED))]
    assert reasons(held(usual, [use(NEW, target_id=old)])) == []


def test_another_key_takes_no_keys_place(held: Held) -> None:
    seldom = {"target_id": key("seldom", "c")}
    usual = [*(use(day, **seldom) for day in range(5)), *(use(day) for day in range(6, LEARNED))]
    assert reasons(held(usual, [use(NEW, **seldom)])) == []


def test_old_keys_may_still_decrypt(held: Held) -> None:
    old, new = key("k", "a"), key("k", "b")
    usual = [
        *(use(day, target_id=old, operation="decrypt") for day in range(12)),
        *(use(day, target_id=new, operation="decrypt") for day in range(12, LEARNED)),
    ]
    assert reasons(held(usual, [use(NEW, target_id=old, operation="decrypt")])) == []


def test_a_replaced_credential_is_found_wherever_it_signs_in(held: Held) -> None:
    usual = [use(day, **SIGNS_IN, credential_key_id="old" if day < 10 else "new") for day in range(LEARNED)]
    found = held(usual, [use(NEW, **{**SIGNS_IN, "target_id": "exchange"}, credential_key_id="old")])
    assert ("app", "returned-key", "high") in reasons(found)


def test_many_mailboxes_in_one_day(held: Held) -> None:
    def boxes(day: int, app: str, count: int) -> list[Use]:
        return [mail(day, app, f"m{number}@contoso.example") for number in range(count)]

    apps = {"3 to 19": (3, 19), "3 to 20": (3, 20), "10 to 30": (10, 30), "10 to 31": (10, 31)}
    usual = [each for app, (few, _) in apps.items() for day in range(LEARNED) for each in boxes(day, app, few)]
    then = [each for app, (_, many) in apps.items() for each in (*boxes(NEW - 1, app, 2), *boxes(NEW, app, many))]
    found = held(usual, then)
    told = {each.app_id: each.why for each in found.findings}
    assert set(told) == {"3 to 20", "10 to 31"}
    for app, (why,) in told.items():
        few, many = apps[app]
        assert (why.kind, why.count, why.usual, why.severity) == ("many-mailboxes", many, few, "high")
        assert (why.uses, why.days) == (many, 1)
        assert {row.used_on // DAY for row in why.evidence} == {START // DAY + NEW}


def test_mailboxes_are_known_by_their_domain(held: Held) -> None:
    usual = [mail(day) for day in range(LEARNED)]
    found = held(usual, [mail(NEW, mailbox="newcomer@contoso.example"), mail(NEW, mailbox="a@fabrikam.example")])
    assert reasons(found) == [("app", "new-target", "low")]
    assert one(found).target == "fabrikam.example"


def test_what_was_refused_makes_nobody_usual(held: Held) -> None:
    found = held([*daily(), *daily("prober", succeeded=False)], [use(NEW, "prober")])
    assert reasons(found) == [("prober", "new-app", "high")]


def test_whoever_is_not_said_to_be_let_in_is_not_usual(held: Held) -> None:
    undecided = daily("somebody", succeeded=None, unknown={"succeeded": "not_supplied"})
    assert reasons(held([*daily(), *undecided], [use(NEW, "somebody")])) == [("somebody", "new-app", "high")]


def test_what_is_not_listed_is_counted(held: Held) -> None:
    found = held(daily(), [use(NEW, f"stranger {number}") for number in range(10_002)])
    assert len(found.findings) == 10_000
    assert [(each.blind, each.count) for each in found.unseen if each.blind is Blind.TOO_MANY] == [(Blind.TOO_MANY, 2)]


def announced(operation: str, until: int, target: str = "*", app: str = "stranger") -> Accepted:
    ends = START + (until + 1) * DAY
    return Accepted(
        app_id=app, operation=operation, target=Glob(target), owner="o", reason="r", ends=ends, place="accept.yaml:3"
    )


def test_announcements_cover_what_they_say(held: Held) -> None:
    covering = [announced("sign", NEW, app="until then"), announced("sign", NEW, "*/keys/k", app="of this key")]
    others = [
        announced("sign", NEW - 1, app="until the day before"),
        announced("decrypt", NEW, app="of another operation"),
        announced("sign", NEW, "*/keys/other", app="of another key"),
    ]
    strangers = [use(NEW, each.app_id or "") for each in (*covering, *others)]
    found = held(daily(), [*daily_after(), *strangers], [*covering, *others])
    assert {each.app_id: each.accepted for each in found.findings} == {
        **{each.app_id: each for each in covering},
        **{each.app_id: None for each in others},
    }
    assert found.unused == tuple(others)
    assert found.failing == len(others)


OFFICE, THIEF = "192.0.2.9", "203.0.113.9"


def office(app: str | None = None, since: int = NEW, most: int = 0) -> Accepted:
    """The announcement of an office's network, for one application or for any."""
    named = announced("read-mail", NEW, app="")
    networks = (ip_network("192.0.2.0/24"),)
    return structs.replace(named, app_id=app, since=START + since * DAY, networks=networks, mailboxes=most)


ANNOUNCED_NETWORKS: dict[str, tuple[Accepted, str, bool]] = {
    "the network": (office(), OFFICE, True),
    "another network": (office(), THIEF, False),
    "the application and the network": (office(OUTLOOK), OFFICE, True),
    "the application from another network": (office(OUTLOOK), THIEF, False),
    "another application": (office(VIVA), OFFICE, False),
    "only the application": (announced("read-mail", NEW, app=OUTLOOK), OFFICE, False),
    "from tomorrow": (office(since=NEW + 1), OFFICE, False),
    "as many mailboxes": (office(most=10), OFFICE, True),
    "fewer": (office(most=9), OFFICE, False),
}
"""By announcement: from where an application that is in daily use reads ten mailboxes, and whether that is covered."""


@pytest.mark.parametrize("what", ANNOUNCED_NETWORKS)
def test_an_announcement_covers_the_networks_that_it_names(held: Held, what: str) -> None:
    accepted, network, covered = ANNOUNCED_NETWORKS[what]
    boxes = [f"m{number}@contoso.example" for number in range(10)]
    usual = [mail(day, OUTLOOK, box, principal_id=box) for day in range(LEARNED) for box in boxes]
    found = held(usual, [mail(NEW, OUTLOOK, box, principal_id=box, network=network) for box in boxes], [accepted])
    assert [each for each, *_ in reasons(found)] == [OUTLOOK] * 2
    assert (one(found).severity, one(found).accepted is not None, found.failing) == ("high", covered, not covered)


@pytest.mark.parametrize(("networks", "failing"), [((OFFICE,), 0), ((OFFICE, THIEF), 1)])
def test_an_announced_application_is_covered_only_from_its_networks(held: Held, networks: Sequence[str], failing: int) -> None:
    accepted = structs.replace(office("stranger"), operation="sign")
    usual = [*daily(), *daily("neighbour", network=THIEF)]
    assert held(usual, [use(NEW, "stranger", network=each) for each in networks], [accepted]).failing == failing


def test_an_announcement_is_not_called_unused_where_something_is_unseen(held: Held) -> None:
    found = held(daily(), [*daily_after(), mail(NEW)], [announced("decrypt", NEW)])
    assert Blind.NEW_SOURCE in {each.blind for each in found.unseen}
    assert found.unused == ()


def test_announcing_an_application_does_not_announce_mass_reading(held: Held) -> None:
    accepted = announced("read-mail", NEW)
    read = [mail(NEW, "stranger", f"m{number}@contoso.example") for number in range(20)]
    found = held([mail(day) for day in range(LEARNED)], read, [accepted])
    assert (one(found).accepted, found.failing) == (None, 1)


@pytest.mark.parametrize(("most", "covered"), [(19, False), (20, True)])
def test_an_announcement_covers_as_many_mailboxes_as_it_says(held: Held, most: int, covered: bool) -> None:
    accepted = structs.replace(announced("read-mail", NEW), mailboxes=most)
    read = [mail(NEW, "stranger", f"m{number}@contoso.example") for number in range(20)]
    found = held([mail(day) for day in range(LEARNED)], read, [accepted])
    assert (one(found).accepted is not None, found.failing) == (covered, not covered)


def test_every_day_of_mass_reading_is_counted(held: Held) -> None:
    usual = [mail(day) for day in range(LEARNED)]
    many = [mail(NEW + day, mailbox=f"m{number}@contoso.example") for day in (0, 1) for number in range(20 + day)]
    (why,) = one(held(usual, [*many, mail(NEW + 2)])).why
    assert (why.kind, why.count, why.uses, why.days) == ("many-mailboxes", 21, 41, 2)


@pytest.mark.parametrize(("boxes", "reported"), [(10, ["mailboxes-from-new-network", "new-network"]), (9, ["new-network"])])
def test_mailboxes_that_are_read_slowly_add_up(held: Held, boxes: int, reported: list[str]) -> None:
    usual = [mail(day, OUTLOOK, box := f"m{day % 20}@contoso.example", principal_id=box) for day in range(LEARNED)]
    slowly = [f"m{day % boxes}@contoso.example" for day in range(10)]
    then = [mail(NEW + day, OUTLOOK, box, principal_id=box, network=THIEF) for day, box in enumerate(slowly)]
    whys = one(held(usual, then)).why
    assert [str(why.kind) for why in whys] == reported
    assert (whys[0].uses, whys[0].days, whys[0].severity == "high") == (10, 10, boxes == 10)
    assert [why.count for why in whys if why.kind == "mailboxes-from-new-network"] == [10] * (boxes == 10)


def blind(found: UsageCheck) -> list[tuple[str, str]]:
    return [(each.blind, each.subject) for each in found.unseen]


def test_an_operation_that_was_never_seen_is_found_and_days_of_its_log_may_be_missing(held: Held) -> None:
    found = held(daily(), [*(use(day) for day in range(LEARNED, NEW + 10)), mail(NEW)])
    assert reasons(found) == [("app", "new-operation", "high")]
    assert blind(found) == [(Blind.NEW_SOURCE, "OfficeActivity")]


AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def test_who_works_with_a_tool_is_told_apart_by_its_principal(held: Held) -> None:
    usual = daily(AZURE_CLI, principal_id="admin")
    found = held(usual, [use(NEW, AZURE_CLI, principal_id="admin"), use(NEW, AZURE_CLI, principal_id="visitor")])
    assert reasons(found) == [(AZURE_CLI, "new-principal", "high")]
    assert [row.principal_id for row in one(found).why[0].evidence] == ["visitor"]


def test_a_tool_of_microsofts_is_as_much_a_stranger_as_any_application(held: Held) -> None:
    assert reasons(held(daily(), [use(NEW, AZURE_CLI, principal_id="visitor")])) == [(AZURE_CLI, "new-app", "high")]


def test_a_newcomer_reads_a_mailbox_of_his_own_and_a_delegate_is_listed(held: Held) -> None:
    box = "a@contoso.example"
    usual = [mail(day, OUTLOOK, box, principal_id=box) for day in range(LEARNED)]
    own, others = "new@contoso.example", mail(NEW, OUTLOOK, box, principal_id="delegate@contoso.example")
    assert reasons(held(usual, [mail(NEW, OUTLOOK, own, principal_id=own), others])) == [(OUTLOOK, "new-principal", "medium")]


def test_days_without_a_log_are_missing_where_such_days_always_had_one(held: Held) -> None:
    workdays = [use(day) for day in range(NEW + 10) if day % 7 < 5 and day not in (63, 64)]
    (gap,) = held([], workdays).unseen
    assert (gap.blind, gap.days) == (Blind.MISSING_DAYS, (START + 63 * DAY, START + 64 * DAY))


def test_one_hole_in_what_was_learned_hides_no_later_one(held: Held) -> None:
    holes = {"AuditLogs": (4,), "AZKVAuditLogs": (4, 11)}
    found = held(
        [], [use(day, source=log) for log, gone in holes.items() for day in range(NEW + 10) if day not in (*gone, NEW)]
    )
    assert [(each.subject, each.days) for each in found.unseen] == [("AuditLogs", (START + NEW * DAY,))]


def test_a_log_that_ended_is_missing(held: Held) -> None:
    found = held([*daily(), *(mail(day) for day in range(LEARNED))], [use(day) for day in range(LEARNED, NEW + 10)])
    assert blind(found) == [(Blind.ABSENT_SOURCE, "OfficeActivity")]


def test_a_log_that_was_learned_for_less_than_four_weeks_has_no_rhythm(held: Held) -> None:
    days = {"AuditLogs": 14, "OfficeActivity": 27, "SigninLogs": 28}
    found = held(
        [*daily(), *(use(day, source=log) for log, least in days.items() for day in range(LEARNED - least, LEARNED))],
        [use(day, source=log) for log in ("AZKVAuditLogs", *days) for day in range(LEARNED, NEW + 10)],
    )
    assert blind(found) == [(Blind.NO_RHYTHM, "AuditLogs"), (Blind.NO_RHYTHM, "OfficeActivity")]


def test_logs_that_name_no_tenant_are_not_said_to_be_of_the_baselines(tmp_path: Path, learned: Learned) -> None:
    usual = learned(daily())
    assert usual.tenant_id
    then = store(tmp_path / "then", [use(NEW)], tenant=None)
    assert check(then, Window(since=START + NEW * DAY, until=START + (NEW + 1) * DAY), usual).tenant_id is None


def test_throttled_mailboxes_are_unknown(held: Held) -> None:
    boxes = [mail(day) for day in range(NEW + 10)]
    found = held(boxes, [mail(day, mailbox="b@contoso.example", throttled=True) for day in (3, NEW)])
    (gap,) = found.unseen
    assert (gap.blind, gap.subject, gap.days) == (Blind.THROTTLED, "b@contoso.example", (START + NEW * DAY,))
    assert (found.exit, found.failing) == (3, 0)


def untold(day: int, column: str) -> Use:
    found = use(day, client_app_id="caller")
    setattr(found, column, None)
    found.unknown = {column: "not_supplied"}
    return found


def test_a_column_that_was_not_exported_is_unknown_and_not_new(held: Held) -> None:
    columns = ("actor_app_id", "client", "client_app_id", "network", "target_id")
    usual, after = daily(client_app_id="caller"), daily_after(client_app_id="caller")
    found = held(usual, [*after, *(untold(NEW, column) for column in columns)])
    assert reasons(found) == []
    assert [(each.blind, each.subject, each.count) for each in found.unseen] == [
        (Blind.NOT_TOLD, f"{column} of AZKVAuditLogs", 1) for column in columns
    ]


def test_a_privileged_change_is_reported_though_the_log_does_not_say_of_what_or_by_whom(held: Held) -> None:
    change = {"source": "AuditLogs", "operation": "change-federation", "target_kind": "domain", "privileged": True}
    made = untold(NEW, "target_id")
    for name, value in change.items():
        setattr(made, name, value)
    made.actor_app_id, made.unknown = None, {"target_id": "not_supplied", "actor_app_id": "not_supplied"}
    found = held([*daily(), use(1, "", **change)], [*daily_after(), made])
    assert ("", "privileged", "high") in reasons(found)
    assert (Blind.NOT_TOLD, "target_id of AuditLogs") in blind(found)


def daily_after(**columns: object) -> list[Use]:
    return [use(day, "app", **columns) for day in range(LEARNED, NEW + 10)]


@pytest.mark.parametrize(
    ("file", "expected"),
    [((False, 0), [Blind.INCOMPLETE_FILE]), ((True, 3), [Blind.BAD_LINES]), ((True, 0), [])],
)
def test_files_that_are_not_whole_are_unknown(
    tmp_path: Path, learned: Learned, file: tuple[bool, int], expected: list[Blind]
) -> None:
    then = store(tmp_path / "then", [use(NEW)], complete=file[0], quarantined=file[1])
    window = Window(since=START + NEW * DAY, until=START + (NEW + 1) * DAY)
    found = check(then, window, learned(daily()))
    assert [each.blind for each in found.unseen] == expected
