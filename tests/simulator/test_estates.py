"""The estates: what they hold, and that the defects in them are the planted ones and no others."""

import functools
import re
from collections import Counter
from collections.abc import Iterator
from typing import get_type_hints

import pytest

from keyaudit.cli.options import Live
from keyaudit.simulator import estates
from keyaudit.simulator.estate import Application, Estate, KeyVersion, ServicePrincipal
from keyaudit.simulator.estates import defects
from tests.simulator import estate_oracle as oracle
from tests.simulator.estates import ESTATES, NAMES, estate

DAY = oracle.DAY
NOVEMBER_2026 = 1_795_500_000
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
POLICIES = {value for name, value in vars(defects).items() if name.isupper()}


@functools.cache
def judged() -> frozenset[str]:
    """The policies that the oracle judges from the objects alone; all others are compared by the demo's own run."""
    return frozenset(verdict.policy for verdict in oracle.judge(estate("contoso", NOVEMBER_2026), NOVEMBER_2026))


@pytest.fixture(scope="module")
def contoso() -> Estate:
    return estate("contoso", NOVEMBER_2026)


def planted(found: Estate) -> set[tuple[str, str]]:
    return {(plant.policy, plant.subject) for plant in found.plants if plant.policy in judged()}


def versions(found: Estate) -> Iterator[KeyVersion]:
    return (version for vault in found.vaults for key in vault.keys for version in key.versions)


@pytest.mark.parametrize("as_of", [NOVEMBER_2026, NOVEMBER_2026 + 200 * DAY, NOVEMBER_2026 + 3_650 * DAY, 1_400_000_000])
def test_contoso_has_the_planted_defects_and_no_others(as_of: int) -> None:
    found = estate("contoso", as_of)
    assert oracle.violated(found, as_of) == planted(found)


@pytest.mark.parametrize("later", [-1, 1, 2])
def test_the_plants_hold_while_a_simulator_runs_for_days(contoso: Estate, later: int) -> None:
    assert oracle.violated(contoso, NOVEMBER_2026 + later * DAY) == planted(contoso)


@pytest.mark.parametrize("name", ["sized:20x50", "sized:16x30x4x200@7", "sized:3x20x50x10@11"])
def test_sized_estates_have_the_planted_defects_and_no_others(name: str) -> None:
    found = estate(name, NOVEMBER_2026)
    assert oracle.violated(found, NOVEMBER_2026) == planted(found)
    assert found.plants


def test_every_policy_has_something_to_find(contoso: Estate) -> None:
    counts = Counter(plant.policy for plant in contoso.plants)
    assert judged() <= POLICIES
    assert set(counts) == POLICIES
    assert min(count for policy, count in counts.items() if policy in judged()) >= 2


def test_every_plant_names_something_that_is_there(contoso: Estate) -> None:
    assert {plant.subject for plant in contoso.plants if plant.policy in judged()} <= oracle.subjects(contoso)


def test_no_policy_fires_on_all_that_it_applies_to(contoso: Estate) -> None:
    verdicts = oracle.judge(contoso, NOVEMBER_2026)
    applied, fired = Counter(v.policy for v in verdicts), Counter(v.policy for v in verdicts if v.violated)
    assert [policy for policy, count in applied.items() if count >= 5 and fired[policy] == count] == []


def test_most_of_contoso_has_no_defect(contoso: Estate) -> None:
    bad = {plant.subject for plant in contoso.plants}
    keys = [oracle.key_row(vault, key) for vault in contoso.vaults for key in vault.keys]
    assert sum(any(subject.startswith(f"{key}/") or subject == key for subject in bad) for key in keys) < len(keys) / 2
    for holders in (
        [oracle.application_row(contoso, application) for application in contoso.applications],
        [oracle.principal_row(contoso, principal) for principal in contoso.service_principals],
    ):
        assert sum(any(subject.startswith(holder) for subject in bad) for holder in holders) < len(holders) / 2


def test_contoso_is_as_large_as_a_demo_should_be(contoso: Estate) -> None:
    assert len(contoso.subscriptions) == 3
    assert 11 <= len(contoso.vaults) <= 14
    assert 140 <= len([*versions(contoso)]) <= 180
    assert 60 <= len(contoso.applications) <= 85
    assert 85 <= len(contoso.service_principals) <= 115


@pytest.mark.parametrize("name", [*NAMES, "sized:3x7x30x40@5"])
def test_ids_are_well_formed_and_unique(name: str) -> None:
    found = estate(name, NOVEMBER_2026)
    holders = oracle.holders(found)
    guids = [found.tenant_id, *(s.id for s in found.subscriptions), *(holder.id for holder in holders)]
    assert [guid for guid in guids if not GUID.fullmatch(guid)] == []
    assert len(set(guids)) == len(guids)
    assert all(GUID.fullmatch(holder.app_id) for holder in holders)
    ids = [version.version for version in versions(found)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", version) for version in ids)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{1,22}[a-z0-9]", vault.name) for vault in found.vaults)
    assert all(re.fullmatch(r"[0-9a-zA-Z-]{1,127}", key.name) for vault in found.vaults for key in vault.keys)
    assert {vault.subscription for vault in found.vaults} <= {subscription.id for subscription in found.subscriptions}
    for vault in found.vaults:
        assert len({key.name for key in vault.keys}) == len(vault.keys)
    for holder in holders:
        thumbprints = [key.thumbprint for key in holder.keys if key.thumbprint]
        assert all(re.fullmatch(r"[0-9A-F]{40}", thumbprint) for thumbprint in thumbprints)


@pytest.mark.parametrize("name", [*NAMES, "sized:16x30x4@7"])
def test_keys_are_such_as_the_service_would_hold(name: str) -> None:
    found = estate(name, NOVEMBER_2026)
    for vault in found.vaults:
        for key in vault.keys:
            assert key.current in {version.version for version in key.versions}
            for version in key.versions:
                hsm = version.kty.endswith("-HSM")
                assert vault.sku == "premium" or not hsm
                assert (version.hsm_platform != "0") == hsm
                assert (version.key_size is None) == version.kty.startswith("EC") == (version.crv is not None)
                if version.created is not None and version.updated is not None:
                    assert 0 < version.created <= version.updated <= NOVEMBER_2026
                assert version.exp is None or version.created is None or version.exp > version.created


def test_the_crown_key_is_of_2016_whenever_the_demo_is_shown() -> None:
    for as_of in (NOVEMBER_2026, NOVEMBER_2026 + 2_000 * DAY):
        (vault,) = (vault for vault in estate("contoso", as_of).vaults if vault.name == "kv-identity-prod")
        (key,) = (key for key in vault.keys if key.name == "consumer-token-signing")
        created = oracle.current(key).created
        assert created is not None
        assert 1_451_606_400 <= created < 1_483_228_800


def test_every_other_date_moves_with_the_audit(contoso: Estate) -> None:
    later = estate("contoso", NOVEMBER_2026 + 400 * DAY)
    for before, after in zip(versions(contoso), versions(later), strict=True):
        assert before.version == after.version
        if before.created is None or after.created is None or before.created == 1_459_846_800:
            continue
        assert after.created - before.created == 400 * DAY
        assert before.exp is None or (after.exp is not None and after.exp - before.exp == 400 * DAY)
    for one, other in zip(contoso.applications, later.applications, strict=True):
        starts = {held.key_id: held.start for held in oracle.dated(one)}
        moved = {held.key_id: held.start for held in oracle.dated(other)}
        assert moved == {key: start + 400 * DAY for key, start in starts.items() if start is not None}


def test_no_end_is_written_in_both_ways(contoso: Estate) -> None:
    ends = [password.end for application in contoso.applications for password in application.passwords]
    assert None in ends
    assert 253_402_300_799 in ends


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"no such estate; try contoso, blind-spots, hardened, ordinary, sized:20x50$"):
        estate("fabrikam", NOVEMBER_2026)


@pytest.mark.parametrize("name", ESTATES)
def test_an_estate_of_the_tests_is_no_estate_of_the_demo(name: str) -> None:
    with pytest.raises(ValueError, match=f"estate '{name}': no such estate"):
        estates.estate(name, NOVEMBER_2026)


def test_help_offers_the_estates_that_the_demo_serves() -> None:
    offered = get_type_hints(Live, include_extras=True)["estate"].__metadata__[0].help.partition(": ")[2]
    assert re.findall(r"[\w:-]+", offered.replace("(the default)", "").replace(" or ", ", ")) == [*estates.NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_name_and_time_give_the_same_estate(name: str) -> None:
    assert estate(name, NOVEMBER_2026) == estate(name, NOVEMBER_2026)


@pytest.mark.parametrize(
    ("name", "vaults", "keys", "a_key", "applications"),
    [
        ("sized:20x50", 20, 50, 1, 20),
        ("sized:2x3x4", 2, 3, 4, 20),
        ("sized:60x2x30x7", 60, 2, 30, 7),
        ("sized:1x1x1x0", 1, 1, 1, 0),
    ],
)
def test_a_sized_estate_has_the_size_asked_for(name: str, vaults: int, keys: int, a_key: int, applications: int) -> None:
    found = estate(name, NOVEMBER_2026)
    assert found.name == name
    assert len(found.vaults) == vaults
    assert {len(vault.keys) for vault in found.vaults} == {keys}
    assert {len(key.versions) for vault in found.vaults for key in vault.keys} == {a_key}
    assert len(found.applications) == len(found.service_principals) == applications


def test_ten_thousand_keys_are_a_mix() -> None:
    found = estate("sized:100x100@3", NOVEMBER_2026)
    keys = [key for vault in found.vaults for key in vault.keys]
    assert len(keys) == 10_000
    assert len({key.name.rsplit("-", 1)[1] for key in keys}) == 6
    assert {version.kty for version in versions(found)} == {"RSA", "RSA-HSM", "EC", "EC-HSM"}
    bad = {"/".join(plant.subject.split("/")[:5]) for plant in found.plants if "/keys/" in plant.subject}
    assert 0.05 < len(bad) / len(keys) < 0.2


def test_another_seed_is_another_tenant() -> None:
    one, other = estate("sized:2x10@1", NOVEMBER_2026), estate("sized:2x10@2", NOVEMBER_2026)
    assert one.tenant_id != other.tenant_id
    assert {v.version for v in versions(one)}.isdisjoint({v.version for v in versions(other)})
    assert [key.name for key in one.vaults[0].keys] != [key.name for key in other.vaults[0].keys]


@pytest.mark.parametrize(
    "name", ["sized:", "sized:20", "sized:20x", "sized:axb", "sized:2x2x2x2x2", "sized:2x2@", "sized:-1x2"]
)
def test_a_size_out_of_form_says_how_to_write_it(name: str) -> None:
    with pytest.raises(ValueError, match="write sized:VAULTSxKEYS"):
        estate(name, NOVEMBER_2026)


@pytest.mark.parametrize(
    "name", ["sized:0x5", "sized:5x0", "sized:5x5x0", "sized:9999999x9999999", "sized:1x1x51", "sized:1x1x1x9999999"]
)
def test_a_size_of_nothing_or_too_much_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no size to serve"):
        estate(name, NOVEMBER_2026)


_FAMILY = {"broad-subject", "any-ref", "mutable-subject", "dangling", "issuer-retiring", "unknown-issuer"}


@pytest.mark.parametrize("managed", [False, True])
def test_each_grade_of_a_federated_credential_is_planted_on_applications_and_on_a_managed_identity(
    contoso: Estate, managed: bool
) -> None:
    identities = {one.id for one in contoso.service_principals if one.type == "ManagedIdentity"}
    found = {
        plant.policy.removeprefix("fed-fic-")
        for plant in contoso.plants
        if plant.policy.startswith("fed-fic-") and ("/serviceprincipals/" in plant.subject) is managed
    }
    assert found == _FAMILY
    planted = {plant.subject.rsplit("/", 1)[1] for plant in contoso.plants if plant.policy.startswith("fed-fic-")}
    holders: list[Application | ServicePrincipal] = [
        *contoso.applications,
        *(one for one in contoso.service_principals if one.id in identities),
    ]
    safe = [
        credential
        for one in holders
        for credential in one.federated
        if not {credential.id, credential.name.lower()} & planted and (one.id in identities) is managed
    ]
    assert safe


def test_hardened_has_a_safe_credential_of_each_family_of_issuers() -> None:
    there = estate("hardened", NOVEMBER_2026)
    hosts = {
        credential.issuer.split("/")[2]
        for federated in (*(one.federated for one in there.applications), *(one.federated for one in there.service_principals))
        for credential in federated
    }
    assert hosts == {
        "token.actions.githubusercontent.com",
        "gitlab.com",
        "login.microsoftonline.com",
        "accounts.google.com",
        "westeurope.oic.prod-aks.azure.com",
    }
