"""Intrusions into the company, each also with forged tokens, a benign look-alike of each, and what must be found of them.

The expectations were written before the detection was read. They follow what is published about two intrusions: Microsoft's
and CISA's reports of Storm-0558 (AA23-193A: mail read with forged tokens of Outlook on the web, noticed by an application that
did not belong there) and of Midnight Blizzard (mail read with an application's valid credentials, through residential proxies).
The public client that reads mail though nobody uses it is Visual Studio Code, as in the rule initial_access_entra_id_oauth_
phishing_via_first_party_microsoft_application of github.com/elastic/detection-rules at 14cf530f.

`usage check` must find each intrusion at its level, forged or not: it does not compare tokens. The page of an incident must
name each forged token by its result: those of the applications in daily use, with a thousand tokens in the baseline,
as without a sign-in record, as unlike the sign-in or as over age; those of the unused application as not checked, with the
reason, since nobody can know how many of its tokens are usually listed; those without an id are counted. It must name no token
of a sign-in. Of a vault's key it can say nothing about tokens: a vault's log names none.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from tests.intrusions.company import (
    BACKUP,
    FIRST,
    HUB,
    LEARNED,
    OWA,
    PEOPLE,
    PROGRAM,
    REST,
    SIGNER,
    SIGNING_KEY,
    Company,
)
from tests.intrusions.records import EXCHANGE, GRAPH, ISSUED_BEFORE, VAULTS, Actor, Line, Token, at, graph, guid, mail

UNUSED = "aebc6443-996d-45c2-90f0-388ff96faa56"
UNUSED_TOOL = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
"""Another such client, which every tenant has: the Azure CLI."""
NEW_CLIENT, TRIED = "5d661950-3475-41cd-a2c3-d671a3162bc1", "57336123-6e14-4acc-8dcf-287b6088aa28"
"""Two more clients of Microsoft's: one is announced and rolled out, one is tried by one person."""

USED = timedelta(minutes=3)
"""From a sign-in to the use of its token."""

Level = Literal["low", "medium", "high", "critical"]
Result = Literal["not-listed", "differs", "over-age", "no-id"]


@dataclass(frozen=True)
class Planted:
    """A record of the intrusion whose token is forged, and how it can be recognised."""

    result: Result
    log: str
    moment: datetime
    uti: str | None


@dataclass(eq=False)
class Scenario:
    """An event of `days` days from day `first` on.

    `least` is the level at which it must be found on each of its days, `most` the level that it may reach. `told` is on how
    many of its days it may stop a pipeline that learns what goes on. `tokens` are the forged ones, once its lines are made.
    """

    name: str
    days: int
    acts: Callable[[Company, "Scenario", int, Random], Iterator[Line]]
    least: Level | None = None
    most: Level | None = None
    told: int = 0
    forged: bool = False
    app: str = ""
    first: int = 0
    tokens: list[Planted] = field(default_factory=list)

    def lines(self, company: Company) -> list[Line]:
        self.tokens.clear()
        made: list[Line] = []
        for day in range(self.days):
            made += self.acts(company, self, day, Random(f"{company.seed}/{self.name}/{day}"))
        return made

    def start(self, day: int) -> datetime:
        return FIRST + timedelta(days=self.first + day)


def _network(company: Company, name: str) -> str:
    rng = Random(f"{company.seed}/{name}/network")
    return f"45.{rng.randrange(1, 250)}.{rng.randrange(250)}"


def _token(
    company: Company, scenario: Scenario, rng: Random, moment: datetime, app: str, actor: Actor, number: int
) -> tuple[Token, Result | None]:
    """One from a sign-in, or a forged one: most invent an id, every eighth copies the backup's, every ninth has none."""
    token = company.token(rng, moment, app, actor, session=guid(rng) if actor.upn else "")
    if not scenario.forged:
        return token, None
    if number % 9 == 4:
        return replace(token, request=None), "no-id"
    if number % 8 == 3:
        return replace(token, request=next(_signed_in(company, moment, BACKUP))[0]), "differs"
    return token, "not-listed"


def _signed_in(company: Company, day: datetime, app: str) -> Iterator[tuple[str, datetime]]:
    """The ordinary sign-ins of a service principal on that day, each with its request's id and its time."""
    for log, record in company.day((day - FIRST).days):
        properties = record.get("properties")
        if log == "ServicePrincipalSignInLogs" and isinstance(properties, dict) and properties["appId"] == app:
            yield properties["id"], datetime.fromisoformat(properties["createdDateTime"])


def _use(
    company: Company,
    scenario: Scenario,
    rng: Random,
    moment: datetime,
    issued: tuple[Token, Result | None],
    ip: str,
    api: str,
    lines: Sequence[Line],
) -> Iterator[Line]:
    """The token's sign-in at `moment`, unless it is forged, and its uses, USED later."""
    token, result = issued
    if result is None:
        yield company.signed_in(rng, moment, token, ip, api)
    for log, record in lines:
        if result is not None:
            scenario.tokens.append(Planted(result, log, moment + USED, token.uti))
        yield log, record


def _used(many: int, *, proxies: bool = False) -> Callable[[Company, Scenario, int, Random], Iterator[Line]]:
    """Mail of `many` people, a day, with Outlook on the web: from one network, or each from a network of its own."""

    def acts(company: Company, scenario: Scenario, day: int, rng: Random) -> Iterator[Line]:
        for number, person in enumerate(rng.sample(company.people[:PEOPLE], many)):
            moment = at(scenario.start(day), 10_000 + number * 60_000 / many)
            network = f"73.{rng.randrange(1, 250)}.{rng.randrange(250)}" if proxies else _network(company, scenario.name)
            issued, ip = _token(company, scenario, rng, moment, OWA, person, number), company.host(rng, network)
            read = mail(moment + USED, person, issued[0], ip, PROGRAM[OWA], rng=rng, items=rng.randrange(1, 9))
            yield from _use(company, scenario, rng, moment, issued, ip, EXCHANGE, [read])

    return acts


def _unused(many: int, app: str = UNUSED) -> Callable[[Company, Scenario, int, Random], Iterator[Line]]:
    """Mail of `many` people, a day, through Graph with an application of Microsoft's that nobody here reads mail with."""

    def acts(company: Company, scenario: Scenario, day: int, rng: Random) -> Iterator[Line]:
        for number, person in enumerate(rng.sample(company.people[:PEOPLE], many)):
            moment, ip = (
                at(scenario.start(day), 10_000 + number * 60_000 / many),
                company.host(rng, _network(company, scenario.name)),
            )
            issued = _token(company, scenario, rng, moment, app, person, number)
            read = mail(moment + USED, person, issued[0], ip, REST, rng=rng, through=GRAPH)
            call = graph(moment + USED, issued[0], ip, "/me/messages", rng=rng, agent="python-requests/2.32.5")
            yield from _use(company, scenario, rng, moment, issued, ip, GRAPH, [call, read])

    return acts


def _hub(company: Company, scenario: Scenario, day: int, rng: Random) -> Iterator[Line]:
    """The known Graph client reads all mailboxes, from its own network, with eight tokens; a forged ninth is 30 hours old."""
    for number, group in enumerate(company.people[first : first + 15] for first in range(0, PEOPLE, 15)):
        moment, ip = at(scenario.start(day), 10_000 + number * 7_000), company.host(rng, "20.40.7")
        issued = _token(company, scenario, rng, moment, HUB, company.special[HUB], number)
        token, used = issued[0], moment + USED
        lines = [mail(used, person, token, ip, REST, rng=rng, items=9, through=GRAPH) for person in group]
        yield from _use(company, scenario, rng, moment, issued, ip, GRAPH, [graph(used, token, ip, "/users", rng=rng), *lines])
    if scenario.forged:
        # A token from a sign-in of the day before whose time of issue is right, but that Graph would no longer accept.
        begun = scenario.start(day)
        request, since = next(_signed_in(company, begun - timedelta(days=1), HUB))
        issued_at = since.replace(microsecond=0) - timedelta(seconds=ISSUED_BEFORE)
        old = Token(request, issued_at, HUB, company.special[HUB], "")
        moment = issued_at + timedelta(hours=30)
        scenario.tokens.append(Planted("over-age", "MicrosoftGraphActivityLogs", moment, old.uti))
        yield graph(moment, old, company.host(rng, "20.40.7"), "/users", rng=rng)


def _signs(network: str, times: int) -> Callable[[Company, Scenario, int, Random], Iterator[Line]]:
    """The signing key is used as its application does, from `network`; "" is the intruder's. A vault's log names no token."""

    def acts(company: Company, scenario: Scenario, day: int, rng: Random) -> Iterator[Line]:
        signer = company.special[SIGNER]
        for number in range(times):
            moment = at(scenario.start(day), 12_000 + number * 900)
            ip = company.host(rng, network or _network(company, scenario.name))
            if not scenario.forged and number % 4 == 0:
                yield company.signed_in(rng, moment, company.token(rng, moment, SIGNER, signer), ip, VAULTS)
            where = f"{SIGNING_KEY}/{company.version(scenario.first + day)}"
            yield company.in_vault(rng, moment, signer, SIGNER, ip, "KeySign", where)

    return acts


def _trip(company: Company, scenario: Scenario, day: int, rng: Random) -> Iterator[Line]:
    """One person travels, and is in another hotel each day."""
    hotel = company.host(rng, f"62.{rng.randrange(1, 250)}.{rng.randrange(250)}")
    for hour in (7, 12, 19):
        yield from company.reads(rng, at(scenario.start(day), hour * 3_600), company.people[33], OWA, hotel)


def _moved(company: Company, scenario: Scenario, day: int, rng: Random) -> Iterator[Line]:
    """Three people have a new address at home, each one of their own."""
    for number in (11, 12, 13):
        home = Random(f"{company.seed}/moved/{number}")
        ip = f"84.{home.randrange(1, 250)}.{home.randrange(250)}.9"
        yield from company.reads(
            rng, at(scenario.start(day), 30_000 + number), company.people[number], company.clients[number], ip
        )


def _conference(company: Company, scenario: Scenario, day: int, rng: Random) -> Iterator[Line]:
    """Eight colleagues read their own mail from one hotel."""
    for number in range(40, 48):
        ip = company.host(rng, _network(company, scenario.name))
        yield from company.reads(rng, at(scenario.start(day), 30_000 + number * 200), company.people[number], OWA, ip)


def _client(app: str, who: range) -> Callable[[Company, Scenario, int, Random], Iterator[Line]]:
    """People read their own mail from the office with a client of Microsoft's that is new here."""

    def acts(company: Company, scenario: Scenario, day: int, rng: Random) -> Iterator[Line]:
        for number in who:
            moment, ip = at(scenario.start(day), 30_000 + number * 100), company.host(rng, company.offices[number % 3])
            person = company.people[number]
            token = company.token(rng, moment, app, person, session=guid(rng))
            yield company.signed_in(rng, moment, token, ip, EXCHANGE)
            yield mail(moment + timedelta(minutes=1), person, token, ip, "Client=OutlookService;Outlook-Mac/17;", rng=rng)

    return acts


def _growth(company: Company, scenario: Scenario, day: int, rng: Random) -> Iterator[Line]:
    """The known Graph client is given five mailboxes more, and reads four of them a day."""
    known = set(company.read_by_hub)
    more = [person for person in company.people[:PEOPLE] if person not in known][:5]
    for number, person in enumerate(rng.sample(more, 4)):
        moment, ip = at(scenario.start(day), 50_000 + number * 900), company.host(rng, "20.40.7")
        token = company.token(rng, moment, HUB, company.special[HUB])
        yield company.signed_in(rng, moment, token, ip, GRAPH)
        yield graph(moment, token, ip, f"/users/{person.oid}/messages", rng=rng)
        yield mail(moment, person, token, ip, REST, rng=rng, through=GRAPH)


def intrusions() -> list[Scenario]:
    """Each with tokens of sign-ins and with forged ones."""
    every: list[Scenario] = []
    for forged in (False, True):
        made = [
            Scenario("used-fast", 1, _used(40), "high", app=OWA),
            Scenario("used-slow", 3, _used(5), "high", app=OWA),
            Scenario("used-proxies", 1, _used(40, proxies=True), "high", app=OWA),
            Scenario("unused-fast", 1, _unused(40), "high", app=UNUSED),
            Scenario("unused-slow", 3, _unused(5), "high", app=UNUSED),
            Scenario("unused-tool-fast", 1, _unused(40, UNUSED_TOOL), "high", app=UNUSED_TOOL),
            Scenario("unused-tool-slow", 3, _unused(5, UNUSED_TOOL), "high", app=UNUSED_TOOL),
            Scenario("graph-client", 1, _hub, "high", app=HUB),
            Scenario("key-from-new-network", 1, _signs("", 20), "high", app=SIGNER),
        ]
        for each in made:
            each.forged = forged
            each.name += "-forged" if forged else ""
        every += made
    return every


def alike() -> list[Scenario]:
    """What an administrator would call ordinary, though it is like an intrusion."""
    return [
        Scenario("trip", 3, _trip, most="medium", app=OWA),
        Scenario("moved-home", 2, _moved, most="medium"),
        Scenario("growth", 3, _growth, most="medium", app=HUB),
        Scenario("scaled-out", 2, _signs("20.50.1", 4), most="medium", app=SIGNER),
        Scenario("conference", 2, _conference, told=2, app=OWA),
        Scenario("announced-client", 3, _client(NEW_CLIENT, range(10, 30)), told=1, app=NEW_CLIENT),
        Scenario("tried-client", 3, _client(TRIED, range(60, 61)), told=1, app=TRIED),
        Scenario("moved-region", 3, _signs("20.88.4", 4), told=1, app=SIGNER),
    ]


def placed(events: Sequence[Scenario], first: int) -> list[Scenario]:
    """The events, one after the other from a day on."""
    for event in events:
        event.first, first = first, first + event.days
    return list(events)


def scenarios() -> list[Scenario]:
    """All of them, each on days of its own after 30 clean ones."""
    return placed([*intrusions(), *alike()], LEARNED + 30)


ANNOUNCED = f"""\
version: 1
accept:
  - app_id: {NEW_CLIENT}
    operation: read-mail
    owner: workplace
    reason: the new client, rolled out in November
    until: 2027-01-31
"""
"""The file of announcements that the company's administrators would write."""
LAST = max(scenario.first + scenario.days for scenario in scenarios()) + 5
"""The day after the last: the logs go on for longer than a record may be late."""
