"""What happens in the simulated year, day by day: people read mail on workdays, services sign, read secrets and sign in."""

import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from keyaudit.simulator.estates.ids import DAY, Ground, key_id, secret_id
from keyaudit.simulator.logs.jobs import JOBS, MAIN, SPARE, Job
from keyaudit.simulator.logs.shapes import EXCHANGE, GRAPH, Caller, key_used, mail_read, signed_in

MAIL, KEYS, SIGN_INS = "mail", "key-vault", "sign-ins"

OUTLOOK = "d3590ed6-52b3-4102-aeff-aad2292ab01c"
OUTLOOK_MOBILE = "27922004-5251-4030-b22d-91ecd9a37ea4"
VIVA_INSIGHTS = "fe93bfe1-7947-460a-a5e0-7a5906b51360"
_PEOPLE = 60
_NEWCOMERS_EVERY = 30
_EPOCH_WEEKDAY = 3
LAST_MONTH = 334
"""The day of the year on which the month with the intrusion begins."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record of one log, as JSON text."""

    log: str
    moment: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """A year of logs: 365 days from `first`, midnight UTC, always the same for one ground.

    In its last month an intruder reads the mail of a few people, a little on each workday, with a credential that was replaced
    in February, by an application that never read mail. The same month brings all that is no intrusion: an application that was
    announced, one of Microsoft's own, a failover, a rotation, newcomers, a new key, and somebody who is refused.
    """

    ground: Ground
    first: int
    throttled: Collection[tuple[str, int]] = field(default=())
    """Mailboxes whose log was throttled, each with the day of the year."""

    @property
    def last_month(self) -> int:
        """Midnight UTC of the day on which the month with the intrusion begins."""
        return self.first + LAST_MONTH * DAY

    def app(self, name: str) -> str:
        """The application id of one of the tenant's own applications."""
        return self.ground.guid("application", name)

    def mailbox(self, number: int) -> str:
        """The mailbox of a person."""
        return f"person{number:03}@{self.ground.domain}"

    def lines(self, days: Iterable[int] = range(365)) -> Iterator[Line]:
        """Every record of these days, in the order of time."""
        for day in days:
            found = [*self._people(day), *self._services(day), *self._happenings(day), *self._intruder(day)]
            yield from sorted(found, key=lambda line: (line.moment, line.log, line.text))

    def _people(self, day: int) -> Iterator[Line]:
        """Who works reads mail: at the desk from the office or from home, and on the way."""
        chance = random.Random(f"{self.ground.seed}/people/{day}")  # noqa: S311 - repeatable on purpose
        share = (0.8 if self._workday(day) else 0.08) * (0.3 if day > 356 else 1)
        for number in range(_PEOPLE + day // _NEWCOMERS_EVERY):
            if chance.random() > share:
                continue
            office = f"198.51.100.{number % 200}"
            home = f"100.{64 + number % 60}.{number}.{chance.randrange(1, 250)}"
            desk = Caller(
                app_id=OUTLOOK, network=office if chance.random() < 0.7 else home, client="Client=REST;Client=RESTSystem;;"
            )
            yield self._read(day, chance, desk, number)
            if chance.random() < 0.3:
                yield self._read(
                    day, chance, Caller(app_id=EXCHANGE, network=home, client="Client=OWA;Action=ViaProxy"), number
                )
            if chance.random() < 0.4:
                way = f"100.{128 + chance.randrange(20)}.{chance.randrange(40)}.7"
                mobile = Caller(
                    app_id=OUTLOOK_MOBILE, network=way, client="Client=REST;Client=RESTSystem;;", client_app_id=EXCHANGE
                )
                yield self._read(day, chance, mobile, number)

    def _services(self, day: int) -> Iterator[Line]:
        for job in JOBS:
            if job.since <= day <= job.until and (not job.workdays or self._workday(day)) and day % job.every == 0:
                yield from self._job(day, job)

    def _job(self, day: int, job: Job) -> Iterator[Line]:
        chance = random.Random(f"{self.ground.seed}/{job.name}/{job.does}/{day}")  # noqa: S311 - repeatable on purpose
        caller = self._caller(job, day)
        for _ in range(job.times):
            if job.does == "mail":
                for number in job.mailboxes:
                    yield self._read(day, chance, caller, number)
            else:
                uri = key_id(job.vault, job.object) if job.does.startswith("Key") else secret_id(job.vault, job.object)
                version = self.ground.hexadecimal("version", job.object, str(day // job.rotated))
                moment = self._moment(day, chance)
                yield Line(KEYS, moment, key_used(self.ground, moment, caller, job.does, f"{uri}/{version}", status=job.status))
        if job.signs_in:
            moment = self._moment(day, chance)
            key = self.credential(job.name, day)
            resource = EXCHANGE if job.does == "mail" else GRAPH
            yield Line(SIGN_INS, moment, signed_in(self.ground, moment, caller, resource, key))

    def _caller(self, job: Job, day: int) -> Caller:
        block = SPARE if any(first <= day <= last for first, last in job.failovers) else MAIN
        network = f"{block}.{job.host}"
        if job.roams:
            network = f"20.{day % 60}.{day % 7}.9"
        client = job.client.format(release=day // 60, build=day // 30)
        if job.later_client and day >= job.later_since:
            client = job.later_client
        return Caller(app_id=self.app(job.name), network=network, client=client)

    def _happenings(self, day: int) -> Iterator[Line]:
        """What Microsoft turns on in the last month."""
        if day < LAST_MONTH + 4 or not self._workday(day):
            return
        chance = random.Random(f"{self.ground.seed}/insights/{day}")  # noqa: S311 - repeatable on purpose
        insights = Caller(app_id=VIVA_INSIGHTS, network="52.96.10.4", client="Client=REST;Client=RESTSystem;;")
        for number in range(3):
            yield self._read(day, chance, insights, number)

    def _intruder(self, day: int) -> Iterator[Line]:
        """Four weeks, on workdays, two or three mailboxes a day of the five that matter."""
        if not LAST_MONTH + 1 <= day <= LAST_MONTH + 28 or not self._workday(day):
            return
        chance = random.Random(f"{self.ground.seed}/intruder/{day}")  # noqa: S311 - repeatable on purpose
        caller = Caller(
            app_id=self.app("Partner portal"), network=f"203.0.113.{chance.randrange(8, 16)}", client="Client=REST;;"
        )
        moment = self._moment(day, chance)
        yield Line(SIGN_INS, moment, signed_in(self.ground, moment, caller, EXCHANGE, self.credential("Partner portal", 0)))
        for number in chance.sample((3, 7, 11, 19, 23), chance.choice((2, 3))):
            yield self._read(day, chance, caller, number)

    def credential(self, name: str, day: int) -> str:
        """The key id of the credential that an application signs in with on a day: a new one every half year, from February."""
        return self.ground.guid("credential", name, str((day + 150) // 182))

    def _read(self, day: int, chance: random.Random, caller: Caller, number: int) -> Line:
        moment, mailbox = self._moment(day, chance), self.mailbox(number)
        return Line(MAIL, moment, mail_read(self.ground, moment, caller, mailbox, throttled=(mailbox, day) in self.throttled))

    def _moment(self, day: int, chance: random.Random) -> int:
        return self.first + day * DAY + chance.randrange(6 * 3600, 22 * 3600)

    def _workday(self, day: int) -> bool:
        return ((self.first // DAY + day + _EPOCH_WEEKDAY) % 7) < 5
