"""A whole tenant into a spool: everything that is there and nothing else, whole again after an interruption."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.cloud.gateway import Gateway
from keyaudit.collect.access.roles import OPERATIONS as ROLE_OPERATIONS
from keyaudit.collect.entra import federation, identity_limits, issuer
from keyaudit.collect.entra.policies import token_policies
from keyaudit.collect.key_vault import certificates, deleted, secrets
from keyaudit.collect.managed_hsm import devices
from keyaudit.collect.run import collect_all
from keyaudit.collect.services import consumers, events
from keyaudit.collect.surfaces import SURFACES
from keyaudit.inventory.spool import Spool
from keyaudit.model.coverage import State
from keyaudit.model.errors import OutputError
from keyaudit.model.operations import Throttle
from keyaudit.model.tables import TABLES
from keyaudit.simulator.estate import Resource
from keyaudit.simulator.estates import estate as made
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import serve
from tests.collect.estate import (
    APPLICATIONS,
    AS_OF,
    EMPTY_SUBSCRIPTION,
    ESTATE,
    FIRST_ID,
    FIRST_KEYS,
    OWNER,
    PRINCIPALS,
    SAML,
    SECOND_ID,
    SECOND_KEYS,
    STS,
    SUBSCRIPTION,
    TENANT_ID,
)
from tests.collect.rig import EVIDENCE, Collected, Noted, begun, collect, connected, left
from tests.matrices import first_of

SUBSCRIPTION_OPERATIONS = (
    "vault.list",
    "hsm.list",
    "deleted_vault.list",
    "deleted_hsm.list",
    "role_eligibility.list",
    "deny_assignment.list",
    "activity_log.list",
    "defender.plan",
)
VAULT_OPERATIONS = (
    "key.get",
    "key.list",
    "key.rotation_policy",
    "key.versions",
    *certificates.OPERATIONS,
    *secrets.OPERATIONS,
    *deleted.OBJECTS,
    "diagnostic_setting.list",
)
# What tables declare how to read.
DECLARED = [operation for table in TABLES.values() for read in table.reads for operation in (read.parent, read.operation)]
TENANT_OPERATIONS = (
    "organization.get",
    "domain.list",
    "subscription.list",
    "vault.query",
    "service.query",
    "secret_use.query",
    *consumers.OPERATIONS,
    *events.OPERATIONS,
    "host.query",
    *devices.OPERATIONS,
    "delegation.query",
    "role_assignment.query",
    "role_definition.query",
    "subscription.query",
    "hsm.query",
    "app_management.default",
    "app_management.list",
    "app_management.applied",
    "app_management.default_beta",
    "app_management.list_beta",
    "authorization_policy.get",
    "security_defaults.get",
    "entra_log.list",
    "workspace.get",
    "workspace.table",
    "alert_rule.query",
    "sentinel_rule.list",
    "principal.lookup",
    "principal.get",
    "group.members",
    "group.direct_members",
    *(
        f"{kind}.{what}"
        for kind in ("application", "service_principal")
        for what in ("list", "get", "owners", "owners_of", "federated", "federated_of", "expressions_of")
    ),
    "service_principal.app_roles",
    "service_principal.app_roles_of",
    "delegated_grant.list",
    "directory_role.definitions",
    "directory_role.assignments",
    "directory_role.eligibilities",
    "managed_identity.query",
    *("managed_identity.expressions_of", "managed_identity.federated_of", *identity_limits.OPERATIONS),
    *("agent.list", "agent.get", "agent.sponsors", "agent_user.list", "blueprint.sponsors_of", "blueprint.inheritable_of"),
    "blueprint.principal_sponsors_of",
    *federation.OPERATIONS,
    *token_policies.OPERATIONS,
    *filter(None, DECLARED),
    *issuer.OPERATIONS,
)


def unknown(found: Collected) -> set[tuple[str, str]]:
    """Tables and columns that are unknown in some row."""
    return {(table, name) for table, rows in found.rows.items() for row in rows.values() for name in row.get("unknown", ())}


async def test_everything_is_read_and_nothing_is_unknown() -> None:
    found = await collect()
    ids = {table: set(rows) for table, rows in found.rows.items()}
    applications = [f"{TENANT_ID}/applications/{one.id}" for one in APPLICATIONS]
    principals = [f"{TENANT_ID}/serviceprincipals/{one.id}" for one in PRINCIPALS]
    subscriptions = [f"/subscriptions/{one}" for one in (SUBSCRIPTION, EMPTY_SUBSCRIPTION)]
    assert ids == {
        **{table: set() for table in TABLES},
        "tenant": {TENANT_ID},
        "subscription": {f"/subscriptions/{one}" for one in (SUBSCRIPTION, EMPTY_SUBSCRIPTION)},
        "vault": {FIRST_ID, SECOND_ID},
        "key": FIRST_KEYS | SECOND_KEYS,
        "application": set(applications),
        "service_principal": set(principals),
        "credential": {
            f"{applications[0]}/credentials/c0000000-0000-4000-8000-000000000001",
            f"{applications[0]}/credentials/c0000000-0000-4000-8000-000000000002",
            f"{applications[0]}/credentials/f0000000-0000-4000-8000-000000000001",
            f"{applications[1]}/credentials/c0000000-0000-4000-8000-000000000003",
            f"{principals[1]}/credentials/c0000000-0000-4000-8000-000000000006",
            f"{principals[1]}/federatedidentitycredentials/pod",
        },
        "foreign_tenant": {f"{TENANT_ID}/crosstenantaccess/default"},
        "grant": set(found.rows["grant"]),
        "signing_certificate": {
            f"{principals[0]}/signingcertificates/{SAML.lower()}",
            f"{TENANT_ID}/domains/a.example/signingcertificates/{STS.lower()}",
        },
        "federated_domain": {f"{TENANT_ID}/domains/a.example"},
        "token_policy": {f"{TENANT_ID}/policies/federatedtokenvalidationpolicy"},
        "issuer_key": set(found.rows["issuer_key"]),
        "shared_key": set(found.rows["shared_key"]),
        "app_management_policy": {
            f"{TENANT_ID}/appmanagementpolicies/default/{applies_to}" for applies_to in ("applications", "service-principals")
        },
        "defender_plan": {f"{one}/providers/microsoft.security/pricings/keyvaults" for one in subscriptions},
        # Owners, and the administrator that every simulated tenant has.
        "principal": {f"{TENANT_ID}/principals/{OWNER.format(number)}" for number in range(25)}
        | {f"{TENANT_ID}/principals/{row['principal_id']}" for row in found.rows["grant"].values()},
    }
    # The key that the simulated tenant signs with is among those of every organization, beside one for personal accounts.
    assert (len(ids["issuer_key"]), len(ids["shared_key"])) == (1, 4)
    # Graph gave no start date for two credentials: no kind of credential lacks one.
    assert unknown(found) == {("credential", "starts_on")}
    assert found.gaps() == {}
    assert found.failures == []
    assert set(found.coverage) == {
        *((TENANT_ID, operation) for operation in TENANT_OPERATIONS),
        *((one, operation) for one in subscriptions for operation in SUBSCRIPTION_OPERATIONS),
        *((vault, operation) for vault in (FIRST_ID, SECOND_ID) for operation in VAULT_OPERATIONS),
    }


async def test_no_request_is_made_twice_or_in_vain() -> None:
    found = await collect()
    keys = sum(len(vault.keys) for vault in ESTATE.vaults)
    versions = sum(len(key.versions) for vault in ESTATE.vaults for key in vault.keys)
    # The current version needs no GET of its own, a certificate's key no rotation policy.
    assert found.calls["key.versions"] == keys
    assert found.calls["key.get"] == versions
    assert found.calls["key.rotation_policy"] == keys - 1
    assert "vault.get" not in found.calls
    # One application and one service principal have as many owners as a list shows, or more.
    assert found.calls["application.owners_of"] == found.calls["service_principal.owners_of"] == 1


async def test_the_demonstration_tenant_is_read_without_a_gap() -> None:
    contoso = made("contoso", AS_OF)
    found = await collect(estate=contoso)
    assert found.gaps() == {}
    assert len(found.rows["vault"]) == len(contoso.vaults) + len(contoso.hsms)
    keys = [key for vault in contoso.vaults for key in vault.keys] + [key for hsm in contoso.hsms for key in hsm.keys]
    assert len(found.rows["key"]) == sum(len(key.versions) for key in keys)
    certificates = [certificate for vault in contoso.vaults for certificate in vault.certificates]
    assert len(found.rows["certificate"]) == sum(len(certificate.versions) for certificate in certificates)
    assert len(found.rows["secret"]) == sum(len(secret.versions) for vault in contoso.vaults for secret in vault.secrets)
    assert len(found.rows["application"]) == len(contoso.applications)
    assert len(found.rows["service_principal"]) == len(contoso.service_principals)
    # Of another company's blueprint, only its own tenant can see it; a storage account whose key was deleted names no version.
    assert unknown(found) == {
        ("blueprint", "inheritable_roles"),
        ("blueprint", "inheritable_scopes"),
        ("key_use", "version_in_use"),
    }


async def test_progress_names_every_surface_and_ends_each(tmp_path: Path) -> None:
    noted = Noted()
    async with serve(ESTATE) as simulator, connected(simulator) as connection:
        with begun(tmp_path / "out", ESTATE.tenant_id) as spool:
            await collect_all(connection, spool, progress=noted, evidence=EVIDENCE)
    assert {surface for surface, _, _ in noted.updates} == set(SURFACES.names)
    last = {surface: (done, total) for surface, done, total in noted.updates}
    assert last == {
        **dict.fromkeys(SURFACES.names, (1, 1)),
        "vaults": (2, 2),
        "deleted vaults": (2, 2),
        "keys": (2, 2),
        "certificates": (2, 2),
        "secrets": (2, 2),
        "deleted": (2, 2),
        "HSMs": (0, 0),
        "deleted HSM keys": (0, 0),
        "applications": (2, 2),
        "service principals": (3, 3),
        "activity logs": (2, 2),
        "audit logs": (2, 2),
        "HSM audit logs": (0, 0),
        "public keys": (0, 0),
    }


async def test_nothing_waits_for_the_keys_that_does_not_need_them(tmp_path: Path) -> None:
    """While a vault takes long to list its keys, what needs only its subscription, or only the directory, is read."""
    slow = Fault("key.list", "every", delay=0.5)
    async with serve(ESTATE, faults=(slow,)) as simulator, connected(simulator) as connection:
        with begun(tmp_path / "out", ESTATE.tenant_id) as spool:
            await collect_all(connection, spool, progress=Noted(), evidence=EVIDENCE)
        targets = [target for _, _, target in simulator.requests]
    keys = next(at for at, target in enumerate(targets) if target.startswith("/keys/"))
    for sooner in ("roleEligibilityScheduleInstances", "denyAssignments", "oauth2PermissionGrants"):
        assert next(at for at, target in enumerate(targets) if sooner in target) < keys, sooner


async def test_the_requests_that_are_still_to_be_sent_are_foretold_by_limit_and_place(tmp_path: Path) -> None:
    sites = tuple(
        Resource(type="Microsoft.Web/sites", name=f"app-{nth}", subscription=SUBSCRIPTION, resource_group="rg", properties={})
        for nth in range(3)
    )
    noted, estate = Noted(), replace(ESTATE, resources=sites)
    async with serve(estate) as simulator, connected(simulator) as connection:
        with begun(tmp_path / "out", ESTATE.tenant_id) as spool:
            await collect_all(connection, spool, progress=noted, evidence=EVIDENCE)
    of_arm = [each for each in noted.forecasts if each.throttle is Throttle.ARM_SUBSCRIPTION]
    # The diagnostic settings of two vaults as soon as these are found, then two lists below each of three apps.
    assert [(each.surface, each.place, each.requests) for each in of_arm] == [
        ("audit logs", "Production", 2),
        ("consumers", "Production", 5),
        ("consumers", "Production", 8),
    ]
    assert max(each.seconds for each in of_arm) == 0
    of_graph = [each.requests for each in noted.forecasts if each.throttle is Throttle.GRAPH]
    assert max(of_graph) == sum(simulator.calls[f"{kind}.federated_of"] for kind in ("application", "service_principal"))
    # The progress counts these lists.
    assert [update for update in noted.updates if update[0] == "consumers"][-2:] == [("consumers", 6, 6), ("consumers", 6, 6)]


class Stops(Noted):
    """Stops the run, or fails, once a surface is so far."""

    def __init__(self, surface: str, done: int, error: Exception | None = None) -> None:
        super().__init__()
        self._at, self._error = (surface, done), error
        self.task: asyncio.Task[object] | None = None

    def update(self, surface: str, done: int, total: int | None) -> None:
        super().update(surface, done, total)
        if (surface, done) == self._at:
            if self._error and total is None:
                raise self._error
            if self._error:
                return
            assert self.task is not None
            self.task.cancel()


@pytest.mark.parametrize(
    "stop", first_of([("keys", 1), ("vaults", 2), ("applications", 1), ("service principals", 2), ("tenant", 1)], 2)
)
async def test_an_interrupted_run_goes_on_to_the_same_end(whole: Collected, tmp_path: Path, stop: tuple[str, int]) -> None:
    async with serve(ESTATE) as simulator, connected(simulator) as connection:
        with begun(tmp_path / "out", ESTATE.tenant_id) as spool:
            progress = Stops(*stop)
            progress.task = asyncio.ensure_future(collect_all(connection, spool, progress=progress, evidence=EVIDENCE))
            with pytest.raises(asyncio.CancelledError):
                await progress.task
            assert any(record.reason == "interrupted" for record in spool.coverage()) or stop == ("vaults", 2)
        before = dict(simulator.calls)
        with Spool.resume(tmp_path / "out") as spool:
            closed = spool.done("vaults", next(record.scope for record in spool.coverage()))
            assert await collect_all(connection, spool, progress=Noted(), evidence=EVIDENCE) == []
            found = left(spool)
            if closed:
                assert simulator.calls["subscription.list"] == before["subscription.list"]
    assert found.rows == whole.rows
    assert found.coverage == whole.coverage


async def test_a_bug_in_one_unit_is_reported_and_the_run_goes_on(tmp_path: Path) -> None:
    bug = RuntimeError("a bug")
    async with serve(ESTATE) as simulator, connected(simulator) as connection:
        with begun(tmp_path / "out", ESTATE.tenant_id) as spool:
            failures = await collect_all(connection, spool, progress=Stops("applications", 1, bug), evidence=EVIDENCE)
            found = left(spool, failures)
    assert [(failure.surface, failure.error) for failure in found.failures] == [("applications", bug)]
    assert set(found.causes().values()) == {"not_assessed internal_error"}
    assert {operation.partition(".")[0] for _, operation in found.causes()} == {"application"}
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS
    assert len(found.rows["service_principal"]) == len(PRINCIPALS)


async def test_a_spool_that_cannot_be_written_ends_the_run(tmp_path: Path) -> None:
    async with serve(ESTATE) as simulator, connected(simulator) as connection:
        with begun(tmp_path / "out", ESTATE.tenant_id) as spool:
            (tmp_path / "out" / "spool" / "vault.jsonl").mkdir()
            with pytest.raises(OutputError):
                await collect_all(connection, spool, progress=Noted(), evidence=EVIDENCE)


async def test_a_subscription_of_another_tenant_is_named_and_not_looked_into() -> None:
    def moved(body: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
        for item in body["value"]:
            if item["subscriptionId"] == SUBSCRIPTION:
                item["tenantId"] = "99999999-0000-4000-8000-000000000000"
        return body

    found = await collect(Fault("subscription.list", "every", edit=moved))
    assert found.gaps() == {
        (f"/subscriptions/{SUBSCRIPTION}", operation): "not_assessed other_tenant" for operation in ("vault.list", "hsm.list")
    }
    assert found.rows["vault"] == {}
    assert found.calls["vault.list"] == 1


@pytest.mark.parametrize("member", ["tenantId", "subscriptionId"])
async def test_a_subscription_of_which_nobody_knows_whose_it_is_is_one_that_was_not_read(member: str) -> None:
    def spoil(body: dict[str, list[dict[str, str]]]) -> dict[str, list[dict[str, str]]]:
        body["value"][0][member] = "not-a-guid"
        return body

    found = await collect(Fault("subscription.list", "every", edit=spoil))
    assert found.coverage[TENANT_ID, "subscription.list"].quarantined == 1
    assert not any("other_tenant" in why for why in found.gaps().values())


async def test_no_visible_subscription_is_not_an_empty_tenant() -> None:
    found = await collect(estate=replace(ESTATE, subscriptions=(), vaults=()))
    assert found.gaps() == {
        (TENANT_ID, "subscription.list"): "not_assessed nothing_visible",
        (TENANT_ID, "service.query"): "not_assessed parent_not_assessed",
        (TENANT_ID, "secret_use.query"): "not_assessed parent_not_assessed",
        **{
            (TENANT_ID, operation): "not_assessed parent_not_assessed"
            for operation in (*consumers.OPERATIONS, *events.OPERATIONS)
        },
        (TENANT_ID, "host.query"): "not_assessed parent_not_assessed",
        (TENANT_ID, "managed_identity.query"): "not_assessed parent_not_assessed",
        (TENANT_ID, "managed_identity.expressions_of"): "not_assessed parent_not_assessed",
        (TENANT_ID, "managed_identity.federated_of"): "not_assessed parent_not_assessed",
        **{
            (TENANT_ID, operation): "not_assessed parent_not_assessed"
            for operation in (*identity_limits.OPERATIONS, *devices.OPERATIONS)
        },
        **{(TENANT_ID, operation): "not_assessed parent_not_assessed" for operation in ("vault.query", *ROLE_OPERATIONS)},
        (TENANT_ID, "hsm.query"): "not_assessed parent_not_assessed",
        (TENANT_ID, "alert_rule.query"): "not_assessed parent_not_assessed",
        (TENANT_ID, "sentinel_rule.list"): "not_assessed parent_not_assessed",
    }
    assert found.coverage[TENANT_ID, "application.list"].state is State.ASSESSED


async def test_a_large_vault_gets_the_room_of_the_small_ones_that_are_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    large, small = made("sized:1x40", AS_OF), made("sized:32x1@1", AS_OF)
    home = large.subscriptions[0].id
    # The first vault of both has the same name.
    others = tuple(replace(vault, subscription=home) for vault in small.vaults[1:])
    at_once, most = Counter[str](), Counter[str]()
    ask = Gateway.get

    async def counted(gateway: Gateway, operation: str, item: type[Any], *, host: str = "", **segments: str) -> object:
        at_once[host] += 1
        most[host] = max(most[host], at_once[host])
        try:
            return await ask(gateway, operation, item, host=host, **segments)
        finally:
            at_once[host] -= 1

    monkeypatch.setattr(Gateway, "get", counted)
    await collect(estate=replace(large, vaults=(*large.vaults, *others)))
    del most[""]
    (host, peak), (_, second), *_ = most.most_common(2)
    assert large.vaults[0].name in host
    # Its own two, and the four that belong to no vault.
    assert peak > 2 + 4
    assert second == 1
