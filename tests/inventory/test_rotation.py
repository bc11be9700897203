"""Where one consumer is, by each kind of evidence: what a field or a log proves, and that nothing else is taken for proof."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.ask import ROTATION
from keyaudit.inventory.naming import Names
from keyaudit.inventory.rows import no_rows, stored_types
from keyaudit.model.errors import UsageError
from keyaudit.model.reasons import Reason
from keyaudit.model.tables import TABLES
from keyaudit.model.values.times import DAY
from keyaudit.questions.rotation.answer import Consumer, Follows, Kind, Proof, State, Why
from keyaudit.questions.rotation.evidence.logs import judged
from keyaudit.questions.rotation.evidence.reading import DERIVED, Found, read
from keyaudit.questions.rotation.evidence.views import Views
from tests.inventory.sample import (
    AS_OF,
    RUN,
    TENANT,
    Row,
    application,
    assessed,
    credential,
    in_memory,
    key,
    row,
    vault,
    vault_scope,
)

KV = vault_scope("kv")
HOST = "https://kv.vault.azure.net"
OLD, NEW = "a" * 32, "b" * 32
READ = {
    TENANT: assessed(TENANT, *(name for table in ("credential", "key_use", "vault") for name in TABLES[table].listed_by)),
    KV: assessed(KV, "key.list", "key.versions", "certificate.list", "certificate.versions"),
}
NAMES = (
    *("vault", "key", "certificate", "secret", "credential", "key_use", "application", "service_principal", "blueprint"),
    *("signing_certificate", "issuer_key", "trusted_authority", "trusted_key", "credential_activity", "usage_log", "principal"),
    "secret_use",
)
APP = "5a000000-0000-4000-8000-000000000001"
FIRST, SECOND, THIRD = (f"6a000000-0000-4000-8000-00000000000{number}" for number in range(3))


def asked(name: str, rows: Mapping[str, Iterable[Row]], *, logs: bool = True) -> Found:
    """The answer over these rows, and a vault with a key of two versions, the new one 60 days old."""
    given: dict[str, list[Row]] = {table: list(of) for table, of in rows.items()}
    given.setdefault("vault", [{**vault(vault_uri=f"{HOST}/"), "name": "kv"}])
    given.setdefault("key", keys())
    given.setdefault("usage", []).append(used(200, target_id=f"{HOST}/keys/other/{NEW}"))
    run = replace(RUN, evidence={"logs": "0" * 64, "relying-parties": "1" * 64})
    # The owners of applications are read with a cursor.
    with in_memory(given, READ, *NAMES, run=run, alone="credential" in rows, columns=DERIVED) as connection:
        stored = {
            table: f"stored_{table}" if given.get(table) else f"({no_rows(stored_types(of))})" for table, of in TABLES.items()
        }
        meant = Names(connection, stored).resolve(name, ROTATION.nouns)
        return read(Views(connection, "stored_usage" if logs else None, AS_OF, AS_OF), name, meant)


def keys(made: int = 60, **values: Any) -> list[Row]:
    of_both: Row = {"vault_name": "kv", "is_current": False, "key_ops": ["sign"], "managed": False}
    return [
        key(OLD, created_on=AS_OF - 400 * DAY, **{**of_both, **values}),
        key(NEW, created_on=AS_OF - made * DAY, **{**of_both, **values, "is_current": True}),
    ]


def used(days: float, **values: Any) -> Row:
    given: dict[str, Any] = {
        "operation": "sign",
        "used_on": AS_OF - int(days * DAY),
        "succeeded": True,
        "actor_app_id": "caller",
        "target_kind": "key",
        "target_id": f"{HOST}/keys/k/{OLD}",
        "source": "AZKVAuditLogs",
        "scope_id": KV.id,
        **values,
    }
    return row("usage", f"{days} {sorted(map(str, given.items()))}", **given)


def log(since: int = 90, last: int = 1, logged: str = KV.id, source: str = "AZKVAuditLogs") -> Row:
    columns = {"source": source, "logged_id": logged, "first_on": 0, "last_on": AS_OF - last * DAY}
    whole_since = AS_OF - since * DAY
    return row("usage_log", f"{source} {logged}", scope_id=TENANT.id, whole_since=whole_since, learned=None, **columns)


def service(kind: str = "storage", **values: Any) -> Row:
    defaults: Row = {"scope_id": TENANT.id, "kind": kind, "key_id": f"{HOST}/keys/k", "consumer_id": "/x/one", "pinned": False}
    silent = dict.fromkeys(("version", "version_in_use", "status", "broken", "moving"))
    return row("key_use", "/x/one/encryption", **(defaults | silent | values))


def only(found: Found, kind: Kind) -> Consumer:
    [each] = [each for each in found.consumers if each.kind is kind]
    return each


@pytest.mark.parametrize(
    ("made", "use", "state", "why"),
    [
        # The service reports the version: it is proven, unless its setting names the old one.
        (60, service(version_in_use=NEW), State.MOVED, Why.REPORTS_NEW),
        (60, service(version_in_use=OLD), State.NOT_MOVED, Why.REPORTS_OLD),
        (60, service(pinned=True, version=OLD, version_in_use=NEW), State.NOT_MOVED, Why.NAMES_OLD),
        # Azure Storage looks for a new version every day.
        (0, service(version_in_use=OLD), State.WILL_MOVE, Why.REPORTS_OLD),
        (0, service("container-registry", version_in_use=OLD), State.NOT_MOVED, Why.REPORTS_OLD),
        (0, service(pinned=True, version=NEW, version_in_use=OLD), State.NOT_MOVED, Why.REPORTS_OLD),
        (0, service(pinned=Reason.PERMISSION, version_in_use=OLD), State.NOT_MOVED, Why.REPORTS_OLD),
        (0, service(pinned=True, version=OLD, version_in_use=OLD), State.NOT_MOVED, Why.NAMES_OLD),
        # Only configured: the old version is certain, the new one is not.
        (60, service("event-hubs", pinned=True, version=OLD), State.NOT_MOVED, Why.NAMES_OLD),
        (60, service("event-hubs", pinned=True, version=NEW), State.UNKNOWN, Why.NAMES_NEW_ONLY),
        (60, service("cosmos-db"), State.UNKNOWN, Why.REPORTS_NOTHING),
        (60, service("storage"), State.UNKNOWN, Why.REPORTS_NOTHING),
        # The setting is the version in use.
        (60, service("sql-server", pinned=True, version=NEW), State.MOVED, Why.NAMES_NEW),
        (60, service("sql-server", version=NEW), State.UNKNOWN, Why.REPORTS_NOTHING),
        (60, service("kubernetes", pinned=True, version=NEW), State.MOVED, Why.NAMES_NEW),
        # Its disks move one by one.
        (60, service("disk-encryption-set", version=NEW, version_in_use=NEW), State.UNKNOWN, Why.ACTIVE_NEW),
        (60, service("disk-encryption-set", version=OLD, version_in_use=OLD), State.NOT_MOVED, Why.REPORTS_OLD),
        (60, service("disk-encryption-set", version=OLD, pinned=True), State.NOT_MOVED, Why.NAMES_OLD),
        (60, service(pinned=Reason.PERMISSION), State.UNKNOWN, Why.UNREAD),
        (60, service(version_in_use=Reason.BAD_VALUE), State.UNKNOWN, Why.UNREAD),
        (60, service(version_in_use=Reason.BAD_VALUE, version=OLD, pinned=True), State.NOT_MOVED, Why.NAMES_OLD),
    ],
)
def test_a_service_is_where_its_fields_prove_it_to_be(made: int, use: Row, state: State, why: Why) -> None:
    found = only(asked("kv/k", {"key": keys(made), "key_use": [use]}), Kind.SERVICE)
    assert (found.state, found.why) == (state, why)
    assert (found.until == AS_OF + DAY) is (state is State.WILL_MOVE)


def test_a_service_of_another_key_is_not_named() -> None:
    other = service(key_id=f"{HOST}/keys/k2", version_in_use=OLD)
    assert [each for each in asked("kv/k", {"key_use": [other]}).consumers if each.kind is Kind.SERVICE] == []


def test_which_version_is_new_is_unknown_where_the_current_one_is() -> None:
    old, new = keys()
    unsure = {**new, "is_current": None, "unknown": {"is_current": Reason.CONTROL_PLANE_ONLY}}
    found = asked("kv/k", {"key": [old, unsure], "key_use": [service(version_in_use=NEW)]})
    assert (found.new, found.unsure) == (None, Reason.CONTROL_PLANE_ONLY)
    assert only(found, Kind.SERVICE).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("uses", "state", "why"),
    [
        ([used(5)], State.NOT_MOVED, Why.USED_OLD),
        ([used(5, succeeded=False)], State.NOT_MOVED, Why.USED_OLD),
        ([used(5), used(4.5, target_id=f"{HOST}/keys/k/{NEW}")], State.NOT_MOVED, Why.USED_OLD),
        ([used(5), used(3, target_id=f"{HOST}/keys/k/{NEW}")], State.UNKNOWN, Why.USED_BOTH),
        ([used(5, target_id=f"{HOST}/keys/k")], State.UNKNOWN, Why.USED_UNNAMED),
        ([used(5, target_id=f"{HOST}/keys/k/{NEW}")], State.MOVED, Why.USED_NEW),
        # The private half of a certificate is read as the secret of its name.
        (
            [used(5, operation="read-secret", target_kind="secret", target_id=f"{HOST}/secrets/k/{OLD}")],
            State.NOT_MOVED,
            Why.USED_OLD,
        ),
    ],
)
def test_a_caller_is_where_its_last_uses_show_it_to_be(uses: list[Row], state: State, why: Why) -> None:
    found = only(asked("kv/k", {"usage": uses, "usage_log": [log()]}), Kind.USER)
    assert (found.id, found.state, found.why, found.proof) == ("caller", state, why, Proof.LOGS)


@pytest.mark.parametrize(
    "use",
    [
        used(61),
        used(5, target_id=f"{HOST}/keys/k2/{OLD}"),
        used(5, target_id=f"https://kv2.vault.azure.net/keys/k/{OLD}"),
        used(5, operation="backup"),
        used(5, operation="rotate"),
    ],
    ids=["before", "other-key", "other-vault", "copied", "rotated"],
)
def test_other_records_make_nobody_a_consumer(use: Row) -> None:
    found = asked("kv/k", {"usage": [use], "usage_log": [log()]})
    assert (found.consumers, [each.enough for each in found.logs]) == ([], [True])


REMOVED = f"{KV.id}/providers/microsoft.insights/diagnosticsettings/audit"


@pytest.mark.parametrize(
    ("rows", "enough"),
    [
        ({"usage_log": [log()]}, True),
        ({"usage_log": [log(logged=HOST)]}, True),
        ({"usage_log": []}, False),
        ({"usage_log": [log(since=30)]}, False),
        ({"usage_log": [log(last=12)]}, False),
        ({"usage_log": [log(logged=f"{KV.id}2")]}, False),
        ({"usage_log": [{**log(), "whole_since": None}]}, False),
        ({"usage_log": [log()], "key": keys(30)}, False),
        ({"usage_log": [log()], "usage": [used(10, target_id=Reason.NOT_SUPPLIED)]}, False),
        ({"usage_log": [log()], "usage": [used(9, operation="remove-log-settings", target_id=REMOVED)]}, False),
        ({"usage_log": [log()], "usage": [used(80, operation="remove-log-settings", target_id=REMOVED)]}, True),
        (
            {
                "usage_log": [log()],
                "usage": [used(9, operation="remove-log-settings", target_id=f"{KV.id}2{REMOVED[len(KV.id) :]}")],
            },
            True,
        ),
    ],
)
def test_only_a_complete_log_that_is_long_enough_since_the_new_version_shows_that_the_old_one_is_idle(
    rows: dict[str, list[Row]], enough: bool
) -> None:
    assert [each.enough for each in asked("kv/k", rows).logs] == [enough]


def test_without_logs_nothing_shows_it() -> None:
    assert [(each.log, each.enough) for each in asked("kv/k", {}, logs=False).logs] == [("AZKVAuditLogs", False)]


def secret(key_id: str, made: int, holder: str = APP, **values: Any) -> Row:
    times = {"starts_on": AS_OF - made * DAY, "expires_on": AS_OF + 90 * DAY}
    return credential(key_id, holder=holder, holder_name=f"app {holder[-1]}", **{**times, **values})


def signed_in(key_id: str, days: float, **values: Any) -> Row:
    source = "AADServicePrincipalSignInLogs"
    given = {
        "operation": "sign-in",
        "credential_key_id": key_id,
        "actor_app_id": APP,
        "target_kind": "application",
        "source": source,
    }
    return used(days, **{**given, "target_id": "graph", **values})


def reported(key_id: str, days: int) -> Row:
    return row("credential_activity", key_id, scope_id=TENANT.id, key_id=key_id, app_id=APP, last_used_on=AS_OF - days * DAY)


SIGN_INS = log(logged=TENANT.id, source="AADServicePrincipalSignInLogs")
BOTH = [secret(FIRST, 300), secret(SECOND, 60)]


@pytest.mark.parametrize(
    ("rows", "state", "why", "proof"),
    [
        ({}, State.UNKNOWN, Why.HOLDS_BOTH, Proof.DIRECTORY),
        ({"usage_log": [SIGN_INS]}, State.MOVED, Why.IDLE, Proof.LOGS),
        ({"usage_log": [SIGN_INS], "usage": [signed_in(FIRST, 70)]}, State.MOVED, Why.IDLE, Proof.LOGS),
        ({"usage_log": [SIGN_INS], "usage": [signed_in(FIRST, 7)]}, State.NOT_MOVED, Why.USED_OLD, Proof.LOGS),
        (
            {"usage_log": [SIGN_INS], "usage": [signed_in(FIRST, 7), signed_in(SECOND, 2)]},
            State.UNKNOWN,
            Why.USED_BOTH,
            Proof.LOGS,
        ),
        ({"usage_log": [SIGN_INS], "usage": [signed_in(None, 7)]}, State.UNKNOWN, Why.HOLDS_BOTH, Proof.DIRECTORY),  # type: ignore[arg-type]
        ({"credential_activity": [reported(FIRST, 7)]}, State.NOT_MOVED, Why.USED_OLD, Proof.REPORT),
        # That the report shows no later use proves nothing.
        ({"credential_activity": [reported(FIRST, 50), reported(SECOND, 2)]}, State.UNKNOWN, Why.HOLDS_BOTH, Proof.DIRECTORY),
    ],
)
def test_an_application_with_both_secrets_has_moved_only_if_complete_logs_show_it(
    rows: dict[str, list[Row]], state: State, why: Why, proof: Proof
) -> None:
    given = {"application": [application(APP)], "credential": [*BOTH, secret(THIRD, 90, holder=f"{APP[:-1]}2")], **rows}
    for name in (APP, FIRST, SECOND):
        found = asked(name, given)
        # The secret of another application is never named.
        [each] = found.consumers
        assert (each.id, each.state, each.why, each.proof, each.follows) == (APP, state, why, proof, Follows.BY_HAND)
        assert found.new is not None
        assert (found.new.name, [old.name for old in found.old]) == (f"client secret {SECOND}", [f"client secret {FIRST}"])


def test_an_expired_credential_takes_no_part() -> None:
    rows = {"application": [application(APP)], "credential": [BOTH[1], secret(FIRST, 300, expires_on=AS_OF - DAY)]}
    found = asked(APP, rows)
    assert (found.new, [each.name for each in found.old]) == (None, [f"client secret {SECOND}"])


@pytest.mark.parametrize("twin", [{"starts_on": AS_OF - 60 * DAY}, {"starts_on": Reason.BAD_VALUE}])
def test_where_the_newest_credential_is_unknown_so_is_who_moved(twin: dict[str, Any]) -> None:
    rows = {"application": [application(APP)], "credential": [secret(FIRST, 300, **twin), BOTH[1]], "usage_log": [SIGN_INS]}
    [each] = asked(APP, rows).consumers
    assert (each.state, each.why) == (State.UNKNOWN, Why.UNREAD)


def of_version(version: str, made: int, digest: str, **values: Any) -> Row:
    given: Row = {
        "certificate_id": f"{HOST}/certificates/c",
        "version": version,
        "vault_id": KV.id,
        "vault_name": "kv",
        "scope_id": KV.id,
        "enabled": True,
        "created_on": AS_OF - made * DAY,
        "is_current": version == NEW,
        "thumbprint": digest * 40,
        "thumbprint_sha256": digest * 64,
        "public_key_sha256": digest.lower() * 64,
        "issued": True,
        "key_version_id": f"{HOST}/keys/c/{version}",
    }
    return row("certificate", f"{HOST}/certificates/c/{version}", **(given | values))


def holding(digest: str, key_id: str, holder: str, **values: Any) -> Row:
    digests = {"thumbprint_sha256": digest * 64, "public_key_sha256": digest.lower() * 64, "thumbprint": digest * 40}
    return secret(key_id, 60, holder=holder, **{**digests, "kind": "certificate", "usage": "Verify", **values})


CERTIFICATE = {"certificate": [of_version(OLD, 400, "A"), of_version(NEW, 60, "B")], "key": keys(name="c", managed=True)}


def test_applications_are_where_the_certificates_that_they_hold_show_them_to_be() -> None:
    first, second, third, other = (f"{APP[:-1]}{number}" for number in (2, 3, 4, 5))
    held = [
        holding("A", FIRST, first),
        holding("B", SECOND, second),
        *(holding(digest, f"{THIRD[:-1]}{number}", third) for number, digest in enumerate("AB", 5)),
        holding("C", f"{THIRD[:-1]}9", other),
    ]
    rows = {**CERTIFICATE, "application": [*map(application, (first, second, third, other))], "credential": held}
    for name in ("kv/c", "A" * 64, first):
        found = asked(name, rows)
        told = {each.id: (each.state, each.why) for each in found.consumers if each.kind is Kind.IDENTITY}
        if name == first:
            # An application has its own credentials: this one has no newer one.
            assert (found.new, list(told)) == (None, [first])
            continue
        assert told == {
            first: (State.NOT_MOVED, Why.HOLDS_OLD),
            second: (State.MOVED, Why.HOLDS_NEW),
            third: (State.UNKNOWN, Why.HOLDS_BOTH),
        }


def test_a_relying_party_has_moved_if_it_accepts_the_new_certificate() -> None:
    def pinned(name: str, digest: str) -> Row:
        given = {"relying_party": name, "held_as": "pinned", "key_id": None, "thumbprint": digest * 40, "token_issuer": None}
        return row("trusted_key", f"{name} {digest}", scope_id=TENANT.id, fetched_on=None, **given)

    trusted = [pinned("shop", "A"), pinned("portal", "B"), pinned("both", "A"), pinned("both", "B"), pinned("other", "C")]
    found = asked("kv/c", {**CERTIFICATE, "trusted_key": trusted})
    told = {each.id: (each.state, each.why) for each in found.consumers if each.kind is Kind.RELYING_PARTY}
    assert told == {
        "shop": (State.NOT_MOVED, Why.HOLDS_OLD),
        "portal": (State.MOVED, Why.HOLDS_NEW),
        "both": (State.MOVED, Why.HOLDS_BOTH),
    }


def signer(holder: str, digest: str, **values: Any) -> Row:
    given: Row = {
        "kind": "saml",
        "holder_id": holder,
        "holder_name": holder,
        "app_id": APP,
        "scope_id": TENANT.id,
        "active": True,
        "thumbprint_sha256": digest * 64,
        "public_key_sha256": digest.lower() * 64,
        "thumbprint": digest * 40,
    }
    return row("signing_certificate", f"{holder} {digest}", **(given | values))


def test_a_signer_has_moved_if_only_the_new_certificate_is_active() -> None:
    signing = [
        *(signer("staged", digest, active=digest == "A") for digest in "AB"),
        *(signer("moved", digest, active=digest == "B") for digest in "AB"),
        *(signer("both", digest) for digest in "AB"),
        *(signer("unread", digest, active=Reason.BAD_VALUE) for digest in "AB"),
        signer("other", "C"),
    ]
    found = asked("kv/c", {**CERTIFICATE, "signing_certificate": signing})
    assert {each.id: (each.state, each.why) for each in found.consumers if each.kind is Kind.SIGNER} == {
        "staged": (State.NOT_MOVED, Why.HOLDS_OLD),
        "moved": (State.MOVED, Why.HOLDS_NEW),
        "both": (State.UNKNOWN, Why.HOLDS_BOTH),
        "unread": (State.UNKNOWN, Why.UNREAD),
    }


def test_an_authority_has_moved_if_it_accepts_the_new_certificate_and_a_copy_if_it_is_current() -> None:
    def trusted(store: str, digest: str) -> Row:
        digests = {"thumbprint_sha256": digest * 64, "public_key_sha256": digest.lower() * 64, "thumbprint": digest * 40}
        return row("trusted_authority", f"{store} {digest}", scope_id=TENANT.id, kind="pki", store_name=store, **digests)

    def copied(name: str, digest: str, *, current: bool = True) -> Row:
        made = of_version(digest.lower() * 32, 60, digest, certificate_id=f"{HOST}/certificates/{name}", is_current=current)
        return {**made, "id": f"{HOST}/certificates/{name}/{digest.lower() * 32}"}

    rows = {
        **CERTIFICATE,
        "certificate": [
            *CERTIFICATE["certificate"],
            copied("late", "A"),
            copied("renewed", "A", current=False),
            copied("renewed", "B"),
        ],
        "trusted_authority": [
            trusted("old", "A"),
            trusted("both", "A"),
            trusted("both", "B"),
            trusted("new", "B"),
            trusted("x", "C"),
        ],
    }
    found = asked("kv/c", rows)
    assert {each.id: each.state for each in found.consumers if each.kind is Kind.AUTHORITY} == {
        "old": State.NOT_MOVED,
        "both": State.MOVED,
        "new": State.MOVED,
    }
    assert {each.name: each.state for each in found.consumers if each.kind is Kind.COPY} == {
        "kv/late": State.NOT_MOVED,
        "kv/renewed": State.MOVED,
    }


def test_a_renewal_on_the_same_key_is_told_by_the_certificate_and_not_by_the_key() -> None:
    same = [of_version(OLD, 400, "A", public_key_sha256="d" * 64), of_version(NEW, 60, "B", public_key_sha256="d" * 64)]
    first, second, third = (f"{APP[:-1]}{number}" for number in (2, 3, 4))
    held = [
        holding("A", FIRST, first, public_key_sha256="d" * 64),
        holding("B", SECOND, second, public_key_sha256="d" * 64),
        holding("C", THIRD, third, public_key_sha256="d" * 64),
    ]
    rows = {**CERTIFICATE, "certificate": same, "application": [*map(application, (first, second, third))], "credential": held}
    told = {each.id: each.state for each in asked("kv/c", rows).consumers if each.kind is Kind.IDENTITY}
    assert told == {first: State.NOT_MOVED, second: State.MOVED, third: State.UNKNOWN}


def test_a_secret_of_a_vault_is_told_by_its_readers() -> None:
    place = {"secret_id": f"{HOST}/secrets/s", "vault_id": KV.id, "vault_name": "kv", "scope_id": KV.id, "managed": False}
    versions = [
        row("secret", f"{HOST}/secrets/s/{name}", version=name, created_on=AS_OF - made * DAY, is_current=name == NEW, **place)
        for name, made in ((OLD, 400), (NEW, 60))
    ]
    of_secret = {"target_kind": "secret", "operation": "read-secret"}
    uses = [
        used(5, target_id=f"{HOST}/secrets/s/{OLD}", **of_secret),
        used(5, target_id=f"{HOST}/secrets/other/{OLD}", **of_secret),
    ]
    for name in ("kv/s", "kv/secrets/s", f"{HOST}/secrets/s", f"{HOST}/secrets/s/{OLD}"):
        found = asked(name, {"secret": versions, "usage": uses, "usage_log": [log()]})
        assert [(each.kind, each.state) for each in found.consumers] == [(Kind.USER, State.NOT_MOVED)]
        assert {"secret.list", "secret.versions"} <= found.required
        assert not [each for each in found.required if each.startswith(("key.", "certificate.", "application."))]


def test_a_secret_that_a_service_keeps_itself_is_not_known_to_be_free() -> None:
    place = {"secret_id": f"{HOST}/secrets/s", "vault_id": KV.id, "vault_name": "kv", "scope_id": KV.id, "managed": False}
    version = row("secret", f"{HOST}/secrets/s/{NEW}", version=NEW, created_on=AS_OF - DAY, is_current=True, **place)

    def kept(name: str, secret: str, active: Any = True) -> Row:
        given = {"kind": "disk", "consumer_id": f"/x/{name}", "secret_id": f"{HOST}/secrets/{secret}", "active": active}
        return row("secret_use", f"/x/{name}/s", scope_id=TENANT.id, **given)

    uses = [kept("mine", "s"), kept("perhaps", "s", Reason.BAD_VALUE), kept("past", "s", active=False), kept("other", "s2")]
    found = asked("kv/s", {"secret": [version], "secret_use": uses})
    assert [(each.name, each.state, each.follows) for each in found.consumers] == [
        ("mine", State.UNKNOWN, Follows.UNKNOWN),
        ("perhaps", State.UNKNOWN, Follows.UNKNOWN),
    ]
    assert "secret_use.query" in found.required


@pytest.mark.parametrize("name", ["kv/nothing", "nobody", "E" * 40, f"{HOST}/keys/gone"])
def test_a_name_that_nothing_has_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        asked(name, {})


@pytest.mark.parametrize(
    ("old", "new", "state"),
    [
        (None, None, None),
        (9, None, None),
        (10, None, State.NOT_MOVED),
        (10, 10 + DAY - 1, State.NOT_MOVED),
        (10, 10 + DAY, State.UNKNOWN),
        (10 + DAY, 10, State.NOT_MOVED),
    ],
)
def test_the_last_uses_decide(old: int | None, new: int | None, state: State | None) -> None:
    found = judged(old, new, 10)
    assert (found and found[0]) == state
