"""What ends, and who owns it: the nearest owner that is known, and unknown as soon as a nearer one might be there."""

from typing import Any

import pytest

from keyaudit.inventory.expiring import TABLES_THAT_END, columns_read, endings, prepare
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Ending
from keyaudit.model.values.times import DAY
from tests.inventory.sample import AS_OF, TENANT, Row, application, assessed, credential, in_memory, key, refused, row, vault

DIRECTORY = ("application.list", "service_principal.list")
SOON = AS_OF + DAY
UNSEEN = Reason.PERMISSION
_READ = (*(table.name for table in TABLES_THAT_END), "vault", "application", "service_principal", "principal")


def found(rows: dict[str, list[Row]], *gaps: Any, within: int = 30 * DAY) -> list[Ending]:
    coverage = {TENANT: [*assessed(TENANT, *DIRECTORY), *gaps] if not gaps else [*gaps]}
    with in_memory(rows, coverage, *_READ, alone=True) as connection:
        prepare(connection, AS_OF, AS_OF + within)
        return list(endings(connection, ()))


def principal(object_id: str, **values: Any) -> Row:
    id_ = f"{TENANT.id}/serviceprincipals/{object_id}"
    return row("service_principal", id_, **({"scope_id": TENANT.id, "app_id": object_id} | values))


def test_every_table_whose_rows_end_is_looked_at() -> None:
    assert {"key", "credential", "signing_certificate"} <= {table.name for table in TABLES_THAT_END}
    assert {("vault", "tags"), ("application", "owner_ids"), ("key", "expires_on")} <= columns_read()


def test_an_unknown_end_is_listed_last_and_an_absent_one_is_not() -> None:
    keys = [
        key("1", expires_on=UNSEEN),
        key("2", expires_on=None),
        key("3", expires_on=SOON),
        key("4", expires_on=AS_OF + 31 * DAY),
        key("5", expires_on=AS_OF + 30 * DAY),
    ]
    assert [(each.row["version"], each.expires_on) for each in found({"key": keys, "vault": [vault()]})] == [
        ("3", SOON),
        ("5", AS_OF + 30 * DAY),
        ("1", None),
    ]


def test_nobody_has_to_act_for_a_certificate_that_azure_renews_until_it_did_not() -> None:
    """https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-faq"""
    holders = ("ManagedIdentity", "Application", UNSEEN)
    ends = (SOON, AS_OF, AS_OF - DAY)
    rows = [
        credential(f"{holder}-{end}", on="service_principal", holder_type=holder, expires_on=end)
        for holder in holders
        for end in ends
    ]
    listed = {(each.row["holder_type"], each.expires_on): each.retired for each in found({"credential": rows})}
    assert listed == {
        (None if holder is UNSEEN else holder, end): holder == "ManagedIdentity" and end == SOON
        for holder in holders
        for end in ends
    }


@pytest.mark.parametrize(
    ("of_key", "of_vault", "names", "source", "reason"),
    [
        ({"owner": "a"}, {"owner": "b"}, ("a",), "tag owner", None),
        ({"x": "y"}, {"owner": "b"}, ("b",), "tag owner of the vault", None),
        (None, {"owner": "b"}, ("b",), "tag owner of the vault", None),
        ({"owner": " "}, None, (), "", None),
        (UNSEEN, {"owner": "b"}, (), "", UNSEEN),
        ({"owner": "a"}, UNSEEN, ("a",), "tag owner", None),
        (None, UNSEEN, (), "", UNSEEN),
    ],
)
def test_a_key_is_owned_by_its_tag_else_by_its_vaults(
    of_key: object, of_vault: object, names: tuple[str, ...], source: str, reason: Reason | None
) -> None:
    rows = {"key": [key("1", expires_on=SOON, tags=of_key)], "vault": [vault(tags=of_vault)]}
    [ending] = found(rows)
    assert (ending.owner.names, ending.owner.source, ending.owner.reason) == (names, source, reason)


def test_a_key_whose_vault_gave_no_row_has_an_unknown_owner() -> None:
    [ending] = found({"key": [key("1", expires_on=SOON, tags=None)]})
    assert ending.owner.reason is Reason.PARENT_NOT_ASSESSED


@pytest.mark.parametrize(
    ("of_principal", "of_application", "names", "source", "reason"),
    [
        (["s"], ["a"], ("s",), "Entra owners", None),
        ([], ["b", "a"], ("a", "b"), "Entra owners of the application", None),
        ([], [], (), "", None),
        (UNSEEN, ["a"], (), "", UNSEEN),
        ([], UNSEEN, (), "", UNSEEN),
    ],
)
def test_a_credential_is_owned_by_its_holders_owners_else_by_the_applications(
    of_principal: object, of_application: object, names: tuple[str, ...], source: str, reason: Reason | None
) -> None:
    rows = {
        "credential": [credential("1", on="service_principal", expires_on=SOON)],
        "service_principal": [principal("a", owner_ids=of_principal)],
        "application": [application("a", owner_ids=of_application)],
    }
    [ending] = found(rows)
    assert (ending.owner.names, ending.owner.source, ending.owner.reason) == (names, source, reason)


def test_nobody_is_known_to_own_what_has_no_application_unless_applications_were_not_listed() -> None:
    rows = {
        "credential": [credential("1", on="service_principal", expires_on=SOON)],
        "service_principal": [principal("a", owner_ids=[])],
    }
    [ending] = found(rows)
    assert (ending.owner.names, ending.owner.reason) == ((), None)
    [ending] = found(rows, refused(TENANT, "application.list", UNSEEN))
    assert ending.owner.reason is UNSEEN


def test_the_owner_with_the_soonest_end_in_use_comes_first() -> None:
    keys = [
        key("1", expires_on=SOON + 2, tags={"owner": "b"}, is_current=True),
        key("2", expires_on=SOON - 9, tags={"owner": "b"}, is_current=True, enabled=False),
        key("3", expires_on=SOON + 1, tags={"owner": "c"}, is_current=True),
        key("4", expires_on=SOON, tags={"owner": "a"}, is_current=UNSEEN),
        key("5", expires_on=UNSEEN, tags={"owner": "d"}, is_current=True),
        key("6", expires_on=SOON - 99, tags={"owner": "e"}, is_current=False),
    ]
    listed = [(each.owner.names[0], each.row["version"], each.retired) for each in found({"key": keys, "vault": [vault()]})]
    assert listed == [
        ("a", "4", False),
        ("c", "3", False),
        ("b", "2", True),
        ("b", "1", False),
        ("d", "5", False),
        ("e", "6", True),
    ]


def test_counts_are_of_what_is_in_use_and_why_something_is_unknown_is_said() -> None:
    keys = [
        key("1", expires_on=AS_OF, is_current=True),
        key("2", expires_on=AS_OF + 1, is_current=True),
        key("3", expires_on=AS_OF - 1, is_current=False),
        key("4", expires_on=Reason.BAD_VALUE, is_current=True),
    ]
    with in_memory({"key": keys, "vault": [vault()]}, {TENANT: assessed(TENANT, *DIRECTORY)}, *_READ, alone=True) as c:
        counts = prepare(c, AS_OF, AS_OF + DAY)
    assert (counts.overdue, counts.soon, counts.unknown, counts.retired) == (1, 1, 1, 1)
    assert counts.reasons == {Reason.BAD_VALUE}


def test_a_certificates_key_is_counted_with_it_but_only_where_the_certificate_is_there() -> None:
    keys = [key("1", expires_on=SOON, is_current=True, managed=True) | {"name": "k"}]
    of_key = {"scope_id": keys[0]["scope_id"], "vault_id": keys[0]["vault_id"], "name": "k", "version": "1"}
    certificate = row("certificate", "https://kv.vault.azure.net/certificates/k/1", **of_key, is_current=True, enabled=True)
    for certificates, retired in (
        ([], False),
        ([certificate | {"expires_on": SOON}], True),
        ([certificate | {"expires_on": None, "unknown": {"expires_on": UNSEEN}}], False),
        ([certificate | {"expires_on": SOON, "version": "2"}], False),
    ):
        rows = {"key": keys, "vault": [vault()], "certificate": certificates}
        listed = {each.table: each.retired for each in found(rows)}
        assert listed["key"] is retired
        assert listed.get("certificate", False) is False
