"""Log files of a simulated tenant: what a quiet tenant writes, and beside it each thing that a detection looks for, once."""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.values.times import DAY, iso_time

KEYS, MAIL, SIGN_INS, PEOPLE, AUDIT, ACTIVITY = (
    *("AZKVAuditLogs", "OfficeActivity", "AADServicePrincipalSignInLogs"),
    *("SigninLogs", "AuditLogs", "AzureActivity"),
)
STRANGER, MONITOR, MAILER = (str(uuid.UUID(int=number, version=4)) for number in (0xBAD, 0x600D, 0x3A11))
_ID = {KEYS: "CorrelationId", MAIL: "OfficeId", SIGN_INS: "Id", PEOPLE: "Id", AUDIT: "Id", ACTIVITY: "CorrelationId"}
OUTLOOK = "d3590ed6-52b3-4102-aeff-aad2292ab01c"
EXCHANGE = "Office 365 Exchange Online"
LEARNED = 70
"""Days before now on which learning begins; it ends a week ago."""

Found = tuple[str, str]
"""A policy, and what a finding of it is about."""


class Principal(Struct, frozen=True):
    """A service principal of the tenant."""

    app_id: str
    object_id: str


class Tenant(Struct, frozen=True):
    """The snapshot's data about the tenant of the logs."""

    tenant_id: str
    today: int
    vaults: list[str]
    keys: list[dict[str, Any]]
    signing: list[dict[str, Any]]
    owner: Principal
    deployer: Principal
    developer: Principal | None
    exchange: Principal | None
    blueprint: str
    """The client id of the tenant's blueprint that has agents."""

    def versions(self, **having: Any) -> Iterator[dict[str, Any]]:
        """The versions with these values that are nobody's certificate."""
        for key in self.keys:
            if not key["managed"] and all(key[name] == value for name, value in having.items()):
                yield key


def read(folder: Path) -> Tenant:
    """The tenant of a snapshot."""
    snapshot = open_snapshot(folder)
    as_of = snapshot.run.as_of
    with snapshot.judging(as_of, reach_known=False) as connection:

        def rows(query: str) -> list[dict[str, Any]]:
            found = connection.execute(query)
            names = [name for name, *_ in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

        keys = rows(
            "SELECT id, key_id, vault_id, enabled, managed, is_current, created_on, expires_on, key_ops, environment, tags"
            " FROM key ORDER BY id"
        )
        wanted = "id, app_id, active, expires_on, has_valid_successor"
        signing = rows(f"SELECT {wanted} FROM signing_certificate WHERE kind = 'saml' ORDER BY id")
        people = rows(
            "SELECT name, app_id, split_part(id, '/', -1) AS object_id, environment, home FROM service_principal"
            " WHERE unknown['environment'] IS NULL ORDER BY id"
        )
        [*_, blueprint] = rows("SELECT app_id FROM blueprint WHERE home = 'own' ORDER BY agents_min")
        vaults = [row["id"] for row in rows("SELECT id FROM vault ORDER BY id")]
    # Applications that sign with production keys get a production tag, since the tenant has tags for all others.
    own = [each for each in people if each["environment"] == "prod" or (each["home"] == "own" and each["environment"] is None)]
    own.sort(key=lambda each: (each["environment"] is None, each["home"] != "own"))
    developers = [each for each in people if each["environment"] in ("dev", "test", "sandbox")]
    exchange = [each for each in people if each["name"] == EXCHANGE]

    def one(found: list[dict[str, Any]]) -> Principal | None:
        return Principal(found[0]["app_id"].lower(), found[0]["object_id"]) if found else None

    first, second = one(own), one(own[1:])
    assert first
    assert second
    return Tenant(
        tenant_id=snapshot.run.tenant_id,
        today=as_of - as_of % DAY,
        vaults=vaults,
        keys=keys,
        signing=signing,
        owner=first,
        deployer=second,
        developer=one(developers),
        exchange=one(exchange),
        blueprint=blueprint["app_id"],
    )


class Logs(Struct):
    """Records by log, and what must be found of them."""

    tenant: Tenant
    records: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    planted: set[Found] = field(default_factory=set)
    number: int = 0
    last: str = ""
    """The id of the last record."""

    def write(self, folder: Path) -> Path:
        """A file of JSON lines for each log, as a workspace exports its tables."""
        folder.mkdir(parents=True)
        for log, records in self.records.items():
            (folder / f"{log}.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
        return folder

    def add(self, log: str, ago: float, **columns: Any) -> None:
        """A record so many days before today."""
        self.number += 1
        self.last = str(uuid.UUID(int=self.number, version=4))
        time = iso_time(self.tenant.today - int(ago * DAY))
        self.records[log].append({_ID[log]: self.last, "TimeGenerated": time, **columns, "Type": log})

    def plant(self, policy: str, subject: str = "") -> None:
        """Says that the policy must find this, or else the last record."""
        self.planted.add((policy, subject or self.last))

    def vault(self, ago: float, vault: str, operation: str, uri: str, app: Principal | str, *, status: int = 200) -> None:
        """A request to a vault."""
        app_id, object_id = (app.app_id, app.object_id) if isinstance(app, Principal) else (app, app)
        self.add(
            KEYS,
            ago,
            OperationName=operation,
            ResultType="Success" if status < 300 else "Failed",
            HttpStatusCode=status,
            CallerIpAddress="10.1.2.3",
            Identity={"claim": {"appid": app_id, "oid": object_id}},
            Id=uri,
            RequestUri=uri,
            ClientInfo="sdk",
            DurationMs=3,
            _ResourceId=vault,
        )

    def key(self, ago: float, key: dict[str, Any], operation: str, app: Principal | str, *, status: int = 200) -> None:
        """A use of a version of a key."""
        self.vault(ago, key["vault_id"], operation, key["id"], app, status=status)

    def mail(self, ago: float, app_id: str, mailbox: str, *, throttled: bool = False, network: str = "10.1.2.3") -> None:
        """Somebody's mail is read."""
        self._office(
            ago,
            "MailItemsAccessed",
            AppId=app_id,
            ClientAppId=app_id,
            MailboxOwnerUPN=mailbox,
            UserId=mailbox,
            ClientInfoString="Client=REST",
            Client_IPAddress=network,
            OperationProperties=[{"Name": "IsThrottled", "Value": str(throttled)}],
        )

    def cmdlet(self, ago: float, name: str, parameter: str, value: str, object_id: str = "") -> None:
        """An administrator sets something in Exchange Online."""
        self._office(
            ago,
            name,
            AppId="",
            ClientAppId="",
            UserId="admin@contoso.example",
            OfficeObjectId=object_id,
            ClientIP="10.1.2.3",
            ClientInfoString="",
            Parameters=json.dumps([{"Name": parameter, "Value": value}]),
            OperationProperties=[],
        )

    def _office(self, ago: float, operation: str, **columns: Any) -> None:
        self.add(
            MAIL,
            ago,
            Operation=operation,
            OrganizationId=self.tenant.tenant_id,
            ResultStatus="Succeeded",
            **columns,
        )

    def sign_in(self, ago: float, app_id: str, key_id: str, *, principal: str = "", code: str = "0") -> None:
        """An application signs in with a credential; `principal`: another id of its service principal than its own."""
        self.add(
            SIGN_INS,
            ago,
            AADTenantId=self.tenant.tenant_id,
            Category="ServicePrincipalSignInLogs",
            AppId=app_id,
            ServicePrincipalId=principal or app_id,
            ServicePrincipalCredentialKeyId=key_id,
            ResourceIdentity="00000003-0000-0000-c000-000000000000",
            IPAddress="10.1.2.3",
            UserAgent="sdk",
            ResultType=code,
        )

    def person(self, ago: float, app_id: str, protocol: str, *, code: str = "0") -> None:
        """A person signs in to an application."""
        self.add(
            PEOPLE,
            ago,
            AADTenantId=self.tenant.tenant_id,
            Category="SignInLogs",
            AppId=app_id,
            UserId=STRANGER,
            IPAddress="10.1.2.3",
            AuthenticationProtocol=protocol,
            ResultType=code,
        )

    def audit(
        self,
        ago: float,
        operation: str,
        target: str,
        kind: str,
        app_id: str = "",
        added: str = "",
        *,
        person: str = STRANGER,
        result: str = "success",
        granted: str = "",
    ) -> None:
        """Somebody changes something in the directory.

        `added`: the key id of a credential that it brings; `granted`: the permission of an application.
        """
        by: dict[str, Any] = {"app": {"appId": app_id}} if app_id else {"user": {"id": person, "ipAddress": "10.1.2.3"}}
        properties = [{"displayName": "KeyDescription", "oldValue": "[]", "newValue": f'["[KeyIdentifier={added},KeyType=x]"]'}]
        target_ = {"displayName": target, "type": kind, "modifiedProperties": properties if added else []}
        if granted:
            target_["modifiedProperties"] = [{"displayName": "AppRole.Value", "oldValue": None, "newValue": f'"{granted}"'}]
        self.add(
            AUDIT,
            ago,
            AADTenantId=self.tenant.tenant_id,
            OperationName=operation,
            Result=result,
            InitiatedBy=by,
            TargetResources=[target_ if kind == "Domain" else {**target_, "id": target}],
            AdditionalDetails=[],
        )

    def activity(self, ago: float, operation: str, resource: str) -> None:
        """Somebody does something to a resource."""
        self.add(
            ACTIVITY,
            ago,
            OperationNameValue=operation,
            ActivityStatusValue="Success",
            _ResourceId=resource,
            CallerIpAddress="10.1.2.3",
            Caller="admin@contoso.example",
            Claims=json.dumps({"appid": MONITOR}),
        )


def quiet(tenant: Tenant, without: Iterable[str] = ()) -> Logs:
    """The logs of a tenant without intrusions. Nobody uses the versions `without`, by id.

    The logs begin before the first version ended that has ended, so that they can say of each that nobody uses it any more.
    """
    logs, unused = Logs(tenant), set(without)
    ended = [key["expires_on"] for key in tenant.versions() if key["expires_on"] and key["expires_on"] < tenant.today]
    one_each = {vault.split("/")[2]: vault for vault in tenant.vaults}.values()
    begin = max(210, (tenant.today - min(ended, default=tenant.today)) // DAY + 4)
    for ago in range(begin, 0, -1):
        for vault in tenant.vaults:
            logs.vault(ago - 0.2, vault, "VaultGet", "https://x.vault.azure.net/", MONITOR)
        for log_user in range(3):
            logs.mail(ago - 0.3, OUTLOOK, f"person{log_user}@contoso.example")
            logs.mail(ago - 0.4, MAILER, f"person{log_user}@contoso.example")
        logs.sign_in(ago - 0.3, tenant.owner.app_id, "usual")
        logs.person(ago - 0.3, tenant.owner.app_id, "oAuth2")
        logs.person(ago - 0.4, tenant.owner.app_id, "saml20")
        logs.audit(ago - 0.3, "Update user", STRANGER, "User", tenant.deployer.app_id)
        for vault in one_each:
            logs.activity(ago - 0.3, "Microsoft.KeyVault/vaults/write", vault)
    # The usual rotation, by the usual deployment.
    for week, ago in enumerate(range(LEARNED - 2, 0, -7)):
        added = f"{week:08d}-0000-4000-8000-000000000001"
        arguments = (tenant.owner.object_id, "ServicePrincipal", tenant.deployer.app_id, added)
        logs.audit(ago, "Add service principal credentials", *arguments)
        logs.sign_in(ago - 0.5, tenant.owner.app_id, added)
    for key in tenant.versions(enabled=True):
        live = not key["expires_on"] or key["expires_on"] > tenant.today
        if key["id"] in unused or not live:
            continue
        signs = "sign" in key["key_ops"] and key["is_current"]
        for ago in (30, 12, 3):
            logs.key(ago, key, "KeySign" if signs else "KeyVerify", tenant.owner)
    return logs
