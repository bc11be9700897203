"""Thirty-five ways in which audits of Azure keys go wrong, each with a test that this one does not.

Those that one surface has to itself are tested beside that surface, and say there which they are: the last test here
finds them all.
"""

import asyncio
import functools
import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit import audit
from keyaudit.collect.run import collect_all
from keyaudit.inventory.snapshot import Snapshot, write
from keyaudit.model.coverage import State
from keyaudit.model.errors import Exit
from keyaudit.model.gating.acceptance import Acceptance
from keyaudit.model.gating.waivers import Glob, Waiver
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.results.findings import Outcome
from keyaudit.model.results.run import Report
from keyaudit.policy.load import Policy, load
from keyaudit.policy.settings import Judging
from keyaudit.simulator.estate import (
    Application,
    DeletedKey,
    Estate,
    Key,
    KeyCredential,
    Logs,
    PasswordCredential,
    Restriction,
    Restrictions,
    RotationPolicy,
    Vault,
    Workspace,
)
from keyaudit.simulator.estates.log_plans import setting
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import serve
from keyaudit.simulator.x509 import certificate
from tests.collect.estate import AS_OF, DAY, ESTATE, FIRST_ID, PRINCIPALS, SUBSCRIPTION, version
from tests.collect.refusals import refused
from tests.collect.rig import EVIDENCE, Collected, Noted, begun, collect, connected, left

FEW = ("kv-key-no-*", "kv-key-software-protected", "kv-legacy-access-policies", "kv-purge-*", "sp-credential-on-*")
"""The policies by which a run of its own is judged, unless the trap is about others."""
ROTATES = RotationPolicy(rotate_after="P300D", expiry_time="P365D", created=AS_OF - 300 * DAY)


def key(name: str, *versions: Any, rotation: RotationPolicy | None = ROTATES, managed: bool = False) -> Key:
    return Key(name=name, versions=versions, current=versions[-1].version, rotation=rotation, managed=managed)


KEYS = (
    key("expired", version(400, exp=AS_OF - 90 * DAY)),
    key("disabled", version(4000, enabled=False)),
    key("not-yet", version(1000, nbf=AS_OF + 9 * DAY, exp=AS_OF + 99 * DAY)),
    key("rotated", version(1000), version(10, exp=AS_OF + 99 * DAY)),
    key("tagged", version(1000, updated=AS_OF - DAY, exp=AS_OF + 99 * DAY)),
    key("notify-alone", version(20), rotation=None),
    key("before-expiry", version(30, exp=AS_OF + 60 * DAY), rotation=RotationPolicy(rotate_before_expiry="P30D")),
    key("before-no-expiry", version(40), rotation=RotationPolicy(rotate_before_expiry="P30D")),
    key("backing", version(2000), managed=True),
)
VAULT = Vault(
    name="kv-traps",
    subscription=SUBSCRIPTION,
    resource_group="rg-traps",
    sku="premium",
    rbac=None,
    purge_protection=None,
    keys=KEYS,
    deleted_keys=(DeletedKey(key=key("gone", version(50)), deleted=AS_OF - DAY, purge=AS_OF + 89 * DAY),),
)
APPLICATION = Application(
    id="a0000000-0000-4000-8000-0000000000aa",
    app_id="a1000000-0000-4000-8000-0000000000aa",
    name="old and new",
    created=AS_OF - 900 * DAY,
    passwords=(
        PasswordCredential(key_id="c0000000-0000-4000-8000-0000000000a1", start=AS_OF - DAY, end=AS_OF + 30 * DAY),
        PasswordCredential(key_id="c0000000-0000-4000-8000-0000000000a2", start=AS_OF - 900 * DAY, end=AS_OF + 900 * DAY),
        PasswordCredential(key_id="c0000000-0000-4000-8000-0000000000a3", start=AS_OF - DAY, end=None),
        PasswordCredential(key_id="c0000000-0000-4000-8000-0000000000a4", start=AS_OF - 90 * DAY, end=AS_OF - 3 * 3600),
    ),
)
TRAPS = replace(ESTATE, vaults=(VAULT,), applications=(*ESTATE.applications, APPLICATION))
VAULT_ID = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-traps/providers/microsoft.keyvault/vaults/kv-traps"


WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/w"


@functools.cache
def policies() -> dict[str, Policy]:
    """The shipped policies, by id."""
    return {policy.text.id: policy for policy in load()}


class Audited:
    """One run of an estate, judged: rows, and outcomes by policy and the last part of the subject."""

    def __init__(self, collected: Collected, report: Report, snapshot: Snapshot) -> None:
        self.collected, self.verdict, self.snapshot = collected, report.verdict, snapshot
        self._judged = {each.policy.id for each in report.tallies}.union(each.policy.id for each in report.verdict.not_judged)
        self._outcomes: dict[tuple[str, str], Outcome] = {}
        for finding in report.findings(True):
            self._outcomes[finding.policy.id, str(finding.row.get("id", finding.subject))] = finding.outcome

    def key(self, name: str, number: int | None = None) -> dict[str, Any]:
        """A version's row: the one that was made `number` days ago, or the only one."""
        rows = [row for id_, row in self.collected.rows["key"].items() if f"/keys/{name}/" in id_]
        return next(row for row in rows if number is None or str(row["version"]) == f"{number:032d}")

    def of(self, policy: str, name: str) -> Outcome | None:
        """The outcome for the row whose id has this in it; None where the policy does not apply."""
        assert policy in self._judged
        found = {outcome for (judged, id_), outcome in self._outcomes.items() if judged == policy and name in id_}
        assert len(found) <= 1, found
        return next(iter(found), None)


async def audited(
    folder: Path, estate: Estate, *faults: Fault, waivers: Sequence[Waiver] = (), by: Sequence[str] = FEW
) -> Audited:
    """The estate, read with faults and evaluated with the policies whose ids match one of the patterns."""
    async with serve(estate, faults=faults) as simulator, connected(simulator) as connection:
        with begun(folder / "out", estate.tenant_id) as spool:
            failures = await collect_all(connection, spool, progress=Noted(), evidence=EVIDENCE)
            collected = left(spool, failures, dict(simulator.calls))
            snapshot = write(spool, spool.run)
    chosen = [policy for id_, policy in policies().items() if any(fnmatch(id_, pattern) for pattern in by)]
    with audit.judge(snapshot, chosen, Judging(as_of=AS_OF), Acceptance(waivers=tuple(waivers))) as report:
        return Audited(collected, report, snapshot)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    return asyncio.run(audited(tmp_path_factory.mktemp("traps"), TRAPS, by=("*",)))


async def test_trap_1_a_key_whose_material_nobody_may_read_is_not_a_software_key(tmp_path: Path) -> None:
    found = await audited(tmp_path, TRAPS, refused("key.get", "permission"))
    assert all("kty" in row["unknown"] and "custody" in row["unknown"] for row in found.collected.rows["key"].values())
    assert found.of("kv-key-software-protected", "/keys/tagged/") is Outcome.UNKNOWN


async def test_trap_2_a_rotation_policy_that_arms_list_leaves_out_is_asked_for() -> None:
    found = await collect(replace(refused("key.list", "firewall"), where="kv-first"))
    rows = [row for id_, row in found.rows["key"].items() if "kv-first.vault.azure.net/keys/rotated/" in id_]
    assert rows
    assert all(row["auto_rotates"] is True for row in rows)


async def test_trap_3_only_a_rotate_action_that_can_come_true_rotates(run: Audited) -> None:
    assert run.key("notify-alone")["auto_rotates"] is False
    assert run.of("kv-key-no-auto-rotation", "/keys/notify-alone/") is Outcome.FAIL
    assert run.of("kv-key-no-auto-rotation", "/keys/before-expiry/") is Outcome.PASS
    # Before an expiry that is never set, nothing is ever rotated.
    assert run.of("kv-key-no-auto-rotation", "/keys/before-no-expiry/") is Outcome.FAIL
    assert run.of("kv-key-no-auto-rotation", "/keys/tagged/") is Outcome.PASS


async def test_trap_4_a_service_that_spells_otherwise_is_understood(tmp_path: Path) -> None:
    def louder(body: dict[str, Any]) -> object:
        for action in body["lifetimeActions"]:
            action["action"]["type"] = action["action"]["type"].upper()
        return body

    found = await audited(tmp_path, TRAPS, Fault("key.rotation_policy", "every", edit=louder))
    assert found.of("kv-key-no-auto-rotation", "/keys/tagged/") is Outcome.PASS
    assert found.of("kv-key-no-auto-rotation", "/keys/notify-alone/") is Outcome.FAIL


@pytest.mark.parametrize(
    "reason", ["permission", *(pytest.param(each, marks=pytest.mark.exhaustive) for each in ("vanished", "service_error"))]
)
async def test_trap_5_a_rotation_policy_that_was_refused_is_not_a_missing_one(tmp_path: Path, reason: str) -> None:
    found = await audited(tmp_path, TRAPS, refused("key.rotation_policy", reason))
    assert found.key("tagged")["unknown"]["auto_rotates"] == reason
    assert found.of("kv-key-no-auto-rotation", "/keys/tagged/") is Outcome.UNKNOWN


async def test_trap_6_a_vault_that_refuses_is_a_vault_that_was_not_read(tmp_path: Path) -> None:
    estate = replace(TRAPS, vaults=(replace(VAULT, access="rbac", rbac=True),))
    found = await audited(tmp_path, estate, refused("arm.key.list", "permission"))
    assert set(found.collected.rows["vault"]) == {VAULT_ID}
    assert found.collected.coverage[VAULT_ID, "key.list"].state is State.NOT_ASSESSED
    assert found.of("kv-key-no-expiry", VAULT_ID) is Outcome.UNKNOWN
    assert found.verdict.exit is Exit.INCOMPLETE


async def test_trap_7_to_have_an_expiry_is_not_to_be_unexpired(run: Audited) -> None:
    assert run.of("kv-key-no-expiry", "/keys/expired/") is Outcome.PASS
    assert run.of("kv-key-expired-still-enabled", "/keys/expired/") is Outcome.FAIL
    assert run.of("kv-key-expiring-soon", "/keys/expired/") is None
    assert run.of("kv-key-expired-still-enabled", "/keys/tagged/") is Outcome.PASS


async def test_trap_8_a_disabled_key_is_inventoried_and_not_judged_by_its_age(run: Audited) -> None:
    assert run.key("disabled")["enabled"] is False
    for policy in ("kv-key-no-expiry", "kv-key-rotation-overdue", "kv-key-no-auto-rotation", "kv-key-expired-still-enabled"):
        assert run.of(policy, "/keys/disabled/") is None


async def test_trap_9_age_counts_from_creation_whatever_the_start(run: Audited) -> None:
    assert run.key("not-yet")["activates_on"] == AS_OF + 9 * DAY
    assert run.of("kv-key-rotation-overdue", "/keys/not-yet/") is Outcome.FAIL


async def test_trap_10_a_young_key_may_have_an_old_version_that_lives(run: Audited) -> None:
    assert run.of("kv-key-rotation-overdue", f"/keys/rotated/{10:032d}") is Outcome.PASS
    assert run.key("rotated", 1000)["enabled"] is True
    assert run.of("kv-key-old-versions-enabled", f"/keys/rotated/{10:032d}") is Outcome.FAIL


async def test_trap_11_an_update_is_not_a_rotation(run: Audited) -> None:
    assert run.key("tagged")["updated_on"] == AS_OF - DAY
    assert run.of("kv-key-rotation-overdue", "/keys/tagged/") is Outcome.FAIL
    assert not any("updated_on" in policy.columns_read for policy in policies().values() if policy.table.name == "key")


async def test_trap_12_a_certificates_key_is_not_a_key_of_its_own(run: Audited) -> None:
    assert run.key("backing")["managed"] is True
    assert {policy for policy in policies() if run.of(policy, "/keys/backing/") is not None} <= {"use-weak-parameters"}
    assert run.collected.calls["key.rotation_policy"] == len(KEYS) - 1


async def test_trap_13_a_switch_that_was_never_set_is_off_and_one_that_was_not_read_is_unknown(
    run: Audited, tmp_path: Path
) -> None:
    row = run.collected.rows["vault"][VAULT_ID]
    assert (row["access_model"], row["purge_protection"]) == ("access-policy", False)
    assert run.of("kv-legacy-access-policies", VAULT_ID) is Outcome.FAIL

    def thin(body: dict[str, Any]) -> object:
        for item in body["value"]:
            item["properties"] = None
        return body

    found = await audited(tmp_path, TRAPS, Fault("vault.list", "every", edit=thin))
    assert found.of("kv-legacy-access-policies", VAULT_ID) is Outcome.UNKNOWN
    assert found.of("kv-purge-protection-off", VAULT_ID) is Outcome.UNKNOWN


def test_trap_14_one_rule_has_one_policy_whatever_the_vaults_access_model() -> None:
    assert "access_model" not in {
        column for policy in policies().values() if policy.table.name in ("key", "secret") for column in policy.columns_read
    }
    assert len(policies()["kv-key-no-expiry"].text.frameworks["cis-azure-6.0"]) == 2


async def test_trap_17_what_logs_the_audit_events_is_enough_and_what_is_switched_off_is_none(tmp_path: Path) -> None:
    ways: dict[str, dict[str, Any]] = {
        "kv-category": {"on": ("AuditEvent",)},
        "kv-audit": {"groups": ("audit",)},
        "kv-all": {"groups": ("allLogs",)},
        "kv-off": {"off": ("AuditEvent",)},
        "kv-other": {"on": ("AzurePolicyEvaluationDetails",)},
    }
    vaults = [replace(VAULT, name="kv-none", keys=())]
    for name, what in ways.items():
        found = setting(VAULT_ID.replace("kv-traps", name), "s", workspace=WORKSPACE, **what)
        vaults.append(replace(VAULT, name=name, keys=(), diagnostic_settings=(found,)))
    logs = Logs(workspaces=(Workspace(name="w", subscription=SUBSCRIPTION, resource_group="rg"),))
    run = await audited(tmp_path, replace(TRAPS, vaults=tuple(vaults), logs=logs))
    with run.snapshot.connect(AS_OF) as connection:
        logged = dict(connection.execute("SELECT name, audit_logged FROM vault").fetchall())
    assert logged == {name: name in ("kv-category", "kv-audit", "kv-all") for name in (*ways, "kv-none")}


async def test_trap_27_an_app_management_policy_that_is_off_limits_nothing() -> None:
    limits = Restrictions(passwords=(Restriction(type="passwordLifetime", max_lifetime="P90D"),))
    for enabled in (True, False):
        posture = replace(ESTATE.posture, default_enabled=enabled, for_applications=limits)
        found = await collect(estate=replace(ESTATE, posture=posture))
        rows = [row for row in found.rows["app_management_policy"].values() if row["kind"] == "default"]
        lifetimes = {row.get("password_lifetime") for row in rows}
        assert lifetimes == ({90 * DAY, None} if enabled else {None})


async def test_trap_18_a_premium_vault_proves_nothing_about_its_keys(run: Audited) -> None:
    assert run.collected.rows["vault"][VAULT_ID]["sku"] == "premium"
    assert run.key("tagged")["custody"] == "software"
    assert run.of("kv-key-software-protected", "/keys/tagged/") is Outcome.FAIL


async def test_trap_20_a_vault_is_asked_where_azure_says_it_is() -> None:
    def elsewhere(body: dict[str, Any]) -> object:
        for item in body["value"]:
            item["properties"]["vaultUri"] = "https://kv-second.vault.azure.net/"
        return body

    found = await collect(Fault("vault.list", "every", where=SUBSCRIPTION, edit=elsewhere))
    # The one that is there, and not the one that its name would give; a vault that leads to another is not read.
    assert found.coverage[FIRST_ID, "key.list"].reason == "bad_vault_uri"
    assert not any("kv-first" in id_ for id_ in found.rows["key"])


async def test_trap_22_a_list_that_broke_off_is_a_partial_one(tmp_path: Path) -> None:
    keys = tuple(replace(KEYS[4], name=f"key-{number:02}") for number in range(60))
    late = Fault("key.list", 2, status=403, body={"error": {"code": "Forbidden", "message": "no"}})
    estate = replace(TRAPS, vaults=(replace(VAULT, keys=keys),))
    found = await audited(tmp_path, estate, late, refused("arm.key.list", "permission"))
    record = found.collected.coverage[VAULT_ID, "key.list"]
    assert (record.state, record.kept) == (State.PARTIAL, 24)
    assert found.verdict.exit is Exit.INCOMPLETE


async def test_trap_23_a_saml_certificate_is_one_however_many_entries_it_has(run: Audited) -> None:
    holder = PRINCIPALS[0]
    assert len(holder.keys) + len(holder.passwords) == 3
    assert len([id_ for id_ in run.collected.rows["signing_certificate"] if holder.id in id_]) == 1
    assert not [id_ for id_ in run.collected.rows["credential"] if holder.id in id_]


async def test_trap_24_what_hangs_on_both_objects_is_counted_on_each_and_told_apart(tmp_path: Path) -> None:
    start, end = AS_OF - DAY, AS_OF + DAY

    def key(key_id: str, name: str) -> KeyCredential:
        body = certificate("CN=client", key_name=name, start=start, end=end)
        return KeyCredential(key_id=key_id, start=start, end=end, thumbprint="EF" * 20, certificate=body)

    shared = key("c0000000-0000-4000-8000-0000000000b1", "shared")
    # An intruder's, with the keyId and the thumbprint of the application's.
    copied = key(shared.key_id, "intruder")
    again = replace(shared, key_id="c0000000-0000-4000-8000-0000000000b2")
    application = replace(APPLICATION, passwords=(), keys=(shared,))
    principal = replace(
        PRINCIPALS[0],
        id="50000000-0000-4000-8000-0000000000aa",
        app_id=application.app_id,
        keys=(copied, again),
        passwords=(),
        sso_mode=None,
        preferred_thumbprint=None,
    )
    estate = replace(TRAPS, applications=(application,), service_principals=(principal,))
    found = await audited(tmp_path, estate)
    assert len(found.collected.rows["credential"]) == 3
    policy = "sp-credential-on-service-principal"
    assert found.of(policy, f"{principal.id}/credentials/{again.key_id}") is Outcome.PASS
    assert found.of(policy, f"{principal.id}/credentials/{copied.key_id}") is Outcome.FAIL


async def test_trap_25_no_end_is_an_end_that_never_comes_and_hours_count(run: Audited) -> None:
    assert run.of("app-credential-never-expires", "0000000000a3") is Outcome.FAIL
    # Three hours ago is expired, though it is no day ago.
    assert run.of("app-expired-credential-left", "0000000000a4") is not None


async def test_trap_26_each_credential_is_judged_by_itself(run: Audited) -> None:
    assert run.of("app-secret-too-long", "0000000000a1") is Outcome.PASS
    assert run.of("app-secret-too-long", "0000000000a2") is Outcome.FAIL


async def test_trap_30_a_key_that_must_not_expire_can_be_excepted_by_name(tmp_path: Path) -> None:
    waiver = Waiver(
        id="W-1",
        policy=Glob("kv-key-no-expiry"),
        resource=Glob("*/keys/tagged*"),
        reason="a customer key of Microsoft 365",
        owner="o",
        approved_by="a",
        ends=AS_OF + DAY,
    )
    endless = tuple(replace(each, versions=(replace(each.versions[-1], exp=None),)) for each in KEYS[4:6])
    estate = replace(TRAPS, vaults=(replace(VAULT, keys=endless),))
    found = await audited(tmp_path, estate, waivers=(waiver,))
    assert found.of("kv-key-no-expiry", "/keys/tagged/") is Outcome.WAIVED
    assert found.of("kv-key-no-expiry", "/keys/notify-alone/") is Outcome.FAIL


async def test_trap_31_more_vaults_than_anything_runs_at_once_are_all_read_and_a_bug_is_never_swallowed() -> None:
    vaults = tuple(replace(VAULT, name=f"kv-many-{number:02}", keys=KEYS[4:5]) for number in range(70))
    found = await collect(estate=replace(TRAPS, vaults=vaults))
    assert len(found.rows["key"]) == len(vaults)
    assert found.failures == []


async def test_trap_32_a_run_that_saw_nothing_is_no_clean_one(tmp_path: Path) -> None:
    everything = [Fault(operation, "every", status=403, body={}) for operation in OPERATIONS if operation != "login.metadata"]
    found = await audited(tmp_path, TRAPS, *everything)
    assert found.verdict.exit is Exit.NO_ACCESS
    assert Exit.INCOMPLETE in found.verdict.conditions


async def test_trap_33_not_unknown_is_unknown(tmp_path: Path) -> None:
    negated = [
        policy.text.id for policy in policies().values() if policy.table.name == "key" and "custody" in policy.columns_read
    ]
    found = await audited(tmp_path, TRAPS, refused("key.get", "service_error"), by=negated)
    assert negated
    assert {found.of(policy, "/keys/tagged/") for policy in negated} <= {Outcome.UNKNOWN, None}


async def test_trap_34_what_was_deleted_is_listed_and_not_judged(run: Audited) -> None:
    assert not any("/keys/gone" in id_ for id_ in run.collected.rows["key"])
    assert any("gone" in id_ for id_ in run.collected.rows["deleted"])


async def test_trap_35_keys_of_one_name_in_two_vaults_stay_apart() -> None:
    twin = replace(VAULT, name="kv-twin")
    found = await collect(estate=replace(TRAPS, vaults=(VAULT, twin)))
    ids = [id_ for id_ in found.rows["key"] if "/keys/tagged/" in id_]
    assert sorted(id_.split("/")[2] for id_ in ids) == ["kv-traps.vault.azure.net", "kv-twin.vault.azure.net"]
    assert {found.rows["key"][id_]["vault_id"].rpartition("/")[2] for id_ in ids} == {"kv-traps", "kv-twin"}


def test_every_trap_has_its_test() -> None:
    said = re.compile(r"(?i)trap[_ ](\d+)(?!\d)")
    found = {int(number) for path in Path(__file__).parent.rglob("*.py") for number in said.findall(path.read_text("utf-8"))}
    assert set(range(1, 36)) <= found
