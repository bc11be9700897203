"""Diagnostic settings of a plan, as Azure Monitor answers.

website/docs/r/monitor_diagnostic_setting.html.markdown of hashicorp/terraform-provider-azurerm.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from keyaudit.collect.places import vault_id_parts
from keyaudit.model.values.text import one_line
from keyaudit.plan.answers import Origin
from keyaudit.plan.document.resources import AFTER_APPLY, Planned, Value, View
from keyaudit.plan.resources import azapi
from keyaudit.plan.resources.hsms import HSM, Hsms
from keyaudit.plan.resources.vaults import VAULT, Vaults
from keyaudit.plan.scopes import Ground, stand_in

SETTING = "azurerm_monitor_diagnostic_setting"
OPERATIONS = ("diagnostic_setting.list", "hsm.diagnostic_setting.list", "activity_log.list")
_TYPE = "microsoft.insights/diagnosticsettings"
_MEMBERS = (
    "logAnalyticsDestinationType",
    "workspaceId",
    "storageAccountId",
    "eventHubAuthorizationRuleId",
    "marketplacePartnerId",
)
_WORKSPACE = "azurerm_log_analytics_workspace"
PLACES = (_WORKSPACE, "azurerm_storage_account", "azurerm_eventhub_namespace")
"""What a log may go to."""


class Logs:
    """Adds the diagnostic settings of vaults, Managed HSMs and subscriptions to the answers."""

    def __init__(self, ground: Ground, vaults: Vaults, hsms: Hsms) -> None:
        self._ground, self._vaults, self._hsms = ground, vaults, hsms
        self.read: set[str] = set()
        """The addresses of resources of azapi that are among them."""
        self._audited: set[str] = set()
        """The ids in lower case of what still has a setting with the audit log."""

    def answer(self) -> None:
        """Add all of them. The settings of what the plan creates are all there are."""
        for place in (*self._vaults.new(), *self._hsms.new()):
            self._list(place.id, whole=True)
        for planned in self._ground.resources.of(SETTING):
            target = self._target(planned, "target_resource_id")
            if target is None:
                # It may be for any vault.
                origin = Origin(planned.address, planned.changes)
                for operation in OPERATIONS:
                    self._ground.answers.unread.setdefault(operation, []).append(origin)
            elif target:
                self._add(target, planned, self._setting(planned), ("enabled_log", "log_analytics_workspace_id"))
        for planned in self._ground.resources.of(azapi.RESOURCE):
            if azapi.type_of(planned) == _TYPE:
                self._add_body(planned)
        self._note_gone()

    def _note_gone(self) -> None:
        """Note each resource that loses a setting. Only the tenant has its others."""
        resources = self._ground.resources
        going = self._audited | {
            str(before.get("id")).lower() for type_ in (VAULT, HSM) for _, before in resources.removed(type_)
        }
        for type_, attribute in ((SETTING, "target_resource_id"), (azapi.RESOURCE, "parent_id")):
            for address, before in resources.removed(type_):
                target = str(before.get(attribute) or "").rstrip("/")
                after = resources.at(address)
                stays = after is not None and self._target(after, attribute) == target
                other = type_ == azapi.RESOURCE and not str(before.get("type")).lower().startswith(f"{_TYPE}@")
                if other or stays or target.lower() in going or (held := self._list(target, whole=False)) is None:
                    continue
                self._vaults.known(target)
                operation, segments = held
                self._ground.answers.list(operation, whole=False, **segments).gone = one_line(address, 200)

    def _add_body(self, planned: Planned) -> None:
        """Add a setting of azapi. One whose body is not known leaves only its resource without an answer."""
        target = self._target(planned, "parent_id")
        if target is None:
            return
        self.read.add(planned.address)
        body = azapi.body_of(planned)
        properties = AFTER_APPLY if body is None else azapi.member(body, "properties")
        found = {name: azapi.within(properties, name, absent=None) for name in _MEMBERS}
        found["logs"] = azapi.within(properties, "logs", absent=[])
        if isinstance(found["logs"], list):
            logs = [_log(each) for each in found["logs"]]
            found["logs"] = AFTER_APPLY if AFTER_APPLY in logs else logs
        if target:
            self._add(target, planned, found, ("body",))

    def _add(self, target: str, planned: Planned, properties: Mapping[str, Value], attributes: Sequence[str]) -> None:
        name = planned.text("name") or ""
        named = name if name and "/" not in name else stand_in(planned.address)
        held = self._list(target, whole=False)
        if held is None:
            return
        operation, segments = held
        if _audits(properties["logs"]):
            self._audited.add(target.lower())
        id_ = f"{target}/providers/microsoft.insights/diagnosticSettings/{named}"
        self._ground.answers.add(operation, {"id": id_, "name": named, "properties": properties}, **segments)
        self._ground.origin(f"{target}/diagnosticsettings/{named}", planned, *attributes)

    def _setting(self, planned: Planned) -> Mapping[str, Value]:
        logs = [*_logs(planned.blocks("enabled_log"), enabled=True), *_older(planned.blocks("log"))]
        return {
            "logs": AFTER_APPLY if AFTER_APPLY in logs else logs,
            "logAnalyticsDestinationType": _none(planned, "log_analytics_destination_type"),
            "workspaceId": self._workspace(planned),
            "storageAccountId": planned.value("storage_account_id") or None,
            "eventHubAuthorizationRuleId": planned.value("eventhub_authorization_rule_id") or None,
            "marketplacePartnerId": planned.value("partner_solution_id") or None,
        }

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

    def _target(self, planned: Planned, attribute: str) -> str | None:
        """The id of the resource that a setting is for; empty if it is of a type without keys, None if it is not known."""
        known = planned.text(attribute)
        if known:
            return known.rstrip("/")
        target = self._ground.resources.target(planned, attribute)
        if target and target[1] in ("", "id"):
            place = self._vaults.at(target[0].address) or self._hsms.at(target[0].address)
            return place.id if place else ""
        return None

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


def _log(found: Value) -> Value:
    """One log of a body; the mark if anything of it is known after apply."""
    if not isinstance(found, dict):
        return AFTER_APPLY
    members = {name: azapi.within(found, name, absent=None) for name in ("category", "categoryGroup", "enabled")}
    return AFTER_APPLY if any(isinstance(each, Raw) for each in members.values()) else members


def _audits(logs: Value) -> bool:
    """Whether these logs have that of the use of keys."""
    return isinstance(logs, list) and any(
        isinstance(each, dict)
        and each.get("enabled") is True
        and (each.get("category") == "AuditEvent" or each.get("categoryGroup") in ("audit", "allLogs"))
        for each in logs
    )


def _older(blocks: "list[View] | Raw") -> list[Any]:
    """The blocks of versions before 4, each with a switch."""
    if isinstance(blocks, Raw):
        return []
    return [each for block in blocks if block.value("enabled") is not False for each in _logs([block], enabled=True)]
