"""The events of the simulated year, day by day: users read mail on workdays, services sign, read secrets and sign in."""

import random
from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from keyaudit.simulator.estates.ids import DAY, Ground, key_id, secret_id
from keyaudit.simulator.estates.logs.jobs import JOBS, MAIN, SPARE, Job
from keyaudit.simulator.estates.logs.objects import Objects
from keyaudit.simulator.estates.logs.shapes import EXCHANGE, GRAPH, KEY_VAULT, Caller, key_used, mail_read, signed_in

MAIL, KEYS, SIGN_INS, IDENTITIES = "mail", "key-vault", "sign-ins", "managed-identities"

OUTLOOK = "d3590ed6-52b3-4102-aeff-aad2292ab01c"
OUTLOOK_MOBILE = "27922004-5251-4030-b22d-91ecd9a37ea4"
VIVA_INSIGHTS = "fe93bfe1-7947-460a-a5e0-7a5906b51360"
_PEOPLE = 60
_NEWCOMERS_EVERY = 30
_EPOCH_WEEKDAY = 3
LAST_MONTH = 334
"""The day of the year on which the last month begins."""
INTRUSION = 358
"""The first day of the intruder, who stays until the end of the year."""
FOOTHOLD, DISGUISE = "id-orders-api-test", "Partner EDI"
"""The identity with which the intruder signs, and the application with which he reads mail."""
STOLEN = ("kv-identity-prod", "consumer-token-signing")
READ_BY_INTRUDER = (3, 7, 11, 19, 23)
"""The users whose mail he reads."""
WITHOUT_PRINCIPAL, REFUSED = "Tailspin Telemetry", "Proseware Connector"
"""Applications of other tenants that have no service principal here: one gets a token, the other is refused."""
# https://learn.microsoft.com/entra/identity-platform/retire-service-principal-less-authentication
_NO_PRINCIPAL = "00000000-0000-0000-0000-000000000000"
# AADSTS7000229, https://microsoft.github.io/teams-sdk/teams/app-authentication/troubleshooting
_ASKED = ((350, WITHOUT_PRINCIPAL, "0"), (351, REFUSED, "7000229"))


class Line(Struct, frozen=True):
    """One record of one log, as JSON text."""

    log: str
    moment: int
    text: str


class Year(Struct, frozen=True, kw_only=True):
    """A year of logs: 365 days from `first`, midnight UTC, always the same for one ground.

    In its last week there is an intrusion like that of 2023: an identity of a test system, which can use the signing key of
    consumers, signs with it; the vault's log is turned off for a moment; an application that never read mail gets a new
    credential, signs in with it, and reads the mail of a few users. In the same month an application that has no service
    principal gets a token, and there are harmless events: a Microsoft service, a failover, rotations, new employees, a new key,
    two refused uses, and a refused token.
    """

    ground: Ground
    first: int
    objects: Objects = field(default_factory=Objects)
    throttled: Collection[tuple[str, int]] = field(default=())
    """Mailboxes whose log was throttled, each with the day of the year."""

    @property
    def last_month(self) -> int:
        """Midnight UTC of the first day of the last month."""
        return self.first + LAST_MONTH * DAY

    def app(self, name: str) -> str:
        """The client id of one of the tenant's own applications or identities."""
        return self.ground.guid("client", name)

    def mailbox(self, number: int) -> str:
        """The mailbox of a person."""
        return f"person{number:03}@{self.ground.domain}"

    def lines(self, days: Iterable[int] = range(365)) -> Iterator[Line]:
        """Every record of these days, in the order of time."""
        for day in days:
            services = [*self._services(day), *self._without_principal(day)]
            found = [*self._people(day), *services, *self._happenings(day), *self._intruder(day)]
            yield from sorted(found, key=lambda line: (line.moment, line.log, line.text))

    def _people(self, day: int) -> Iterator[Line]:
        """Users at work read mail: from the office, from home, or on the way."""
        chance = random.Random(f"{self.ground.seed}/people/{day}")  # noqa: S311 - repeatable on purpose
        share = (0.8 if self._workday(day) else 0.08) * (0.3 if day > 356 else 1)
        for number in range(_PEOPLE + day // _NEWCOMERS_EVERY):
            if chance.random() > share:
                continue
            office = f"198.51.100.{number % 200}"
            home = f"100.{64 + number % 60}.{number}.{chance.randrange(1, 250)}"
            at = office if chance.random() < 0.7 else home
            yield self._read(day, chance, _program(OUTLOOK, at, "Client=REST;Client=RESTSystem;;"), number)
            if chance.random() < 0.3:
                yield self._read(day, chance, _program(EXCHANGE, home, "Client=OWA;Action=ViaProxy"), number)
            if chance.random() < 0.4:
                way = f"100.{128 + chance.randrange(20)}.{chance.randrange(40)}.7"
                mobile = _program(OUTLOOK_MOBILE, way, "Client=REST;Client=RESTSystem;;", client_app_id=EXCHANGE)
                yield self._read(day, chance, mobile, number)

    def _services(self, day: int) -> Iterator[Line]:
        for job in JOBS:
            if job.since <= day <= job.until and (not job.workdays or self._workday(day)) and day % job.every == 0:
                yield from self._job(day, job)

    def _job(self, day: int, job: Job) -> Iterator[Line]:
        chance = random.Random(f"{self.ground.seed}/{job.name}/{job.does}/{job.object}/{day}")  # noqa: S311 - repeatable
        caller = self._caller(job, day)
        for _ in range(job.times):
            if job.does == "mail":
                reader = replace(caller, app_id=GRAPH, client_app_id=caller.app_id) if job.through_graph else caller
                for number in job.mailboxes:
                    yield self._read(day, chance, reader, number)
            else:
                moment = self.moment(day, chance)
                yield self._used(moment, caller, job.does, job.vault, job.object, status=job.status)
        if job.signs_in:
            moment = self.moment(day, chance)
            key = self.credential(job.name, day)
            by_itself = job.does == "mail" and not job.through_graph
            resource = EXCHANGE if by_itself else KEY_VAULT if job.managed else GRAPH
            text = signed_in(self.ground, moment, caller, resource, key, managed=job.managed)
            yield Line(IDENTITIES if job.managed else SIGN_INS, moment, text)

    def _used(self, moment: int, caller: Caller, operation: str, vault: str, name: str, *, status: int = 200) -> Line:
        uri = key_id(vault, name) if operation.startswith("Key") else secret_id(vault, name)
        version = self.objects.version(self.ground, uri, moment)
        place = self.objects.place(self.ground, vault)
        text = key_used(self.ground, moment, caller, operation, f"{uri}/{version}", place=place, status=status)
        return Line(KEYS, moment, text)

    def _caller(self, job: Job, day: int) -> Caller:
        block = SPARE if any(first <= day <= last for first, last in job.failovers) else MAIN
        network = f"{block}.{job.host}"
        if job.roams:
            network = f"20.{day % 60}.{day % 7}.9"
        client = job.client.format(release=day // 60, build=day // 30)
        if job.later_client and day >= job.later_since:
            client = job.later_client
        return self.caller(job.name, network, client)

    def caller(self, name: str, network: str, client: str) -> Caller:
        """One of the tenant's own applications or identities, which works from there."""
        principal = self.ground.guid("principal", name)
        return Caller(app_id=self.app(name), object_id=principal, network=network, client=client)

    def _happenings(self, day: int) -> Iterator[Line]:
        """A service that Microsoft turns on in the last month."""
        if day < LAST_MONTH + 4 or not self._workday(day):
            return
        chance = random.Random(f"{self.ground.seed}/insights/{day}")  # noqa: S311 - repeatable on purpose
        for number in range(3):
            yield self._read(day, chance, _program(VIVA_INSIGHTS, "52.96.10.4", "Client=REST;Client=RESTSystem;;"), number)

    def _without_principal(self, day: int) -> Iterator[Line]:
        """Applications of other tenants ask for a token for an API of this one."""
        for name, result in ((name, result) for on, name, result in _ASKED if on == day):
            moment = self.first + day * DAY + 9 * 3600
            caller = Caller(app_id=self.app(name), object_id=_NO_PRINCIPAL, network="192.0.2.44", client="")
            text = signed_in(self.ground, moment, caller, self.app("Billing API"), self.credential(name, day), result=result)
            yield Line(SIGN_INS, moment, text)

    def _intruder(self, day: int) -> Iterator[Line]:
        """On two days he signs with the key of consumers; from the second on he reads two or three mailboxes a day."""
        if day < INTRUSION:
            return
        chance = random.Random(f"{self.ground.seed}/intruder/{day}")  # noqa: S311 - repeatable on purpose
        at = f"203.0.113.{chance.randrange(8, 16)}"
        if day < INTRUSION + 2:
            signer = self.caller(FOOTHOLD, at, "python-requests/2.31.0")
            for _ in range(5):
                yield self._used(self.first + day * DAY + chance.randrange(2 * 3600, 3 * 3600), signer, "KeySign", *STOLEN)
        if day > INTRUSION:
            reader = self.caller(DISGUISE, at, "Client=REST;;")
            moment = self.first + day * DAY + chance.randrange(4 * 3600, 5 * 3600)
            yield Line(SIGN_INS, moment, signed_in(self.ground, moment, reader, EXCHANGE, self.added_credential))
            for number in chance.sample(READ_BY_INTRUDER, chance.choice((2, 3))):
                yield self._read(day, chance, reader, number)

    @property
    def added_credential(self) -> str:
        """The key id of the credential that the intruder adds."""
        return self.ground.guid("credential", DISGUISE, "added")

    def credential(self, name: str, day: int) -> str:
        """The key id of the credential that an application signs in with on a day: a new one every half year, from February."""
        return self.ground.guid("credential", name, str((day + 150) // 182))

    def _read(self, day: int, chance: random.Random, caller: Caller, number: int) -> Line:
        moment, mailbox = self.moment(day, chance), self.mailbox(number)
        return Line(MAIL, moment, mail_read(self.ground, moment, caller, mailbox, throttled=(mailbox, day) in self.throttled))

    def moment(self, day: int, chance: random.Random) -> int:
        """A random time of that day, in working hours."""
        return self.first + day * DAY + chance.randrange(6 * 3600, 22 * 3600)

    def _workday(self, day: int) -> bool:
        return ((self.first // DAY + day + _EPOCH_WEEKDAY) % 7) < 5


def _program(app_id: str, network: str, client: str, client_app_id: str = "") -> Caller:
    return Caller(app_id=app_id, object_id="", network=network, client=client, client_app_id=client_app_id)
