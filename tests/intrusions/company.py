"""Ordinary days of a company with 200 applications: mail clients, schedules, rotations, travel, holidays, backups, hiring."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from tests.intrusions.records import (
    ARM,
    EXCHANGE,
    GRAPH,
    ISSUED_BEFORE,
    VAULTS,
    Actor,
    Line,
    Token,
    activity,
    at,
    audit,
    graph,
    guid,
    mail,
    request_id,
    sign_in,
    vault,
)

FIRST = datetime(2026, 6, 16, tzinfo=UTC)
"""Day 0, so that the last day of the intrusions ends before the simulated tenant is read."""
LEARNED = 60
"""Days of the baseline."""

OWA, DESKTOP, MOBILE = EXCHANGE, "d3590ed6-52b3-4102-aeff-aad2292ab01c", "27922004-5251-4030-b22d-91ecd9a37ea4"
PROGRAM = {
    OWA: "Client=OWA;Action=ViaProxy",
    DESKTOP: "Client=MSExchangeRPC",
    MOBILE: "Client=OutlookService;Outlook-iOS/2.0;",
}
REST = "Client=REST;Client=RESTSystem;;"
SUBSTRATE = "98db8bd6-0cc0-4e67-9de5-f187f1cd1b41"
"""An application of Microsoft's that reads mail as itself: the logs of sign-ins that are exported do not list its tokens."""

HUB = "547d0f87-f891-4d9d-b86b-b1f2f873e1b5"
BACKUP = "58ed8f15-f7dc-4888-9f3b-8b414e23d3d7"
CRM = "d6d69e1a-eca5-451a-9497-7d60aa8df834"
SIGNER = "bdb9b9e6-1df2-4757-90c7-d738373c843a"
DEPLOYER = "d79a8f23-ddbe-414f-b3e3-3d00f3e31074"
OBJECTS = {
    HUB: "a69d1ba5-57d6-42e3-8bf7-85e6ba64a325",
    BACKUP: "0c52a1ae-f941-4f33-885c-1e8d29d0a180",
    SIGNER: "30606abd-37e6-4582-8a24-2550f20bf1eb",
}
"""Ids of applications of the simulated tenant that have a part of their own; the other applications are invented."""
SIGNING_KEY = "kv-identity-prod/keys/consumer-token-signing"
VERSIONS = ((0, "b" * 32), (50, "c" * 32), (80, "2029bbc8b73767365857f77c57f6b8da"))
"""Versions of the signing key, with the day from which they are used. The last is the simulated tenant's."""
IDENTITY = "/SUBSCRIPTIONS/7864A904-C447-4C4C-AD83-0D54FDD71216/RESOURCEGROUPS/RG-IDENTITY-PROD"
SIGNS = "azsdk-net-Security.KeyVault.Keys/4.6.0"

PEOPLE, APPLICATIONS = 120, 200
HOLIDAYS = (*range(20, 25), 72, 73)


@dataclass(frozen=True)
class App:
    """An application, with the network that it calls from and every how many days it runs."""

    app: str
    actor: Actor
    kind: str
    network: str
    every: int
    reads_secret: bool


class Company:
    """The same for the same `seed`. Each day by itself is the same, too, each time that it is made."""

    def __init__(self, seed: int, *, size: float = 1.0) -> None:
        self.seed, self.size = seed, size
        rng = Random(f"{seed}/company")
        self.people = [self._person(rng, number) for number in range(PEOPLE + 20)]
        self.offices = [f"193.{rng.randrange(1, 250)}.{number}" for number in range(3)]
        self.carrier = [f"109.40.{number}" for number in range(40)]
        self.homes = [f"84.{rng.randrange(1, 250)}.{rng.randrange(250)}" for _ in self.people]
        self.clients = [rng.choices((OWA, DESKTOP, MOBILE), (35, 45, 20))[0] for _ in self.people]
        self.region = [f"52.{rng.randrange(128, 250)}.{number}" for number in range(30)]
        self.apps = [self._app(rng, number) for number in range(APPLICATIONS - 6)]
        self.special = {
            app: Actor(OBJECTS.get(app) or guid(rng), name)
            for app, name in (
                (HUB, "Integration Hub"),
                (BACKUP, "Backup Orchestrator"),
                (SIGNER, "id-identity-token-service-prod"),
                (DEPLOYER, "github-infra"),
                (SUBSTRATE, "Substrate Management"),
            )
        }
        self.admins = [self._person(rng, 900 + number) for number in range(3)]
        self.keys = {app: guid(rng) for app in (HUB, BACKUP, *(each.app for each in self.apps))}
        self.read_by_hub = rng.sample(self.people[:PEOPLE], 25)
        self.backed_up = rng.sample(self.people[:PEOPLE], 10)

    @staticmethod
    def _person(rng: Random, number: int) -> Actor:
        sid = f"S-1-5-21-1507001333-1204550764-1011284298-{number + 1000}"
        return Actor(guid(rng), f"Person {number}", f"person{number:03d}@contoso.example", sid, guid(rng))

    @staticmethod
    def _app(rng: Random, number: int) -> App:
        kind = rng.choices(("clientSecret", "clientAssertion", "managed"), (60, 25, 15))[0]
        every = rng.choices((1, 7, 30), (20, 50, 30))[0]
        network = "" if rng.random() < 0.3 else f"20.{rng.randrange(30, 120)}.{number}"
        return App(guid(rng), Actor(guid(rng), f"app-{number:03d}"), kind, network, every, rng.random() < 0.3)

    def lines(self, first: int, last: int) -> Iterator[Line]:
        """All records of the days from `first` to before `last`."""
        for day in range(first, last):
            yield from self.day(day)

    def day(self, day: int) -> list[Line]:
        start = FIRST + timedelta(days=day)
        made: list[Line] = []
        for part in (self._readers, self._mail_services, self._schedules, self._signing, self._administration):
            made += part(Random(f"{self.seed}/{day}/{part.__name__}"), day, start)
        # Azure Monitor delivers at least once: some sign-ins come twice.
        again = Random(f"{self.seed}/{day}/again")
        return made + [line for line in made if line[0].endswith("SignInLogs") and again.random() < 0.025]

    def token(self, rng: Random, moment: datetime, app: str, actor: Actor, *, session: str = "") -> Token:
        """One that Entra issued in a sign-in at `moment`."""
        return Token(request_id(rng), moment.replace(microsecond=0) - timedelta(seconds=ISSUED_BEFORE), app, actor, session)

    def signed_in(self, rng: Random, moment: datetime, token: Token, ip: str, resource: str) -> Line:
        """The sign-in of a person that is not interactive, or of a service principal, for this token."""
        if token.actor.upn:
            return sign_in(
                "NonInteractiveUserSignInLogs", moment, token, ip, resource, clientAppUsed="Mobile Apps and Desktop clients"
            )
        if token.app == SIGNER or any(app.app == token.app and app.kind == "managed" for app in self.apps):
            return sign_in("ManagedIdentitySignInLogs", moment, token, "", resource)
        return sign_in(
            "ServicePrincipalSignInLogs",
            moment,
            token,
            ip,
            resource,
            servicePrincipalCredentialKeyId=self.keys.get(token.app, ""),
            clientCredentialType="clientSecret",
        )

    def reads(
        self, rng: Random, moment: datetime, person: Actor, client: str, ip: str, *, mailbox: Actor | None = None
    ) -> list[Line]:
        """A person signs in without being asked, and reads mail a quarter of an hour later."""
        token = self.token(rng, moment, client, person, session=guid(rng))
        kind = "Sync" if client == DESKTOP else "Bind"
        read = mail(
            moment + timedelta(minutes=15),
            mailbox or person,
            token,
            ip,
            PROGRAM[client],
            rng=rng,
            kind=kind,
            items=rng.randrange(1, 5),
        )
        return [self.signed_in(rng, moment, token, ip, EXCHANGE), read]

    def host(self, rng: Random, network: str) -> str:
        return f"{network}.{rng.randrange(4, 250)}"

    def _readers(self, rng: Random, day: int, start: datetime) -> Iterator[Line]:
        """People read their mail, at the office, at home, by telephone; one of them travels."""
        quiet = 0.06 if day in HOLIDAYS else 0.12 if start.weekday() > 4 else 1.0
        there = PEOPLE + min(day // 10, 19)  # a new hire every ten days
        for number, person in enumerate(self.people[:there]):
            client = self.clients[number]
            if rng.random() > quiet * self.size * (0.75 if client == OWA else 0.5):
                continue
            moment = at(start, rng.randrange(25_000, 65_000))
            ip = self.host(rng, self.offices[number % 3])
            if client == MOBILE:
                ip = "2603:1026:c09:834::5" if rng.random() < 0.5 else self.host(rng, rng.choice(self.carrier))
            elif rng.random() < 0.3:
                # Three in ten providers give a new address every three weeks.
                ip = self.homes[number] + (f".{7 + day // 21}" if number % 10 > 2 else f".{20 + number % 200}")
            yield from self.reads(rng, moment, person, client, ip)
            if number < 5 and client != MOBILE:  # an assistant reads the mailbox of an executive
                yield from self.reads(rng, moment + timedelta(hours=1), person, client, ip, mailbox=self.people[50 + number])
        trip = Random(f"{self.seed}/trip/{day // 3}")
        if trip.random() < 0.5:
            traveller, hotel = trip.choice(self.people[:PEOPLE]), f"62.{trip.randrange(1, 250)}.{trip.randrange(250)}"
            yield from self.reads(rng, at(start, 70_000), traveller, OWA, self.host(rng, hotel))
        for person in rng.sample([*self.people[:there], *self.admins], round(12 * self.size * quiet)):
            moment = at(start, rng.randrange(20_000, 70_000))
            token = self.token(rng, moment, "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", person, session=guid(rng))
            yield sign_in("SignInLogs", moment, token, self.host(rng, self.offices[0]), ARM, clientAppUsed="Browser")

    def _mail_services(self, rng: Random, day: int, start: datetime) -> Iterator[Line]:
        """A known Graph client reads 25 mailboxes in turn, a backup ten (all on the first of a month), a CRM its users'."""
        hub = self.special[HUB]
        for turn in range(round(20 * self.size)):
            moment = at(start, turn * 4_200 + rng.randrange(600))
            token, ip = self.token(rng, moment, HUB, hub), self.host(rng, "20.40.7")
            read = self.read_by_hub[(day * 7 + turn) % 25]
            yield self.signed_in(rng, moment, token, ip, GRAPH)
            yield graph(moment + timedelta(seconds=20), token, ip, f"/users/{read.oid}/messages", rng=rng)
            yield mail(moment + timedelta(seconds=21), read, token, ip, REST, rng=rng, items=3, through=GRAPH)
        moment = at(start, 7_200)
        token = self.token(rng, moment, BACKUP, self.special[BACKUP])
        ip = self.host(rng, "20.61.9")
        yield self.signed_in(rng, moment, token, ip, EXCHANGE)
        for number, person in enumerate(self.people[:PEOPLE] if start.day == 1 else self.backed_up):
            program = "Client=WebServices;ExchangeServicesClient/15.00.0913.015;"
            yield mail(moment + timedelta(seconds=60 + number), person, token, ip, program, rng=rng, items=9)
        if start.weekday() < 5:
            for person in rng.sample(self.people[60:72], 4):
                moment = at(start, rng.randrange(28_000, 60_000))
                token, ip = self.token(rng, moment, CRM, person, session=guid(rng)), self.host(rng, "40.113.2")
                yield self.signed_in(rng, moment, token, ip, GRAPH)
                yield graph(moment + timedelta(seconds=9), token, ip, "/me/messages", rng=rng, agent="Tailspin/9")
                yield mail(moment + timedelta(seconds=9), person, token, ip, REST, rng=rng, through=GRAPH)
        for person in rng.sample(self.people[:PEOPLE], 5):
            moment = at(start, rng.randrange(86_000))
            token = self.token(rng, moment, SUBSTRATE, self.special[SUBSTRATE])
            yield mail(moment, person, token, "2603:1026:900:20::9", "Client=SubstrateSearch;;", rng=rng)

    def _schedules(self, rng: Random, day: int, start: datetime) -> Iterator[Line]:
        """Service principals sign in as often as they run; some of them read a secret of theirs."""
        for number, app in enumerate([*self.apps, *self.started(day)]):
            if (day + number) % app.every or rng.random() > 0.98:
                continue
            moment = at(start, number * 300 + rng.randrange(300))
            token, ip = self.token(rng, moment, app.app, app.actor), self.host(rng, app.network or rng.choice(self.region))
            yield self.signed_in(rng, moment, token, ip, VAULTS if app.reads_secret else ARM)
            if app.reads_secret:
                yield self.in_vault(
                    rng, moment, app.actor, app.app, ip, "SecretGet", f"kv-apps-{number % 7}/secrets/{app.actor.name}"
                )

    def started(self, day: int) -> list[App]:
        """Applications that somebody registered since day 0, one in eight days."""
        made = []
        for number in range((day + 2) // 8):
            rng = Random(f"{self.seed}/new/{number}")
            made.append(
                App(guid(rng), Actor(guid(rng), f"new-{number:02d}"), "clientSecret", f"20.130.{number}", 1, number % 2 == 0)
            )
        return made

    def in_vault(self, rng: Random, moment: datetime, actor: Actor, app: str, ip: str, operation: str, where: str) -> Line:
        agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Edg/140.0" if actor.upn else SIGNS
        return vault(moment, actor, app, ip, operation, where, rng=rng, agent=agent, group=IDENTITY)

    def version(self, day: int) -> str:
        return max(pair for pair in VERSIONS if pair[0] <= day)[1]

    def _signing(self, rng: Random, day: int, start: datetime) -> Iterator[Line]:
        """The token service signs with its key; an administrator makes a new version twice, and lists the vault each week."""
        for turn in range(round(12 * self.size)):
            moment, ip = at(start, turn * 7_100 + rng.randrange(900)), f"20.50.1.{rng.randrange(4, 7)}"
            if turn % 4 == 0:
                token = self.token(rng, moment, SIGNER, self.special[SIGNER])
                yield self.signed_in(rng, moment, token, ip, VAULTS)
            where = f"{SIGNING_KEY}/{self.version(day)}"
            yield self.in_vault(rng, moment, self.special[SIGNER], SIGNER, ip, "KeySign", where)
        if day in {begins for begins, _ in VERSIONS[1:]}:
            yield self._by_admin(rng, at(start, 30_000), self.admins[0], "KeyCreate", f"{SIGNING_KEY}/{self.version(day)}")
        if day % 7 == 1:
            yield self._by_admin(rng, at(start, 33_000), self.admins[0], "KeyList", "kv-identity-prod/keys")

    def _by_admin(self, rng: Random, moment: datetime, admin: Actor, operation: str, where: str) -> Line:
        portal = "3686488a-04fc-4d8a-b967-61f98ec41efe"
        return self.in_vault(rng, moment, admin, portal, self.host(rng, self.offices[0]), operation, where)

    def _administration(self, rng: Random, day: int, start: datetime) -> Iterator[Line]:
        """Secrets are rotated every six days and applications registered every eight; a pipeline deploys; keys are listed."""
        office = self.host(rng, self.offices[0])
        if day % 6 == 2:
            app, admin = self.apps[(day // 6 * 5) % len(self.apps)], self.admins[day // 6 % 3]
            yield self.adds_secret(rng, at(start, 40_000), admin, app, office)
        if day % 8 == 5:
            yield from self._registers(rng, day, start, office)
        if day % 10 == 3:
            by = {
                "app": {
                    "displayName": "Microsoft Azure AD Internal - Jit Provisioning",
                    "appId": None,
                    "servicePrincipalId": None,
                }
            }
            store = "291154f0-a9f5-45bb-87be-9c8ee5b6d62c"
            stored = f'[{{"CredentialType":2,"KeyStoreId":"{store}","KeyGroupId":"{store}"}}]'
            target = {"id": guid(rng), "displayName": f"Microsoft service {day}", "type": "ServicePrincipal"}
            yield audit(at(start, 5_000), "Add service principal", by, target, [("Credential", "[]", stored)], "", rng=rng)
        moment = at(start, 36_000)
        token, ip = self.token(rng, moment, DEPLOYER, self.special[DEPLOYER]), self.host(rng, "52.250.3")
        group = "/subscriptions/7864a904-c447-4c4c-ad83-0d54fdd71216/resourcegroups/rg-apps/providers"
        yield self.signed_in(rng, moment, token, ip, ARM)
        yield activity(moment, token, ip, "Microsoft.Web/sites/write", f"{group}/microsoft.web/sites/web-{day % 5}", rng=rng)
        if day % 10 == 4:
            yield activity(
                moment,
                token,
                ip,
                "Microsoft.KeyVault/vaults/write",
                f"{group}/microsoft.keyvault/vaults/kv-apps-{day % 7}",
                rng=rng,
            )
        account = f"{group}/microsoft.storage/storageaccounts/stbackup"
        yield activity(moment, token, ip, "Microsoft.Storage/storageAccounts/listKeys/action", account, rng=rng)

    def adds_secret(self, rng: Random, moment: datetime, admin: Actor, app: App, ip: str) -> Line:
        """An administrator gives an application one more secret."""
        one, two = (f"[KeyIdentifier={guid(rng)},KeyType=Password,KeyUsage=Verify,DisplayName=rotation]" for _ in range(2))
        return audit(
            moment,
            "Update application – Certificates and secrets management ",  # noqa: RUF001 - Entra's name has this dash
            {"user": {"id": admin.oid, "displayName": admin.name, "userPrincipalName": admin.upn, "ipAddress": ip}},
            {"id": app.actor.oid, "displayName": app.actor.name, "type": "Application"},
            [("KeyDescription", f'["{one}"]', f'["{one}","{two}"]')],
            ip,
            rng=rng,
        )

    def _registers(self, rng: Random, day: int, start: datetime, office: str) -> Iterator[Line]:
        developer = self.people[100 + day // 8 % 6]
        by = {
            "user": {
                "id": developer.oid,
                "displayName": developer.name,
                "userPrincipalName": developer.upn,
                "ipAddress": office,
            }
        }
        new = self.started(day + 1)[-1]
        for seconds, operation in ((38_000, "Add application"), (38_002, "Add service principal")):
            target = {
                "id": new.actor.oid,
                "displayName": new.actor.name,
                "type": operation.removeprefix("Add ").title().replace(" ", ""),
            }
            yield audit(at(start, seconds), operation, by, target, [("AppId", "[]", f'["{new.app}"]')], office, rng=rng)
        yield self.adds_secret(rng, at(start, 38_100), developer, new, office)
