"""Which version of a certificate or secret each service uses: what its fields prove, and nothing else is taken for proof."""

from collections.abc import Iterable
from typing import Any

import pytest

from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import DAY
from keyaudit.questions.rotation.answer import Consumer, Follows, Kind, Proof, State, Why
from tests.inventory.sample import AS_OF, TENANT, Row, row
from tests.inventory.test_rotation import HOST, KV, NEW, OLD, asked, keys, service

SHA1 = {OLD: "0" * 40, NEW: "1" * 40}
OTHER = "2" * 40


def certificates(made: int = 60) -> list[Row]:
    """Two versions of certificate kv/k."""
    place = {"certificate_id": f"{HOST}/certificates/k", "vault_id": KV.id, "vault_name": "kv", "scope_id": KV.id}
    return [
        row(
            "certificate",
            f"{HOST}/certificates/k/{version}",
            version=version,
            created_on=AS_OF - days * DAY,
            is_current=version == NEW,
            thumbprint=SHA1[version],
            thumbprint_sha256=version[0].upper() * 64,
            public_key_sha256=version[0].upper() * 63 + "0",
            enabled=True,
            **place,
        )
        for version, days in ((OLD, 400), (NEW, made))
    ]


def use(kind: str = "app-service-certificate", name: str = "one", **values: Any) -> Row:
    """A service that names the certificate's secret without a version, and says nothing more."""
    silent: dict[str, Any] = {
        **dict.fromkeys(("version", "version_in_use", "thumbprint_in_use", "status", "broken")),
        "scope_id": TENANT.id,
        "kind": kind,
        "consumer_id": f"/x/{name}",
        "pinned": False,
        "active": True,
    }
    return row("secret_use", f"/x/{name}/secrets", **(silent | {"secret_id": f"{HOST}/secrets/k"} | values))


def found_of(uses: Iterable[Row], name: str = "kv/k", made: int = 60, **rows: Iterable[Row]) -> list[Consumer]:
    found = asked(name, {"key": keys(made), "certificate": certificates(made), "secret_use": uses, **rows})
    return [each for each in found.consumers if each.kind is Kind.SERVICE]


@pytest.mark.parametrize(
    ("made", "used", "state", "why"),
    [
        # The thumbprint is that of one version, and of no other.
        (60, use(thumbprint_in_use=SHA1[NEW]), State.MOVED, Why.REPORTS_NEW),
        (60, use(thumbprint_in_use=SHA1[OLD]), State.NOT_MOVED, Why.REPORTS_OLD),
        (60, use(thumbprint_in_use=OTHER), State.UNKNOWN, Why.REPORTS_OTHER),
        (60, use(thumbprint_in_use=Reason.BAD_VALUE), State.UNKNOWN, Why.UNREAD),
        (60, use(version_in_use=NEW), State.MOVED, Why.REPORTS_NEW),
        (60, use(version_in_use=OLD), State.NOT_MOVED, Why.REPORTS_OLD),
        # App Service takes a new one within a day, and API Management documents no time.
        (0, use(thumbprint_in_use=SHA1[OLD]), State.WILL_MOVE, Why.REPORTS_OLD),
        (0, use("api-management", thumbprint_in_use=SHA1[OLD]), State.NOT_MOVED, Why.REPORTS_OLD),
        (0, use(thumbprint_in_use=SHA1[OLD], pinned=True, version=NEW), State.NOT_MOVED, Why.REPORTS_OLD),
        # Its setting alone.
        (60, use("container-app"), State.UNKNOWN, Why.REPORTS_NOTHING),
        (60, use(pinned=True, version=OLD, thumbprint_in_use=SHA1[NEW]), State.NOT_MOVED, Why.NAMES_OLD),
        (60, use("machine-certificate", pinned=True, version=OLD), State.NOT_MOVED, Why.NAMES_OLD),
        (60, use("machine-certificate", pinned=True, version=NEW), State.UNKNOWN, Why.NAMES_NEW_ONLY),
        (60, use(pinned=Reason.BAD_VALUE, version=OLD, thumbprint_in_use=SHA1[NEW]), State.UNKNOWN, Why.UNREAD),
        # That it cannot read it does not say which one it has.
        (60, use(status="KeyVaultDoesNotExist", broken=True), State.UNKNOWN, Why.REPORTS_NOTHING),
        (60, use(status="KeyVaultDoesNotExist", broken=True, thumbprint_in_use=SHA1[NEW]), State.MOVED, Why.REPORTS_NEW),
    ],
)
def test_a_service_with_a_certificate_is_where_its_fields_prove_it_to_be(made: int, used: Row, state: State, why: Why) -> None:
    [found] = found_of([used], made=made)
    assert (found.state, found.why) == (state, why)
    assert (found.until == AS_OF + DAY) is (state is State.WILL_MOVE)
    assert found.broken == (used["status"] or "" if used["broken"] else "")
    proven = (Why.REPORTS_NEW, Why.REPORTS_OLD, Why.REPORTS_OTHER)
    assert found.proof is (Proof.SERVICE if why in proven else Proof.SETTING)


@pytest.mark.parametrize("name", ["kv/k", "kv/keys/k", f"{HOST}/certificates/k", f"{HOST}/certificates/k/{OLD}"])
def test_a_certificate_is_used_as_the_secret_of_its_name_and_other_secrets_are_not_it(name: str) -> None:
    others = [
        use(name="other", secret_id=f"{HOST}/secrets/k2", thumbprint_in_use=SHA1[OLD]),
        use(name="past", active=False),
        use(name="elsewhere", secret_id="https://kv2.vault.azure.net/secrets/k"),
    ]
    assert [each.name for each in found_of([use(), *others], name)] == ["one"]


def test_a_key_without_a_certificate_is_not_the_secret_of_its_name() -> None:
    assert found_of([use()], certificate=()) == []


def test_a_setting_that_was_not_read_may_name_any_secret_and_no_key() -> None:
    unread = use(name="gate", kind="application-gateway", secret_id=Reason.BAD_VALUE)
    found = asked("kv/k", {"certificate": certificates(), "secret_use": [unread]})
    assert [(each.what, each.reason) for each in found.unnamed] == [("setting of application gateway gate", Reason.BAD_VALUE)]
    assert asked("kv/k", {"secret_use": [unread]}).unnamed == ()


def test_an_answer_about_a_certificate_depends_on_the_lists_of_services_and_one_about_a_key_on_those_of_keys() -> None:
    lists = {"consumer.query", "front_door.secrets", "site.setting_references", "secret_use.query"}
    assert lists <= asked("kv/k", {"certificate": certificates()}).required
    of_key = asked("kv/k", {}).required
    assert {"consumer.query", "storage.scopes", "sql.databases"} <= of_key
    assert not lists & of_key - {"consumer.query"}


@pytest.mark.parametrize(
    ("values", "state", "why"),
    [
        ({"version": NEW, "version_in_use": NEW, "moving": False}, State.MOVED, Why.REPORTS_NEW),
        ({"version": NEW, "version_in_use": NEW, "moving": True}, State.WILL_MOVE, Why.MOVING),
        ({"version": NEW, "version_in_use": NEW, "moving": None}, State.UNKNOWN, Why.ACTIVE_NEW),
        ({"version": NEW, "version_in_use": NEW, "moving": Reason.BAD_VALUE}, State.UNKNOWN, Why.UNREAD),
        ({"version": OLD, "version_in_use": OLD, "moving": False}, State.NOT_MOVED, Why.REPORTS_OLD),
        ({"version": OLD, "version_in_use": OLD, "moving": True}, State.NOT_MOVED, Why.REPORTS_OLD),
    ],
)
def test_the_disks_of_a_set_have_moved_once_it_says_that_no_previous_key_is_left(
    values: dict[str, Any], state: State, why: Why
) -> None:
    [found] = found_of([], key_use=[service("disk-encryption-set", **values)], certificate=())
    assert (found.state, found.why, found.until) == (state, why, None)


@pytest.mark.parametrize(
    ("kind", "values", "state"),
    [
        ("encryption-scope", {"version_in_use": NEW}, State.MOVED),
        ("encryption-scope", {"version_in_use": OLD}, State.NOT_MOVED),
        ("sql-database", {"version": NEW, "version_in_use": NEW}, State.MOVED),
        ("cosmos-db", {"version_in_use": OLD}, State.NOT_MOVED),
        ("postgresql", {"pinned": True, "version": NEW}, State.MOVED),
        ("mysql", {"pinned": True, "version": NEW}, State.UNKNOWN),
        ("batch", {}, State.UNKNOWN),
    ],
)
def test_a_service_that_encrypts_is_where_its_fields_prove_it_to_be(kind: str, values: dict[str, Any], state: State) -> None:
    [found] = found_of([], key_use=[service(kind, **values)], certificate=())
    assert (found.state, found.what) == (state, kind)
    assert found.follows is (Follows.BY_HAND if values.get("pinned") else Follows.BY_ITSELF)
