"""Diagnostic settings of a plan, as Azure Monitor answers.

website/docs/r/monitor_diagnostic_setting.html.markdown of hashicorp/terraform-provider-azurerm.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from keyaudit.collect.places import vault_id_parts
from keyaudit.collect.plan.ground import Ground, stand_in
from keyaudit.collect.plan.hsms import Hsms
from keyaudit.collect.plan.resources import AFTER_APPLY, Planned, Value, View
from keyaudit.collect.plan.vaults import Vaults

SETTING = "azurerm_monitor_diagnostic_setting"
_WORKSPACE = "azurerm_log_analytics_workspace"


class Logs:
    """Adds the diagnostic settings of vaults, Managed HSMs and subscriptions to the answers."""

    def __init__(self, ground: Ground, vaults: Vaults, hsms: Hsms) -> None:
        self._ground, self._vaults, self._hsms = ground, vaults, hsms

    def answer(self) -> None:
        """Add all of them. The settings of what the plan creates are all there are."""
        for place in (*self._vaults.new(), *self._hsms.new()):
            self._list(place.id, whole=True)
        for planned in self._ground.resources.of(SETTING):
            target = self._target(planned)
            if target:
                self._add(target, planned)

    def _add(self, target: str, planned: Planned) -> None:
        name = planned.text("name") or ""
        named = name if name and "/" not in name else stand_in(planned.address)
        held = self._list(target, whole=False)
        if held is None:
            return
        operation, segments = held
        id_ = f"{target}/providers/microsoft.insights/diagnosticSettings/{named}"
        logs = [*_logs(planned.blocks("enabled_log"), enabled=True), *_older(planned.blocks("log"))]
        properties = {
            "logs": AFTER_APPLY if AFTER_APPLY in logs else logs,
            "logAnalyticsDestinationType": _none(planned, "log_analytics_destination_type"),
            "workspaceId": self._workspace(planned),
            "storageAccountId": planned.value("storage_account_id") or None,
            "eventHubAuthorizationRuleId": planned.value("eventhub_authorization_rule_id") or None,
            "marketplacePartnerId": planned.value("partner_solution_id") or None,
        }
        self._ground.answers.add(operation, {"id": id_, "name": named, "properties": properties}, **segments)
        self._ground.origin(f"{target}/diagnosticsettings/{named}", planned, "enabled_log", "log_analytics_workspace_id")

    def _list(self, target: str, *, whole: bool) -> tuple[str, Mapping[str, str]] | None:
        """The request that lists the settings of a resource; None if nothing reads them."""
        parts = vault_id_parts(target)
        if parts:
            operation = "diagnostic_setting.list" if parts.kind == "key-vault" else "hsm.diagnostic_setting.list"
            segments = {"subscription": parts.subscription, "resource_group": parts.resource_group, "vault": parts.name}
        elif target.lower().startswith("/subscriptions/") and target.count("/") == 2:
            operation, segments = "activity_log.list", {"subscription": target.split("/")[2]}
        else:
            return None
        self._ground.answers.list(operation, whole=whole, **segments)
        return operation, segments

    def _target(self, planned: Planned) -> str:
        known = planned.text("target_resource_id")
        if known:
            return known.rstrip("/")
        target = self._ground.resources.target(planned, "target_resource_id")
        if target and target[1] in ("", "id"):
            place = self._vaults.at(target[0].address) or self._hsms.at(target[0].address)
            return place.id if place else ""
        return ""

    def _workspace(self, planned: Planned) -> Value:
        attribute = "log_analytics_workspace_id"
        found = planned.value(attribute)
        if not isinstance(found, Raw):
            return found or None
        target = self._ground.resources.target(planned, attribute)
        if target and target[0].type == _WORKSPACE:
            return self._ground.id_of(target[0], "Microsoft.OperationalInsights/workspaces")
        return found


def _none(planned: Planned, attribute: str) -> Value:
    """Computed where it is not set, and then not sent: null is the service's default."""
    found = planned.value(attribute)
    return None if isinstance(found, Raw) and not planned.is_set(attribute) else found or None


def _logs(blocks: "list[View] | Raw", *, enabled: bool) -> list[Any]:
    if isinstance(blocks, Raw):
        return [blocks]
    found: list[Any] = []
    for block in blocks:
        names = {"category": block.value("category"), "categoryGroup": block.value("category_group")}
        # A category is one of two, so that either may be known after apply.
        if any(isinstance(each, Raw) for each in names.values()):
            return [AFTER_APPLY]
        found.append({"enabled": enabled, **{name: value or None for name, value in names.items()}})
    return found


def _older(blocks: "list[View] | Raw") -> list[Any]:
    """The blocks of versions before 4, each with a switch."""
    if isinstance(blocks, Raw):
        return []
    return [each for block in blocks if block.value("enabled") is not False for each in _logs([block], enabled=True)]
