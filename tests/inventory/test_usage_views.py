"""What logs make of keys, certificates and uses: certain where a record shows it, or where nothing that would is missing."""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

import pytest
from msgspec import structs

from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key_use import USES_FOUND
from keyaudit.model.values.times import DAY
from tests.inventory.sample import (
    AS_OF,
    RUN,
    TENANT,
    Found,
    Row,
    assessed,
    fetch,
    in_memory,
    key,
    refused,
    row,
    seen,
    vault,
    vault_scope,
)

KV = vault_scope("kv")
READ = {
    KV: assessed(KV, "key.list", "key.versions"),
    TENANT: assessed(TENANT, "subscription.list", "vault.query", *USES_FOUND[1:], "service_principal.list"),
}
KEY, VERSION = "https://kv.vault.azure.net/keys/k", "https://kv.vault.azure.net/keys/k/1"
NOT_SHOWN, PERMISSION = Reason.NOT_SUPPLIED, Reason.PERMISSION


def ago(days: float) -> int:
    return AS_OF - int(days * DAY)


def used(days: float, operation: str = "sign", **values: Any) -> Row:
    """A use so many days ago."""
    given: dict[str, Any] = {
        "operation": operation,
        "used_on": ago(days),
        "succeeded": True,
        "actor_app_id": "app",
        "target_kind": "key",
        "target_id": VERSION,
        "source": "AZKVAuditLogs",
        "scope_id": KV.id,
        **values,
    }
    return row("usage", f"{days} {sorted(map(str, given.items()))}", **given)


def log(
    since: float | None, last: float = 1, logged: str = KV.id, source: str = "AZKVAuditLogs", *, learned: bool | None = None
) -> Row:
    """A log that is whole since so many days ago, up to `last`."""
    whole = None if since is None else ago(since)
    columns = {
        "source": source,
        "logged_id": logged,
        "first_on": 0,
        "last_on": ago(last),
        "whole_since": whole,
        "learned": learned,
    }
    return row("usage_log", f"{source} {logged}", scope_id=TENANT.id, **columns)


def usual(operation: str, app: str | None, target: str = KEY, client: str | None = None, **values: Any) -> Row:
    """Something that the baseline knows."""
    given: dict[str, Any] = {
        "target_kind": "key",
        "target_class": target,
        "app_id": app,
        "facet": "client-app" if client else "app",
        "value": client or "",
        "mailboxes": 0,
        "uses": 90,
        "days": 90,
        "first_on": ago(99),
        "last_on": ago(9),
        "learned_until": ago(9),
    }
    id_ = f"{operation} {app} {target} {client}"
    return row("usage_baseline", id_, scope_id=TENANT.id, operation=operation, **(given | values))


def views(table: str, rows: Mapping[str, Iterable[Row]], *, baseline: bool = True, where: str = "true") -> list[Found]:
    """The view's rows by id, of a snapshot to which logs were supplied; of uses those that somebody logged."""
    if table == "usage" and where == "true":
        where = "name IS NULL"
    evidence = {"logs": "0" * 64, **({"usage-baseline": "1" * 64} if baseline else {})}
    run = structs.replace(RUN, evidence=evidence)
    every = {"vault": [vault(vault_uri="https://kv.vault.azure.net")], **{name: list(of) for name, of in rows.items()}}
    if table in every and where == "true":
        return sorted(seen(table, every, READ, run=run), key=itemgetter("id"))
    with in_memory(every, READ, table, run=run) as connection:
        found: list[Found] = [*fetch(connection, f"SELECT * FROM {table} WHERE {where} ORDER BY id")]
    return found


def of_key(uses: Iterable[Row], logs: Iterable[Row], **values: Any) -> Found:
    """The one version of the key, made 400 days ago, which ended 100 days ago unless it says otherwise."""
    given: dict[str, Any] = {"created_on": ago(400), "expires_on": ago(100), "key_ops": ["sign"], "is_current": True, **values}
    [found] = views("key", {"key": [key("1", **given)], "usage": uses, "usage_log": logs})
    return found


WHOLE = [log(500)]
UNKNOWN = "unknown"
LAST_USE: list[tuple[list[Row], list[Row], object, float | None]] = [
    # By uses and logs: the last use in days, and since when it surely was not used.
    ([used(20), used(30)], WHOLE, 20, 20),
    ([used(20)], [log(20)], 20, 20),
    # After the last use that it shows, some of the log is missing.
    ([used(20)], [log(19)], UNKNOWN, 19),
    ([used(20)], [log(None)], UNKNOWN, None),
    ([used(20)], [], UNKNOWN, None),
    ([used(20)], [log(500, logged=vault_scope("other").id)], UNKNOWN, None),
    # A log that ended a week ago goes on up to now, and no other.
    ([used(20)], [log(500, last=8)], 20, 20),
    ([used(20)], [log(500, last=9)], UNKNOWN, None),
    # Known by its address, where the export does not name the resource.
    ([used(20)], [log(500, logged="https://kv.vault.azure.net")], 20, 20),
    # Whole since it was made, and only then, that it shows no use says that there was none.
    ([], WHOLE, None, 400),
    ([], [log(400)], None, 400),
    ([], [log(399)], UNKNOWN, 399),
    ([], [log(30)], UNKNOWN, 30),
    # What was refused, copied, or done with another version is no use of it.
    ([used(20), used(5, succeeded=False), used(5, "backup"), used(5, target_id=f"{KEY}/2")], WHOLE, 20, 20),
    # The log does not show whether it was let in, or its version.
    ([used(20), used(5, succeeded=NOT_SHOWN)], WHOLE, UNKNOWN, 5),
    ([used(20), used(5, target_id=KEY)], WHOLE, UNKNOWN, 5),
    ([used(20), used(25, succeeded=NOT_SHOWN)], WHOLE, 20, 20),
    ([used(5, succeeded=NOT_SHOWN)], WHOLE, UNKNOWN, 5),
    # The log does not show which key it was, which matters only if it was later.
    ([used(20), used(5, target_id=NOT_SHOWN)], WHOLE, UNKNOWN, 5),
    ([used(20), used(25, target_id=NOT_SHOWN)], WHOLE, 20, 20),
    ([used(20), used(5, "backup", target_id=NOT_SHOWN)], WHOLE, 20, 20),
]


@pytest.mark.parametrize(("uses", "logs", "last", "since"), LAST_USE)
def test_the_last_use_of_a_version(uses: list[Row], logs: list[Row], last: object, since: float | None) -> None:
    found = of_key(uses, logs)
    assert found["unknown"].get("last_used_on") == (NOT_SHOWN if last == UNKNOWN else None)
    assert found["last_used_on"] == (ago(last) if isinstance(last, int) else None)
    assert found["unused_since"] == (None if since is None else ago(since))
    assert found["unknown"].get("unused_since") == (NOT_SHOWN if since is None else None)


def test_of_a_version_of_which_nobody_knows_since_when_it_is_there_no_log_is_long_enough() -> None:
    assert of_key([], WHOLE, created_on=None)["unknown"]["last_used_on"] == NOT_SHOWN
    assert of_key([], WHOLE, created_on=PERMISSION)["unknown"]["last_used_on"] == PERMISSION
    assert of_key([], WHOLE, created_on=PERMISSION)["unknown"]["unused_since"] == PERMISSION
    assert of_key([used(20)], WHOLE, created_on=PERMISSION)["last_used_on"] == ago(20)
    assert of_key([used(20)], WHOLE, created_on=PERMISSION)["unused_since"] == ago(20)


@pytest.mark.parametrize(
    ("uses", "logs", "expires_on", "after"),
    [
        ([used(99)], [], ago(100), True),
        ([used(100)], WHOLE, ago(100), False),
        ([used(120)], [log(100)], ago(100), False),
        ([used(120)], [log(99)], ago(100), None),
        ([], [], ago(100), None),
        ([used(50, succeeded=NOT_SHOWN)], WHOLE, ago(100), None),
        ([used(50, target_id=KEY)], WHOLE, ago(100), None),
        ([used(50, target_id=KEY), used(40)], [], ago(100), True),
        ([used(50)], [], None, False),
        ([used(50)], WHOLE, PERMISSION, None),
    ],
)
def test_a_use_after_the_end_is_certain_as_soon_as_one_record_shows_it(
    uses: list[Row], logs: list[Row], expires_on: object, after: bool | None
) -> None:
    found = of_key(uses, logs, expires_on=expires_on)
    assert (found["used_after_expiry"], "used_after_expiry" in found["unknown"]) == (after, after is None)


@pytest.mark.parametrize(
    ("uses", "logs", "bounds"),
    [
        ([used(3), used(4), used(5, actor_app_id="b")], WHOLE, (2, 2)),
        ([used(3), used(31, actor_app_id="b"), used(3, "verify", actor_app_id="c")], [log(30)], (1, 1)),
        # Of whichever version.
        ([used(3), used(3, target_id=f"{KEY}/2", actor_app_id="b"), used(3, target_id=KEY, actor_app_id="c")], WHOLE, (3, 3)),
        ([used(3)], [log(29)], (1, None)),
        ([used(3)], [], (1, None)),
        ([used(3), used(4, actor_app_id="b", succeeded=NOT_SHOWN)], WHOLE, (1, 2)),
        ([used(3), used(4, actor_app_id=NOT_SHOWN, uses=1)], WHOLE, (1, 2)),
        # It stands for several uses, which may each be of another application.
        ([used(3), used(4, actor_app_id=NOT_SHOWN, uses=2)], WHOLE, (1, None)),
        ([used(3), used(4, target_id=NOT_SHOWN, actor_app_id="b")], WHOLE, (1, 2)),
        ([used(3), used(4, succeeded=False, actor_app_id="b")], WHOLE, (1, 1)),
        ([used(3), used(4, actor_app_id=None), used(5, actor_app_id=None)], WHOLE, (2, 2)),
        ([used(3, "verify")], WHOLE, (0, 0)),
        ([], WHOLE, (0, 0)),
    ],
)
def test_applications_that_signed_are_counted_within_bounds(
    uses: list[Row], logs: list[Row], bounds: tuple[int, int | None]
) -> None:
    found = of_key(uses, logs)
    assert (found["signing_apps_min"], found["signing_apps_max"]) == bounds
    assert ("signing_apps" in found["unknown"]) == (bounds[0] != bounds[1])


_PERSON: dict[str, Any] = {"actor_app_id": None, "principal_id": "admin"}


def test_who_calls_a_vault_is_what_the_logs_show_for_certain() -> None:
    """A record that says less hides none of the others, and another vault's caller is none of this one."""
    elsewhere = KEY.replace("https://kv.", "https://kv2.")
    uses = [
        used(1, network="192.0.2.2"),
        used(2, "get-secret", network="192.0.2.1", target_kind="secret", target_id=KEY.replace("/keys/", "/secrets/")),
        used(29, network="192.0.2.1"),
        used(31, network="192.0.2.3"),
        used(1, network="192.0.2.4", succeeded=False),
        used(1, network="192.0.2.5", succeeded=NOT_SHOWN),
        used(1, network="192.0.2.6", target_id=elsewhere),
        used(1, network=None),
    ]
    [found] = views("vault", {"usage": uses})
    assert (list(found["caller_addresses"]), "caller_addresses" in found["unknown"]) == (["192.0.2.1", "192.0.2.2"], True)
    [found] = views("vault", {"usage": uses[:3]})
    assert (list(found["caller_addresses"]), "caller_addresses" in found["unknown"]) == (["192.0.2.1", "192.0.2.2"], False)


KNOWN = [usual("sign", "app"), usual("sign", "app", client="calls"), usual("sign", "other", f"{KEY}2")]


def test_without_a_baseline_nobody_knows_what_is_expected() -> None:
    [found] = views("usage", {"usage": [used(1)]}, baseline=False)
    assert (found["expected"], found["unknown"]) == (None, {"expected": "not_supplied"} | _of_key_alone(found))
    [tenant] = views("tenant", {"usage": [used(1)], "tenant": [row("tenant", TENANT.id)]}, baseline=False)
    assert (tenant["appid_baseline_on"], "appid_baseline_on" in tenant["unknown"]) == (None, False)
    [tenant] = views("tenant", {"tenant": [row("tenant", TENANT.id)], "usage_baseline": KNOWN})
    assert tenant["appid_baseline_on"] == ago(9)


def _of_key_alone(found: Found) -> dict[str, str]:
    """What is unknown where neither the key nor who used it was read."""
    assert {"environment", "actor_environment", "superseded_on"} <= found["unknown"].keys()
    return dict.fromkeys(("environment", "actor_environment", "superseded_on"), "not_visible")


@pytest.mark.parametrize(
    ("others", "use", "superseded"),
    [
        ([key("2", created_on=ago(100), enabled=True)], used(1), 100),
        ([key("2", created_on=ago(100)), key("3", created_on=ago(50))], used(1), 100),
        ([key("2", created_on=ago(100), enabled=False), key("3", created_on=ago(50))], used(1), 50),
        ([key("2", created_on=ago(500))], used(1), None),
        ([key("2", created_on=ago(100), name="other")], used(1), None),
        ([key("2", created_on=ago(100), enabled=PERMISSION)], used(1), PERMISSION),
        ([key("2", created_on=PERMISSION)], used(1), PERMISSION),
        ([key("2", created_on=ago(100), versions_listed=False)], used(1), Reason.TRUNCATED),
        ([key("2", created_on=ago(100))], used(1, target_id=f"{KEY}/9"), Reason.NOT_VISIBLE),
        ([key("2", created_on=ago(100))], used(1, target_id=KEY), Reason.NOT_VISIBLE),
        ([], used(1, "read-mail", target_kind="mailbox", target_id="x"), None),
    ],
)
def test_a_version_is_superseded_by_the_first_enabled_one_that_came_after_it(
    others: list[Row], use: Row, superseded: object
) -> None:
    [found] = views("usage", {"key": [key("1", created_on=ago(400)), *others], "usage": [use]})
    assert found["superseded_on"] == (ago(superseded) if isinstance(superseded, int) else None)
    assert found["unknown"].get("superseded_on") == (superseded if isinstance(superseded, Reason) else None)


def test_a_version_without_a_date_is_older_than_all_that_have_one() -> None:
    rows = [key("1", created_on=None), key("2", created_on=ago(100)), key("3", created_on=ago(50))]
    [found] = views("usage", {"key": rows, "usage": [used(1)]})
    assert found["superseded_on"] == ago(100)


SIGN_INS = "AADServicePrincipalSignInLogs"


def _added(**values: Any) -> Row:
    given = {"target_kind": "application", "target_id": "x", "credential_key_id": "new", "source": "AuditLogs", **values}
    return used(10, "add-credential", **given)


def _sign_in(days: float, key_id: object, **values: Any) -> Row:
    given = {"target_kind": "application", "target_id": "graph", "source": SIGN_INS, **values}
    return used(days, "sign-in", credential_key_id=key_id, **given)


@pytest.mark.parametrize(
    ("added", "sign_ins", "since", "signed_in"),
    [
        (_added(), [_sign_in(3, "new")], None, True),
        (_added(), [_sign_in(3, "old"), _sign_in(11, "new")], 10, False),
        (_added(), [_sign_in(3, "new", succeeded=False)], 10, False),
        (_added(), [], 9, None),
        (_added(), [], None, None),
        (_added(), [_sign_in(3, NOT_SHOWN)], 10, None),
        (_added(), [_sign_in(3, "new", succeeded=NOT_SHOWN)], 10, None),
        (_added(credential_key_id=NOT_SHOWN), [_sign_in(3, "new")], 10, None),
        (used(10), [], None, False),
    ],
)
def test_a_credential_that_was_added_was_signed_in_with(
    added: Row, sign_ins: list[Row], since: float | None, signed_in: bool | None
) -> None:
    logs = [log(since, logged=TENANT.id, source=SIGN_INS)]
    [found] = [
        each for each in views("usage", {"usage": [added, *sign_ins], "usage_log": logs}) if each["operation"] != "sign-in"
    ]
    assert (found["signed_in_with"], "signed_in_with" in found["unknown"]) == (signed_in, signed_in is None)


def unshown(logs: Iterable[Row], **rows: Iterable[Row]) -> dict[str, Found]:
    """By operation the row for what was not shown."""
    found = views("usage", {"usage": [], "usage_log": logs, **rows}, where="id LIKE '%/unshown/%'")
    return {each["operation"]: each for each in found}


def tenants(since: float | None, source: str, last: float = 1) -> Row:
    return log(since, last, TENANT.id, source)


ACTIVITY = log(60, logged="/".join(KV.id.split("/")[:3]), source="AzureActivity")


@pytest.mark.parametrize(
    ("logs", "until"),
    [
        # Nothing before the day from which on it is whole.
        ([tenants(9, "OfficeActivity")], ago(9) - 1),
        ([tenants(9, "OfficeActivity", 4)], ago(9) - 1),
        # It ended too long ago, is whole from no day on, or is not there.
        ([tenants(9, "OfficeActivity", 5)], AS_OF),
        ([tenants(None, "OfficeActivity")], AS_OF),
        ([tenants(9, "AuditLogs")], AS_OF),
        ([], AS_OF),
    ],
)
def test_what_a_log_does_not_show_may_have_been_done(logs: list[Row], until: int) -> None:
    found = unshown(logs)
    assert {found[operation]["used_on"] for operation in ("read-mail", "change-audit")} == {until}


@pytest.mark.parametrize(
    ("logs", "until"),
    [
        ([log(9), log(20, logged="https://b.vault.azure.net")], ago(9) - 1),
        # One is quiet, and would be missed if it were not: the log as a whole goes on.
        ([log(9), log(20, 15, logged="https://b.vault.azure.net")], ago(9) - 1),
        ([log(9, 5), log(20, 15, logged="https://b.vault.azure.net")], AS_OF),
        # One is not logged at all.
        ([log(9)], AS_OF),
        ([log(9), log(None, logged="https://b.vault.azure.net")], AS_OF),
    ],
)
def test_the_log_of_every_vault_has_to_show_it(logs: list[Row], until: int) -> None:
    both = [vault(), vault("b", vault_uri="https://b.vault.azure.net/")]
    found = unshown(logs, vault=both)
    assert {found[operation]["used_on"] for operation in ("sign", "backup", "read-secret")} == {until}


def test_the_activity_log_of_every_subscription_with_vaults_has_to_show_it() -> None:
    assert unshown([ACTIVITY])["remove-log-settings"]["used_on"] == ago(60) - 1
    elsewhere = vault("b")
    elsewhere["id"] = str(elsewhere["id"]).replace(KV.id.split("/")[2], "00000000-0000-0000-0000-00000000000b")
    found = unshown([ACTIVITY], vault=[vault(), elsewhere])
    assert found["remove-log-settings"]["used_on"] == AS_OF


def test_without_a_vault_nothing_can_be_done_in_one() -> None:
    assert set(unshown([], vault=[])) == {
        *("read-mail", "send-mail", "forward-mail", "grant-mailbox-access", "change-audit", "sign-in"),
        *("saml-sign-in", "device-code-sign-in"),
        *("add-credential", "remove-credential", "add-service-principal", "change-federation"),
        *(
            "grant-permission",
            "add-owner",
            "assign-directory-role",
            "activate-directory-role",
            "restore-application",
            "enable-principal",
        ),
        *("change-trusted-authority", "change-certificate-sign-in"),
    }


@pytest.mark.parametrize(("reason", "there"), [(PERMISSION, True), (Reason.EXCLUDED_BY_CONFIG, False)])
def test_a_vault_that_was_not_seen_may_have_a_log_that_shows_it(reason: Reason, there: bool) -> None:
    rows: dict[str, list[Row]] = {"usage": [], "usage_log": [], "vault": []}
    records = {**READ, TENANT: (refused(TENANT, "subscription.list", reason), *READ[TENANT][1:])}
    run = structs.replace(RUN, evidence={"logs": "0" * 64})
    with in_memory(rows, records, "usage", run=run) as connection:
        found = fetch(connection, "SELECT operation, used_on FROM usage")
    assert ({"sign", "backup", "remove-log-settings"} <= {each["operation"] for each in found}) is there
    assert {each["used_on"] for each in found} == {AS_OF}


def test_of_what_was_not_shown_nothing_is_known_but_when_at_the_latest() -> None:
    found = unshown([])
    known = {"id", "name", "resource_id", "scope_id", "source_url", "source_version", "used_on", "operation", "source"}
    for each in found.values():
        assert {name for name, value in each.items() if value is not None and name != "unknown"} == {*known, "logs_until"}
        assert set(each["unknown"].values()) == {NOT_SHOWN}
        assert {"succeeded", "target_kind", "target_id", "actor_app_id", "expected"} <= set(each["unknown"])
    assert found["sign"]["name"] == "what AZKVAuditLogs does not show"


def test_what_nobody_could_compare_is_a_row_of_its_own_on_the_tenant() -> None:
    found = views("unusual_use", {"usage": [], "usage_log": []})
    assert found
    assert len({each["id"] for each in found}) == len(found)
    assert all(each["name"] and each["source_url"] == "usage import" for each in found)
    assert all(each["id"].startswith(f"{TENANT.id}/usage/unusual/") and each["scope_id"] == TENANT.id for each in found)


def test_what_is_compared_begins_after_all_that_was_learned_and_ends_with_the_last_of_the_logs() -> None:
    rows = {
        "usage": [used(12, actor_app_id="before"), used(5, actor_app_id="after")],
        "usage_log": [log(30), log(30, last=8, logged=TENANT.id, source="AuditLogs")],
        "usage_baseline": [usual("sign", "app"), usual("sign", "other", learned_until=ago(20))],
    }
    assert {each["app_id"] for each in views("unusual_use", rows, where="kind IS NOT NULL")} == {"after"}


def test_from_the_first_moment_on_a_use_that_does_not_tell_its_application_may_be_unusual() -> None:
    def untold(days: float) -> list[str]:
        uses = [used(days, actor_app_id=NOT_SHOWN)]
        rows = {"usage": uses, "usage_log": [log(30)], "usage_baseline": [usual("sign", "app")]}
        names = [str(each["name"]) for each in views("unusual_use", rows, where="kind IS NULL")]
        return [name for name in names if name.startswith("who did each sign")]

    assert untold(9) == ["who did each sign in AZKVAuditLogs"]
    assert untold(9.5) == []


LET_IN, BARRED, UNTOLD = {"succeeded": True}, {"succeeded": False}, {"succeeded": NOT_SHOWN}
UNCOUNTED = {"uses": NOT_SHOWN}


@pytest.mark.parametrize(
    ("found", "risk", "uses", "refused"),
    [
        ([LET_IN, BARRED], "high", 2, 1),
        ([BARRED, BARRED], "medium", 2, 2),
        # If it was refused, it was never let in.
        ([UNTOLD], None, 1, None),
        ([BARRED, UNTOLD], None, 2, None),
        # It was let in once, at least.
        ([LET_IN, UNTOLD], "high", 2, None),
        # Each row stands for an unknown number of uses, which all ended alike.
        ([LET_IN | UNCOUNTED, BARRED], "high", None, 1),
        ([BARRED | UNCOUNTED, BARRED], "medium", None, None),
    ],
)
def test_what_a_log_does_not_say_of_a_use_is_unknown_where_it_matters(
    found: list[dict[str, Any]], risk: str | None, uses: int | None, refused: int | None
) -> None:
    done = [used(2 + nth, actor_app_id="stranger", **{"uses": 1, **values}) for nth, values in enumerate(found)]
    rows = {"usage": done, "usage_log": [log(30)], "usage_baseline": [usual("sign", "app")]}
    [use] = views("unusual_use", rows, where="kind IS NOT NULL")
    told = {name: value for name, value in (("risk", risk), ("uses", uses), ("refused", refused)) if value is not None}
    assert {name: use[name] for name in told} == told
    assert use["unknown"] == dict.fromkeys({"risk", "uses", "refused"} - told.keys(), NOT_SHOWN)
    assert use["notable"]


def test_a_new_target_whose_log_does_not_say_whether_it_was_refused_may_be_nothing_to_note() -> None:
    known = [usual("sign", "app"), usual("sign", "app", f"{KEY}2")]
    done = [used(2, target_id=f"{KEY}3/1", uses=1, **UNTOLD), used(2, target_id=f"{KEY}4/1", uses=1)]
    found = views("unusual_use", {"usage": done, "usage_log": [log(30)], "usage_baseline": known}, where="kind = 'new-target'")
    told = {each["target_class"]: (each["risk"], each["notable"], each["unknown"].get("notable")) for each in found}
    assert told == {f"{KEY}3": (None, None, NOT_SHOWN), f"{KEY}4": ("low", True, None)}


BLUEPRINT, ANOTHER = "b1", "b2"
AGENTS_READ = {
    **READ,
    TENANT: assessed(
        TENANT, "subscription.list", "vault.query", *USES_FOUND[1:], "service_principal.list", "application.list", "agent.list"
    ),
}


def created(hours_ago: float, target: str, *, by: str = "deployer", **values: Any) -> Row:
    """A service principal that somebody created."""
    given = {"target_kind": "service-principal", "target_id": target, "actor_app_id": by, "source": "AuditLogs"}
    return used(hours_ago / 24, "add-service-principal", **given, **values)


def agents_created(uses: Iterable[Row], coverage: Mapping[Any, Any] = AGENTS_READ) -> dict[str, Any]:
    """By target, the blueprint and number, or why they are unknown."""
    agents = [
        row(
            "agent",
            f"{TENANT.id}/serviceprincipals/a{nth}",
            scope_id=TENANT.id,
            object_id=f"a{nth}",
            blueprint_app_id=BLUEPRINT,
        )
        for nth in range(4)
    ]
    blueprints = [
        row("blueprint", f"{TENANT.id}/applications/{app}", scope_id=TENANT.id, app_id=app, home="own")
        for app in (BLUEPRINT, ANOTHER)
    ]
    principal = row("service_principal", f"{TENANT.id}/serviceprincipals/plain", scope_id=TENANT.id, agent_type=None)
    rows = {"usage": list(uses), "agent": agents, "blueprint": blueprints, "service_principal": [principal]}
    run = structs.replace(RUN, evidence={"logs": "0" * 64})
    with in_memory(rows, coverage, "usage", run=run) as connection:
        found: list[dict[str, Any]] = fetch(connection, "SELECT * FROM usage WHERE name IS NULL")
    return {
        each["target_id"]: each["unknown"].get("agents_created", (each["agent_blueprint"], each["agents_created"]))
        for each in found
    }


def test_a_burst_of_agents_has_one_number() -> None:
    assert agents_created([created(30 - nth, f"a{nth}") for nth in range(3)]) == {
        "a0": (BLUEPRINT, None), "a1": (BLUEPRINT, None), "a2": (BLUEPRINT, 3)
    }  # fmt: skip


def test_a_creation_that_may_have_failed_may_be_part_of_a_burst_of_its_day() -> None:
    found = agents_created([created(80, "a0"), created(30, "a1"), created(29, "a2", succeeded=NOT_SHOWN)])
    assert found == {"a0": (BLUEPRINT, None), "a1": NOT_SHOWN, "a2": NOT_SHOWN}


def test_agents_a_day_apart_are_no_burst() -> None:
    found = agents_created([created(80, "a0"), created(56, "a1"), created(32, "a2"), created(31, "a3")])
    assert found == {"a0": (BLUEPRINT, None), "a1": (BLUEPRINT, None), "a2": (BLUEPRINT, None), "a3": (BLUEPRINT, 2)}


def test_a_creation_that_may_have_failed_is_no_part_of_what_came_a_day_before_or_after() -> None:
    found = agents_created([created(80, "a0"), created(56, "a1", succeeded=NOT_SHOWN), created(32, "a2")])
    assert found == {"a0": (BLUEPRINT, None), "a1": NOT_SHOWN, "a2": (BLUEPRINT, 1)}


def test_what_a_blueprint_creates_is_an_agent_of_it_though_it_is_deleted_since() -> None:
    found = agents_created([created(5, "gone", by=ANOTHER), created(4, "a0"), created(3, "plain"), created(2, "deleted")])
    assert found == {"gone": (ANOTHER, 1), "a0": (BLUEPRINT, 1), "plain": (None, None), "deleted": (None, None)}


def test_a_creation_that_failed_does_not_count() -> None:
    assert agents_created([created(5, "a0"), created(4, "a1", succeeded=False)])["a0"] == (BLUEPRINT, 1)


def test_without_the_list_of_agents_a_creation_may_be_one() -> None:
    coverage = {**AGENTS_READ, TENANT: [*READ[TENANT], refused(TENANT, "agent.list", PERMISSION)]}
    found = agents_created([created(5, "new"), created(4, "plain")], coverage)
    assert found == {"new": PERMISSION, "plain": (None, None)}
