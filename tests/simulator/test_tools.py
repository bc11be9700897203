"""Other auditors' programs work unmodified: az, Cloud Custodian, and Azure's clients of vaults and management."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.simulator.estate import Role, RoleAssignment, User
from keyaudit.simulator.roles import CRYPTO_USER, READER
from keyaudit.simulator.serve import Simulator, serve
from tests.needs import tool
from tests.simulator.small import APPLICATIONS, CERTIFICATE, GROUP, MANY, OPEN, PRINCIPALS, REQUESTED, SMALL, SUBSCRIPTION

pytestmark = pytest.mark.exhaustive
PROGRAM = Path(__file__).with_name("tools.py")

ANNA = User(id="0c000000-0000-4000-8000-0000000000a1", name="Anna", upn="anna@small.example")
KEEPER = Role(id="70000000-0000-4000-8000-000000000001", name="Key Keeper", custom=True)
HOME = f"/subscriptions/{SUBSCRIPTION}"


def _assigned(number: int, scope: str, role: str, who: str, kind: str) -> RoleAssignment:
    return RoleAssignment(
        id=f"ea000000-0000-4000-8000-{number:012}", scope=scope, role=role, principal=who, principal_type=kind
    )


BOUGHT = replace(CERTIFICATE, name="bought", policy=replace(CERTIFICATE.policy, issuer="digicert"))
TENANT = replace(
    SMALL,
    users=(ANNA,),
    roles=(KEEPER,),
    vaults=(replace(OPEN, certificates=(CERTIFICATE, BOUGHT, REQUESTED), contacts=("keys@small.example",)), MANY),
    role_assignments=(
        _assigned(1, "/", READER, ANNA.id, "User"),
        _assigned(2, HOME, KEEPER.id, GROUP.id, "Group"),
        _assigned(3, f"{HOME}/resourceGroups/rg-main", CRYPTO_USER, PRINCIPALS[0].id, "ServicePrincipal"),
    ),
)


async def _run(simulator: Simulator, *command: str | Path, **more: str) -> str:
    """What an unmodified program prints, led to the simulator by the environment alone."""
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**environ, **simulator.environ, **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()[-2_000:]
    return out.decode()


async def test_az(tmp_path: Path) -> None:
    az = tool("az/bin/az")
    async with serve(TENANT) as simulator:

        async def asked(*words: str) -> Any:
            places = {"AZURE_CONFIG_DIR": str(tmp_path), "AZURE_CORE_COLLECT_TELEMETRY": "0"}
            return json.loads(await _run(simulator, az, *words, "--output", "json", "--only-show-errors", **places))

        application, secret = simulator.client_id, simulator.client_secret
        account = await asked("login", "--service-principal", "-u", application, "-p", secret, "--tenant", TENANT.tenant_id)
        vaults = await asked("keyvault", "list")
        keys = await asked("keyvault", "key", "list", "--vault-name", "kv-many")
        secrets = await asked("keyvault", "secret", "list", "--vault-name", "kv-open")
        certificates = await asked("keyvault", "certificate", "list", "--vault-name", "kv-open", "--include-pending")
        assignments = await asked("role", "assignment", "list", "--all")
        of_anna = await asked("role", "assignment", "list", "--assignee", ANNA.upn, "--include-inherited")
        definitions = await asked("role", "definition", "list", "--custom-role-only", "true")
        applications = await asked("ad", "app", "list", "--all")
        principals = await asked("ad", "sp", "list", "--all")
    assert [one["name"] for one in account] == ["Production", "Sandbox"]
    assert {one["name"].lower() for one in vaults} == {"kv-many", "kv-open", "hsm-open"}
    assert len(keys) == len(MANY.keys)
    # As az does everywhere, it leaves out what backs a certificate.
    assert [one["name"] for one in secrets] == ["Password"]
    assert [one["name"] for one in certificates] == ["backing", "bought", "requested"]
    assert [(one["roleDefinitionName"], one["principalName"]) for one in assignments] == [
        ("Reader", ANNA.upn),
        (KEEPER.name, GROUP.name),
        ("Key Vault Crypto User", PRINCIPALS[0].name),
    ]
    assert [one["roleDefinitionName"] for one in of_anna] == ["Reader"]
    assert [one["roleName"] for one in definitions] == [KEEPER.name]
    assert (len(applications), len(principals)) == (len(APPLICATIONS), len(PRINCIPALS))
    assert not [name for name in simulator.calls if name.endswith((".unknown", ".write"))]


async def test_cloud_custodian(tmp_path: Path) -> None:
    custodian, policies = tool("c7n/bin/custodian"), tmp_path / "policies.json"
    kinds = ("keyvault", "keyvault-key", "roleassignment")
    policies.write_text(json.dumps({"policies": [{"name": kind, "resource": f"azure.{kind}"} for kind in kinds]}))
    async with serve(TENANT) as simulator:
        places = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, "HOME": str(tmp_path)}
        await _run(simulator, custodian, "run", "--cache-period", "0", "-s", tmp_path / "out", policies, **places)
    vaults, keys, assignments = (json.loads((tmp_path / "out" / kind / "resources.json").read_text()) for kind in kinds)
    assert {one["name"] for one in vaults} == {"kv-open", "kv-many"}
    assert len(keys) == sum(not key.managed for key in (*OPEN.keys, *MANY.keys))
    assert {one["properties"]["principalId"] for one in assignments} == {ANNA.id, GROUP.id, PRINCIPALS[0].id}
    # It still looks names up in the retired graph, as with any tenant of today.
    assert simulator.calls["aad_graph.any"] == 1
    assert not [name for name in simulator.calls if name.endswith((".unknown", ".write"))]


async def test_clients_of_vaults_and_management() -> None:
    async with serve(TENANT) as simulator:
        seen = json.loads(await _run(simulator, tool("sdk/bin/python"), PROGRAM, SUBSCRIPTION))
    assert seen["certificates"] == {
        "names": ["backing", "bought", "requested"],
        "versions": 1,
        "deleted": ["gone"],
        "thumbprint": 20,
        "policy": ["Self", 12, True],
        "operation": ["inProgress", True],
        "issuers": ["digicert"],
        "contacts": ["keys@small.example"],
        "refused": 403,
    }
    assert seen["secrets"] == {"names": ["backing", "Password"], "deleted": ["gone"]}
    assert seen["vaults"] == {
        "vaults": [["kv-many", None], ["kv-open", True]],
        "keys": ["backing", "elliptic", "exportable", "old", "Signing"],
        "key": "RSA",
        "secrets": [["backing", None], ["Password", None]],
        "deleted": ["kv-gone"],
        "hsms": ["hsm-open"],
        "refused": "AuthorizationFailed",
    }
    assert seen["roles"] == {
        "assignments": [["Key Keeper", "Group"], ["Key Vault Crypto User", "ServicePrincipal"], ["Reader", "User"]],
        "at scope": 2,
        "custom": ["Key Keeper"],
        "denials": 0,
        "eligible": 0,
    }
    assert {name for name in simulator.calls if name.endswith((".unknown", ".write"))} == {"vault.write", "arm.write"}
