"""A Managed HSM's settings, such as whether Azure Resource Manager may manage its keys."""

from collections.abc import Mapping

from msgspec import Raw, Struct

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls
from keyaudit.collect.places import Vault, source
from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import read
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import SHOWN_BAD, Coverage, End, Refusal
from keyaudit.model.tables.vaults.hsm_setting import HSM_SETTING

OPERATION = "hsm.setting.list"


class Settings(Struct):
    """The answer: one object with all settings."""

    settings: list[Raw]


@wired(HSM_SETTING)
class HsmSetting(Struct):
    """A setting; every value is text."""

    name: str


async def collect_settings(connection: Connection, unit: Unit, hsm: Vault, uri: str) -> Coverage:
    """Write a row per setting. Returns the coverage of `OPERATION`. `uri` is the HSM's checked address."""
    calls = Calls(hsm.scope, OPERATION)
    found = await connection.gateway.get(OPERATION, Settings, host=uri)
    if isinstance(found, Refusal):
        calls.refused(found)
        return calls.coverage()
    url, version = source(connection.environment, OPERATION, host=uri)
    rows: dict[str, Mapping[str, object]] = {}
    bad: list[str] = []
    for number, raw in enumerate(found.settings, 1):
        item = read(raw, HsmSetting)
        if isinstance(item, Refusal) or not item.name:
            bad.append(f"number {number:,}")
        else:
            rows.setdefault(item.name.lower(), _row(hsm, item, url, version))
    for row in rows.values():
        unit.row("hsm_setting", row)
    received, quarantined = len(found.settings), len(bad)
    duplicate = received - quarantined - len(rows)
    calls.ended(
        End(received=received, kept=len(rows), duplicate=duplicate, quarantined=quarantined, bad=tuple(bad[:SHOWN_BAD]))
    )
    return calls.coverage()


def _row(hsm: Vault, item: HsmSetting, url: str, version: str) -> Mapping[str, object]:
    resource_id = f"{hsm.resource_id}/settings/{item.name}"
    row = Row(HSM_SETTING, id=resource_id, resource_id=resource_id, scope_id=hsm.scope.id, url=url, version=version)
    row.put_all(name=item.name, vault_id=hsm.scope.id)
    row.fill(item)
    return row.finish()
