"""Everything that a detection looks for, planted once in the logs of the demo's tenant, with what is like it beside it."""

from collections.abc import Callable
from typing import Any

from keyaudit.model.values.times import DAY
from tests.demo_logs import MAILER, MONITOR, OUTLOOK, STRANGER, Logs, Tenant, quiet

Key = dict[str, Any]
ADDED = tuple(f"{number:08d}-0000-4000-8000-00000000adde" for number in range(9))


def planted(tenant: Tenant) -> Logs:
    """The logs, and in `planted` what must be found in them: no more and no less."""
    chosen = _Chosen(tenant)
    idle = [chosen.idle["id"], chosen.idle_before["id"]]
    logs = quiet(tenant, without={*idle, chosen.crossing["id"]})
    for unused in idle:
        logs.plant("use-key-idle", unused)
    for key in tenant.versions(enabled=True):
        # Enabled still, long after its end: nobody uses it.
        if key["expires_on"] and key["expires_on"] < tenant.today - 182 * DAY and key["id"] != chosen.retired["id"]:
            logs.plant("use-key-idle", key["id"])
        elif key["expires_on"] and key["expires_on"] < tenant.today:
            # Last used just before its end.
            logs.key((tenant.today - key["expires_on"]) / DAY + 0.1, key, "KeyDecrypt", tenant.owner)
    _keys(logs, chosen)
    _sign_ins(logs)
    _changes(logs)
    _mail(logs)
    return logs


class _Chosen:
    """Keys to plant in, each its own."""

    def __init__(self, tenant: Tenant) -> None:
        self._taken: set[str] = set()
        today = tenant.today
        current = [key for key in tenant.versions(enabled=True, is_current=True) if not _ended(key, today)]
        old = [key for key in tenant.versions(enabled=True, is_current=False) if not _ended(key, today)]

        def superseded(key: Key) -> bool:
            newer = [each for each in tenant.versions(enabled=True, key_id=key["key_id"]) if _made(each) > _made(key)]
            return bool(newer) and min(map(_made, newer)) < today - 60 * DAY

        self.superseded = self._one(old, superseded)
        # A disabled version is refused, and one for an archive may be used.
        ended = [
            key for key in tenant.versions(enabled=True) if _ended(key, today) and "keyaudit:archive" not in (key["tags"] or {})
        ]
        self.retired = self._one(ended, lambda key: key["is_current"])
        self.retired_before = self._one(ended, lambda key: not key["is_current"] and "sign" in key["key_ops"])
        self.crossing = self._one(current, lambda key: key["environment"] == "prod" and "sign" in key["key_ops"])
        self.shared = self._one(current, lambda key: "sign" in key["key_ops"] and key["environment"] != "prod")

        def aged(key: Key) -> bool:
            return 0 < _made(key) < today - 200 * DAY and "keyaudit:standby" not in (key["tags"] or {})

        self.idle = self._one(current, aged)
        self.idle_before = self._one(old, aged)
        self.wraps = self._one(current, lambda key: "sign" not in key["key_ops"])

    def _one(self, keys: list[Key], fits: Callable[[Key], bool]) -> Key:
        found = next(key for key in keys if key["key_id"] not in self._taken and fits(key))
        self._taken.add(found["key_id"])
        return found


def _ended(key: Key, today: int) -> bool:
    return key["expires_on"] is not None and key["expires_on"] < today


def _made(key: Key) -> int:
    return int(key["created_on"] or 0)


def _keys(logs: Logs, chosen: _Chosen) -> None:
    tenant = logs.tenant
    second, developer = tenant.deployer, tenant.developer
    assert developer
    for ago in (40, 25, 10, 2):
        # Two applications sign with one key, and have done so for long.
        logs.key(ago, chosen.shared, "KeySign", second)
        # From development, with a production key; others of its environment do so too.
        if ago in (10, 2):
            logs.key(ago, chosen.crossing, "KeySign", developer)
    logs.plant("use-key-signs-for-many-apps", chosen.shared["key_id"])
    logs.plant("combo-cross-environment-signed")
    logs.key(1, chosen.crossing, "KeyVerify", developer)
    logs.plant("log-unexpected-appid")
    logs.key(1, chosen.crossing, "KeySign", developer, status=403)

    logs.key(2, chosen.superseded, "KeySign", tenant.owner)
    logs.plant("use-superseded-version")
    logs.key(1, chosen.superseded, "KeyUnwrap", tenant.owner)
    logs.plant("log-unexpected-appid")

    for ago in (30, 12):
        logs.key(ago, chosen.wraps, "KeyDecrypt", tenant.owner)
        logs.key(ago, chosen.wraps, "KeyUnwrap", tenant.owner)
    for retired in (chosen.retired, chosen.retired_before):
        logs.key(1, retired, "KeyDecrypt", tenant.owner)
        logs.plant("combo-retired-key-still-accepted", retired["id"])

    logs.key(1, chosen.wraps, "KeyDecrypt", STRANGER)
    logs.plant("log-unexpected-appid")
    logs.key(1, chosen.wraps, "KeyVerify", STRANGER)
    logs.plant("log-unexpected-appid")
    logs.key(1, chosen.wraps, "KeyDecrypt", STRANGER, status=403)

    logs.key(2, chosen.wraps, "KeyBackup", tenant.owner)
    logs.plant("use-backup-or-release")
    logs.key(9, chosen.wraps, "KeyBackup", tenant.owner)


def _sign_ins(logs: Logs) -> None:
    tenant = logs.tenant
    ended = [each for each in tenant.signing if each["active"] and each["expires_on"] < tenant.today]
    accepted, decoy = [each for each in ended if not each["has_valid_successor"]][:2]
    logs.person(1, accepted["app_id"], "saml20")
    logs.plant("combo-expired-saml-still-used", accepted["id"])
    # Entra signed with the valid certificate beside it.
    logs.person(1, next(each["app_id"] for each in ended if each["has_valid_successor"]), "saml20")
    # Before its end, refused, and by another protocol.
    logs.person((tenant.today - decoy["expires_on"]) / DAY + 1, decoy["app_id"], "SAML20")
    logs.person(1, decoy["app_id"], "saml20", code="50105")
    logs.person(1, decoy["app_id"], "oAuth2")

    # As Entra logs an application without a service principal; refused (AADSTS7000229), and before the window.
    # https://learn.microsoft.com/entra/identity-platform/retire-service-principal-less-authentication
    without = {"principal": "00000000-0000-0000-0000-000000000000"}
    logs.sign_in(2, STRANGER, ADDED[7], **without)
    logs.plant("use-sign-in-without-principal")
    logs.sign_in(2, STRANGER, ADDED[7], **without, code="7000229")
    logs.sign_in(45, STRANGER, ADDED[7], **without)


def _changes(logs: Logs) -> None:
    tenant = logs.tenant
    exchange, owner = tenant.exchange, tenant.owner
    assert exchange
    add = "Add service principal credentials"
    by_stranger, hidden, unused, refused, on_exchange = ADDED[:5]
    logs.audit(3, add, owner.object_id, "ServicePrincipal", STRANGER, by_stranger)
    logs.plant("log-unexpected-appid")
    logs.plant("combo-added-credential-used")
    logs.audit(3, "Add service principal", tenant.deployer.object_id, "ServicePrincipal", "", hidden)
    logs.plant("log-unexpected-appid")
    logs.plant("combo-added-credential-used")
    logs.audit(3, add, owner.object_id, "ServicePrincipal", STRANGER, unused)
    logs.audit(3, add, owner.object_id, "ServicePrincipal", STRANGER, refused, result="failure")
    for key in (by_stranger, hidden, refused):
        logs.sign_in(1, owner.app_id, key)
    # A person who rotates by hand, and has done so before.
    for ago, key in ((40, ADDED[5]), (5, ADDED[6])):
        logs.audit(ago, add, owner.object_id, "ServicePrincipal", "", key, person=MONITOR)
        logs.sign_in(1, owner.app_id, key)
    logs.audit(3, add, exchange.object_id, "ServicePrincipal", tenant.deployer.app_id, on_exchange)
    logs.plant("sp-first-party-credential-added")

    # It creates agents as it has done before, and on one day many; others create service principals.
    for before in (40.0, 20.0, *(3.5 - number / 1_000 for number in range(20))):
        logs.audit(before, "Add service principal", f"agent-{before}", "ServicePrincipal", tenant.blueprint)
    logs.plant("agent-created-in-burst")

    # An administrator, who has granted both before.
    grant = "Add app role assignment to service principal"
    for ago in (40, 4):
        for permission in ("User.Read.All", "Mail.Read"):
            logs.audit(ago, grant, exchange.object_id, "ServicePrincipal", person=MONITOR, granted=permission)
    logs.plant("log-unexpected-appid")

    for ago in (20, 2):
        logs.audit(ago, "Set federation settings on domain.", "fed.contoso.example", "Domain")
    logs.plant("fed-domain-settings-changed")

    logs.cmdlet(3, "Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", "False")
    logs.plant("log-audit-switched-off")
    logs.cmdlet(3, "Set-Mailbox", "AuditEnabled", "False", "person1")
    logs.plant("log-unexpected-appid")
    logs.plant("log-audit-switched-off")
    logs.cmdlet(3, "Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", "True")
    logs.cmdlet(12, "Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", "False")

    setting = f"{tenant.vaults[0]}/providers/microsoft.insights/diagnosticSettings/audit"
    for ago in (20, 2):
        logs.activity(ago, "Microsoft.Insights/diagnosticSettings/delete", setting)
    logs.plant("log-settings-removed")


def _mail(logs: Logs) -> None:
    # The most of a day so far were three; what others usually do is no measure.
    for number in range(25):
        logs.mail(2.9 - number / 1000, MAILER, f"person{number}@contoso.example")
        if not number:
            logs.plant("log-mail-of-many-mailboxes")
    for number in range(19):
        logs.mail(4.9 - number / 1000, MAILER, f"person{number}@contoso.example")
    for number in range(3):
        logs.mail(1.3, OUTLOOK, f"person{number}@contoso.example")
    # From somewhere else: several at once; and the mail of one person, who may be there.
    for number in range(3):
        logs.mail(1.4 - number / 1000, OUTLOOK, f"person{number}@contoso.example", network="203.0.113.9")
        if not number:
            logs.plant("log-unexpected-appid")
    logs.mail(1.2, OUTLOOK, "person1@contoso.example", network="192.0.2.9")
