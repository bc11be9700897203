"""Servers of databases in a plan that encrypt with a key of a vault."""

from typing import Any

from keyaudit.model.errors import Exit
from tests.plan.small import UNKNOWN, Resource, key, plan, vault
from tests.plan.test_gate import HSM, LOGGED, SAFE, gate, keyaudit, outcomes

__all__ = ["gate", "keyaudit"]


def database(name: str, **block: object) -> Resource:
    """The example of website/docs/r/postgresql_flexible_server.html.markdown with a customer-managed key."""
    values = {"name": name, "resource_group_name": "example-resources", "location": "westeurope"}
    return Resource(f"azurerm_postgresql_flexible_server.{name}", {**values, "customer_managed_key": [block] if block else []})


def test_the_key_of_a_database_server_is_read(gate: Any) -> None:
    url = "https://kv-example.vault.azure.net/keys/generated-certificate"
    ran = gate(
        vault(**SAFE),
        key(**HSM),
        LOGGED,
        database("own"),
        database("follows", key_vault_key_id=url),
        database("pinned", key_vault_key_id=f"{url}/{'0' * 32}"),
        database("later", key_vault_key_id=UNKNOWN),
        flags=("--select", "use-cmk-version-pinned", "-o", "csv", "--all"),
    )
    names = ("follows", "pinned", "later")
    found = [outcomes(ran, f"/flexibleServers/{name}").get("use-cmk-version-pinned") for name in names]
    assert found == ["pass", "fail", "unknown"], ran.out
    assert not outcomes(ran, "/flexibleServers/own")


def test_a_database_server_with_a_key_of_the_plan_leaves_nothing_unknown(gate: Any) -> None:
    server = database("pg", key_vault_key_id=UNKNOWN)
    server.refers = {"customer_managed_key": "azurerm_key_vault_key.generated.versionless_id"}
    found = plan(vault(**SAFE), key(**HSM), LOGGED, server)
    said = found["configuration"]["root_module"]["resources"][-1]["expressions"]
    said["customer_managed_key"] = [{"key_vault_key_id": said["customer_managed_key"]}]
    ran = gate(found=found)
    assert ran.code == Exit.CLEAN, ran.out
    broken = plan(vault(**SAFE), key(**{**HSM, "expiration_date": "2020-01-01T00:00:00Z"}), LOGGED, server)
    broken["configuration"]["root_module"]["resources"][-1]["expressions"] = said
    ran = gate(found=broken, flags=("--select", "use-cmk-*", "-o", "csv", "--all"))
    assert outcomes(ran, "/flexibleServers/pg")["use-cmk-key-unusable"] == "fail", ran.out
