"""The principals that control the tenant are counted once each, by the way to sign in that is easiest to steal."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage, Scope, ScopeKind
from keyaudit.model.results.tier0 import Tier0, Way
from keyaudit.policy.evaluation.judge import judge
from keyaudit.policy.load import load
from tests.policy.inventory import JUDGING, gap, inventory

TENANT = Scope("/tenants/t", "t", ScopeKind.TENANT)
READ = ("sp-can-take-over-tenant", "sp-privileged-certificate-outside-vault", "app-privileged-with-user-owner")
POLICIES = [each for each in load() if each.text.id in READ]


def principal(name: str, **columns: Any) -> dict[str, Any]:
    return {
        "id": f"/tenants/t/serviceprincipals/{name}",
        "name": name,
        "scope_id": TENANT.id,
        "app_id": name,
        "principal_type": "Application",
        "home": "own",
        "enabled": True,
        "tier0": True,
        "tenant_wide": True,
        "opens_subscriptions": False,
        "directory_sync": False,
        "live_secrets": (0, 0),
        "live_certificates": (0, 0),
        "federated_credentials": (0, 0),
        "unknown": {},
        **columns,
    }


def certificate(of: str, custody: str | None, **columns: Any) -> dict[str, Any]:
    return {
        "id": f"/tenants/t/applications/{of}/credentials/c",
        "scope_id": TENANT.id,
        "app_id": of.upper(),
        "kind": "certificate",
        "usage": "Verify",
        "holder_home": "own",
        "holder_type": "Application",
        "holder_directory_sync": False,
        "holder_tier0": True,
        "holder_opens_subscriptions": False,
        "custody": custody,
        "unknown": {} if custody else {"custody": "not_supplied"},
        **columns,
    }


def counted(
    rows: list[dict[str, Any]],
    credentials: list[dict[str, Any]] | None = None,
    coverage: tuple[Coverage, ...] = (),
    applications: list[dict[str, Any]] | None = None,
) -> Tier0:
    with inventory(service_principal=rows, credential=credentials or [], application=applications or []) as connection:
        found = judge(connection, POLICIES, coverage, JUDGING).tier0()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("columns", "way"),
    [
        ({"live_secrets": (1, 1), "live_certificates": (2, 2)}, Way.SECRET),
        ({"live_secrets": (1, None)}, Way.SECRET),
        ({"live_certificates": (1, 1), "federated_credentials": (1, 1)}, Way.CERTIFICATE),
        ({"federated_credentials": (1, 1)}, Way.FEDERATED),
        ({"principal_type": "ManagedIdentity", "home": "none", "federated_credentials": (1, 1)}, Way.PLATFORM),
        ({"live_secrets": (0, None), "unknown": {"live_secrets": "throttled"}}, Way.UNREAD),
        ({"home": "foreign"}, Way.FOREIGN),
        ({"home": "foreign", "live_secrets": (1, 1)}, Way.SECRET),
        ({}, Way.NOTHING),
    ],
)
def test_each_counts_once_by_its_weakest_way(columns: dict[str, Any], way: Way) -> None:
    found = counted([principal("a", **columns)])
    assert (found.ways, found.whole, [(each.name, each.way) for each in found.named]) == ({way: 1}, True, [("a", way)])


@pytest.mark.parametrize(
    ("custody", "columns", "way"),
    [
        ("external", {}, Way.OUTSIDE),
        ("vault-hsm", {}, Way.CERTIFICATE),
        (None, {}, Way.CERTIFICATE),
        # It has expired, is of another application, or encrypts.
        ("external", {"expires_on": 1}, Way.CERTIFICATE),
        ("external", {"app_id": "other"}, Way.CERTIFICATE),
        ("external", {"usage": "Encrypt"}, Way.CERTIFICATE),
    ],
)
def test_a_certificate_is_in_no_vault_only_where_that_is_known(custody: str | None, columns: dict[str, Any], way: Way) -> None:
    found = counted([principal("a", live_certificates=(1, 1))], [certificate("a", custody, **columns)])
    assert found.ways == {way: 1}


def application(of: str, users: int, more: int) -> dict[str, Any]:
    return {
        "id": f"/tenants/t/applications/{of}",
        "scope_id": TENANT.id,
        "app_id": of.upper(),
        "tier0": True,
        "tenant_wide": True,
        "opens_subscriptions": False,
        "owners_gaining": (users, users),
        "indirect_user_owners": (more, None if more else 0),
        "unknown": {},
    }


def test_each_is_named_with_its_last_sign_in_and_how_many_users_can_become_it() -> None:
    rows = [
        principal("b", last_client_sign_in_on=86_400),
        principal("a", unknown={"last_client_sign_in_on": "not_licensed"}),
        principal("z", live_secrets=(1, 1)),
    ]
    found = counted(rows, applications=[application("b", 1, 2), application("a", 0, 0), application("other", 7, 0)]).named
    assert [(each.name, each.last_sign_in, each.sign_ins_read, each.owners, each.owners_read) for each in found] == [
        ("z", None, True, None, True),
        ("b", 86_400, True, 3, False),
        ("a", None, False, 0, True),
    ]


def test_of_those_that_sign_in_alike_the_one_in_use_is_named_first() -> None:
    rows = [principal("a"), principal("b", last_client_sign_in_on=86_400), principal("c", last_client_sign_in_on=172_800)]
    assert [each.name for each in counted(rows).named] == ["c", "b", "a"]


def test_no_more_than_ten_are_named_and_all_are_counted() -> None:
    found = counted([principal(f"{number:02}") for number in range(12)])
    assert (found.count, [each.name for each in found.named]) == (12, [f"{number:02}" for number in range(10)])


def test_others_are_not_counted() -> None:
    others = [
        principal("microsoft", home="microsoft"),
        principal("off", enabled=False),
        principal("harmless", tier0=False),
    ]
    assert counted(others) == Tier0(ways={}, whole=True)


def test_one_that_was_not_read_may_be_one_more() -> None:
    unread = principal("b", tier0=None, unknown={"tier0": "throttled"})
    found = counted([principal("a"), unread])
    assert (found.ways, found.whole, [each.name for each in found.named]) == ({Way.NOTHING: 1}, False, ["a"])
    assert not counted([], coverage=(gap(TENANT, "service_principal.list"),)).whole


def test_without_the_policy_nothing_is_said() -> None:
    with inventory(service_principal=[principal("a")]) as connection:
        assert judge(connection, [each for each in POLICIES if each.text.id != READ[0]], (), JUDGING).tier0() is None
