"""What does not belong: each kind of reason found, and what is usual left alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from keyaudit.inventory.logs import Use
from keyaudit.inventory.usage.baseline import open_baseline
from keyaudit.inventory.usage.check import check
from keyaudit.inventory.usage.learn import learn
from keyaudit.model.times import DAY
from keyaudit.model.usage import Accepted, Blind, Unusual, UsageCheck, Window
from keyaudit.model.waivers import Glob
from tests.logs import START, mail, store, use

LEARNED = 56
"""Days, eight weeks."""
NEW = 60
"""A day that was not learned from."""
OUTLOOK = "d3590ed6-52b3-4102-aeff-aad2292ab01c"
VIVA = "fe93bfe1-7947-460a-a5e0-7a5906b51360"

Held = Callable[..., UsageCheck]


@pytest.fixture
def held(tmp_path: Path) -> Held:
    """Learns from some uses and looks at others, of days after them."""

    def run(usual: Sequence[Use], then: Sequence[Use], accepted: Sequence[Accepted] = (), until: int = NEW + 10) -> UsageCheck:
        logs = store(tmp_path / "logs", [*usual, *then])
        folder = tmp_path / "baseline"
        folder.mkdir()
        learn(logs, Window(since=START, until=START + LEARNED * DAY), into=folder)
        window = Window(since=START + LEARNED * DAY, until=START + until * DAY)
        return check(logs, window, open_baseline(folder), accepted=accepted)

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


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        pytest.param(use(NEW, "stranger"), ("stranger", "new-app", "high"), id="an application that nobody knows"),
        pytest.param(use(NEW, ""), ("", "new-app", "high"), id="no application, where one was always named"),
        pytest.param(use(NEW, VIVA), (VIVA, "new-app", "medium"), id="Microsoft's own"),
        pytest.param(use(NEW, "stranger", succeeded=False), ("stranger", "new-app", "medium"), id="refused"),
        pytest.param(
            use(NEW, target_id="https://v.vault.azure.net/keys/other/" + "a" * 32), ("app", "new-target", "low"), id="a new key"
        ),
        pytest.param(use(NEW, client_app_id="caller"), ("app", "new-client-app", "high"), id="a new client application"),
        pytest.param(use(NEW, client_app_id=OUTLOOK), ("app", "new-client-app", "medium"), id="a client of Microsoft's"),
        pytest.param(use(NEW, network="10.9.9.9"), ("app", "new-network", "low"), id="a new network"),
        pytest.param(use(NEW, client="curl/8.0"), ("app", "new-client", "info"), id="a new program"),
        pytest.param(
            use(NEW, target_id="https://v.vault.azure.net/keys/k/" + "b" * 32), ("app", "new-key", "info"), id="a new version"
        ),
        pytest.param(use(NEW, operation="decrypt"), ("app", "new-operation", "high"), id="an operation that nobody did"),
        pytest.param(use(NEW, operation="verify"), ("app", "new-operation", "medium"), id="a harmless one that nobody did"),
        pytest.param(use(NEW, principal_id="visitor"), ("app", "new-principal", "high"), id="a principal that is new here"),
    ],
)
def test_what_was_not_learned_is_found(held: Held, new: Use, expected: tuple[str, str, str]) -> None:
    found = held(daily(), [use(NEW), new])
    assert reasons(found) == [expected]
    (why,) = one(found).why
    assert (why.uses, why.days, why.first_on) == (1, 1, new.used_on)
    assert [row.target_id for row in why.evidence] == [new.target_id]


def test_an_application_known_for_another_key_is_new_to_this_one(held: Held) -> None:
    other = "https://v.vault.azure.net/keys/other/" + "a" * 32
    found = held([*daily(), *daily("neighbour", target_id=other)], [use(NEW, "neighbour")])
    assert reasons(found) == [("neighbour", "new-app", "high")]
    assert one(found).why[0].elsewhere


def test_a_network_of_others_is_a_failover(held: Held) -> None:
    found = held([*daily(), *daily("neighbour", network="10.9.9.1")], [use(NEW, network="10.9.9.9")])
    assert reasons(found) == [("app", "new-network", "info")]


@pytest.mark.parametrize(
    ("known", "same", "other"),
    [
        ("2001:db8:1:2::9", "2001:0DB8:0001:ffff::1", "2001:db8:2::9"),
        ("2001:db8::5", "2001:db8:0:8:9:a:b:c", "2001:db8:5::"),
        ("::1", "0:0:0:1:2:3:4:5", "0:0:1::"),
        ("::ffff:10.1.2.3", "10.1.2.200", "10.1.3.3"),
    ],
)
def test_addresses_of_one_network_belong_together(held: Held, known: str, same: str, other: str) -> None:
    found = held(daily(network=known), [use(NEW, network=same), use(NEW, network=other)])
    assert [row.network for row in one(found).why[0].evidence] == [other]


def test_a_key_that_was_replaced_is_found_when_it_returns(held: Held) -> None:
    old, new = ("https://v.vault.azure.net/keys/k/" + letter * 32 for letter in "ab")
    usual = [*(use(day, target_id=old) for day in range(12)), *(use(day, target_id=new) for day in range(9, LEARNED))]
    found = held(usual, [use(NEW, target_id=old), use(NEW, target_id=new)])
    assert reasons(found) == [("app", "returned-key", "high")]
    assert one(found).why[0].values == ("a" * 32,)


def test_keys_that_are_in_turn_belong(held: Held) -> None:
    old, new = ("https://v.vault.azure.net/keys/k/" + letter * 32 for letter in "ab")
    usual = [*(use(day, target_id=old) for day in range(20)), *(use(day, target_id=new) for day in range(LEARNED))]
    assert reasons(held(usual, [use(NEW, target_id=old)])) == []


def test_another_key_takes_no_keys_place(held: Held) -> None:
    seldom = {"target_id": "https://v.vault.azure.net/keys/seldom/" + "c" * 32}
    usual = [*(use(day, **seldom) for day in range(5)), *(use(day) for day in range(6, LEARNED))]
    assert reasons(held(usual, [use(NEW, **seldom)])) == []


def test_old_keys_may_still_decrypt(held: Held) -> None:
    old, new = ("https://v.vault.azure.net/keys/k/" + letter * 32 for letter in "ab")
    usual = [
        *(use(day, target_id=old, operation="decrypt") for day in range(12)),
        *(use(day, target_id=new, operation="decrypt") for day in range(12, LEARNED)),
    ]
    assert reasons(held(usual, [use(NEW, target_id=old, operation="decrypt")])) == []


def test_a_replaced_credential_is_found_wherever_it_signs_in(held: Held) -> None:
    signs_in = {"operation": "sign-in", "target_kind": "application", "target_id": "graph", "source": "SignIns"}
    usual = [use(day, **signs_in, credential_key_id="old" if day < 10 else "new") for day in range(LEARNED)]
    found = held(usual, [use(NEW, **{**signs_in, "target_id": "exchange"}, credential_key_id="old")])
    assert ("app", "returned-key", "high") in reasons(found)


@pytest.mark.parametrize(
    ("usual", "then", "kinds"), [(3, 19, []), (3, 20, ["many-mailboxes"]), (10, 30, []), (10, 31, ["many-mailboxes"])]
)
def test_many_mailboxes_in_one_day(held: Held, usual: int, then: int, kinds: list[str]) -> None:
    def boxes(day: int, count: int) -> list[Use]:
        return [mail(day, mailbox=f"m{number}@contoso.example") for number in range(count)]

    found = held([each for day in range(LEARNED) for each in boxes(day, usual)], [*boxes(NEW - 1, 2), *boxes(NEW, then)])
    assert [kind for _, kind, _ in reasons(found)] == kinds
    for why in (each for finding in found.findings for each in finding.why):
        assert (why.count, why.usual, why.severity, why.uses, why.days) == (then, usual, "high", then, 1)
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


def announced(operation: str, until: int, target: str = "*") -> Accepted:
    ends = START + (until + 1) * DAY
    return Accepted(
        app_id="stranger", operation=operation, target=Glob(target), owner="o", reason="r", ends=ends, place="accept.yaml:3"
    )


@pytest.mark.parametrize(
    ("announcement", "covered"),
    [
        (announced("sign", NEW), True),
        (announced("sign", NEW - 1), False),
        (announced("decrypt", NEW), False),
        (announced("sign", NEW, "*/keys/k"), True),
        (announced("sign", NEW, "*/keys/other"), False),
    ],
)
def test_announcements_cover_what_they_say(held: Held, announcement: Accepted, covered: bool) -> None:
    found = held(daily(), [*daily_after(), use(NEW, "stranger")], [announcement])
    assert (one(found).accepted is not None) is covered
    assert found.unused == (() if covered else (announcement,))
    assert found.failing == (not covered)


def test_an_announcement_is_not_called_unused_where_something_is_unseen(held: Held) -> None:
    found = held(daily(), [*daily_after(), mail(NEW)], [announced("decrypt", NEW)])
    assert Blind.NEW_SOURCE in {each.blind for each in found.unseen}
    assert found.unused == ()


def test_announcing_an_application_does_not_announce_mass_reading(held: Held) -> None:
    accepted = announced("read-mail", NEW)
    read = [mail(NEW, "stranger", f"m{number}@contoso.example") for number in range(20)]
    found = held([mail(day) for day in range(LEARNED)], read, [accepted])
    assert (one(found).accepted, found.failing) == (None, 1)


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


@pytest.mark.parametrize(("holes", "expected"), [((4,), True), ((4, 11), False)])
def test_one_hole_in_what_was_learned_hides_no_later_one(held: Held, holes: tuple[int, ...], expected: bool) -> None:
    found = held([], [use(day) for day in range(NEW + 10) if day not in (*holes, NEW)])
    assert [each.days for each in found.unseen] == [(START + NEW * DAY,)] * expected


def test_a_log_that_ended_is_missing(held: Held) -> None:
    found = held([*daily(), *(mail(day) for day in range(LEARNED))], [use(day) for day in range(LEARNED, NEW + 10)])
    assert blind(found) == [(Blind.ABSENT_SOURCE, "OfficeActivity")]


@pytest.mark.parametrize(("days", "expected"), [(14, True), (27, True), (28, False)])
def test_a_log_that_was_learned_for_less_than_four_weeks_has_no_rhythm(held: Held, days: int, expected: bool) -> None:
    found = held(
        [*daily(), *(mail(day) for day in range(LEARNED - days, LEARNED))],
        [f(day) for day in range(LEARNED, NEW + 10) for f in (use, mail)],
    )
    assert blind(found) == [(Blind.NO_RHYTHM, "OfficeActivity")] * expected


def test_logs_that_name_no_tenant_are_not_said_to_be_of_the_baselines(tmp_path: Path) -> None:
    (tmp_path / "baseline").mkdir()
    window = Window(since=START, until=START + LEARNED * DAY)
    usual = store(tmp_path / "usual", daily())
    assert learn(usual, window, into=tmp_path / "baseline").tenant_id
    then = store(tmp_path / "then", daily(), tenant=None)
    assert check(then, window, open_baseline(tmp_path / "baseline")).tenant_id is None


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


@pytest.mark.parametrize("column", ["actor_app_id", "target_id", "client_app_id", "network", "client"])
def test_a_column_that_was_not_exported_is_unknown_and_not_new(held: Held, column: str) -> None:
    found = held(daily(client_app_id="caller"), [*daily_after(client_app_id="caller"), untold(NEW, column)])
    assert reasons(found) == []
    assert [(each.blind, each.subject, each.count) for each in found.unseen] == [
        (Blind.NOT_TOLD, f"{column} of AZKVAuditLogs", 1)
    ]


def daily_after(**columns: object) -> list[Use]:
    return [use(day, "app", **columns) for day in range(LEARNED, NEW + 10)]


@pytest.mark.parametrize(
    ("file", "expected"),
    [((False, 0), [Blind.INCOMPLETE_FILE]), ((True, 3), [Blind.BAD_LINES]), ((True, 0), [])],
)
def test_files_that_are_not_whole_are_unknown(tmp_path: Path, file: tuple[bool, int], expected: list[Blind]) -> None:
    (tmp_path / "baseline").mkdir()
    usual = store(tmp_path / "usual", daily())
    learn(usual, Window(since=START, until=START + LEARNED * DAY), into=tmp_path / "baseline")
    then = store(tmp_path / "then", [use(NEW)], complete=file[0], quarantined=file[1])
    window = Window(since=START + NEW * DAY, until=START + (NEW + 1) * DAY)
    found = check(then, window, open_baseline(tmp_path / "baseline"))
    assert [each.blind for each in found.unseen] == expected
