"""The acts that an incident lists: the uses outside the baseline, whichever day they are of."""

from pathlib import Path

import duckdb
import pytest
from msgspec.structs import replace

from keyaudit.inventory.logs import Use
from keyaudit.inventory.logs.groups import CLIENT
from keyaudit.inventory.usage.deviations import statements
from keyaudit.inventory.usage.learn import learn
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY
from keyaudit.questions.incident.answer import SignsFor
from keyaudit.questions.incident.evidence.acts import ANYBODYS, acts, prepare
from keyaudit.questions.incident.evidence.logs import observed
from keyaudit.questions.incident.evidence.subject import About
from tests.logs import START, mail, store, use

LEARNED, AFTER = 56, 3
USUAL, ELSEWHERE = "203.0.113.7", "198.51.100.9"
ABOUT = About(
    key_ids=frozenset(),
    secret_ids=frozenset(),
    version="",
    credentials=frozenset(),
    app_id="app",
    vault_id="",
    apps=frozenset({"app"}),
    objects=frozenset(),
    domains=frozenset(),
    signs_for={},
)


def test_each_day_of_mass_reading_is_listed(tmp_path: Path) -> None:
    usual = store(tmp_path / "usual", [mail(day, network=USUAL) for day in range(LEARNED)])
    (tmp_path / "baseline").mkdir()
    baseline = learn(usual, Window(since=START, until=START + LEARNED * DAY), into=tmp_path / "baseline")
    days = {LEARNED: 25, LEARNED + 1: 20, LEARNED + 2: 2}
    read = [mail(day, mailbox=f"m{box}@contoso.example", network=USUAL) for day, boxes in days.items() for box in range(boxes)]
    window = Window(since=START + LEARNED * DAY, until=START + (LEARNED + AFTER) * DAY)
    with store(tmp_path / "logs", read).connect(besides=[baseline.folder]) as connection:
        baseline.create_view(connection)
        for statement in statements(window):
            connection.execute(statement)
        prepare(connection)
        found = acts(connection, window, "actor_app_id = $app", {"app": "app"}, held=True)
    (act,) = (each for each in found if each.outside)
    assert (act.outside, act.count, act.objects_count) == (("many-mailboxes",), 45, 25)
    assert (act.last_on - act.first_on) // DAY == 1


def test_on_a_day_of_mass_reading_the_usual_mailboxes_are_no_lower_bound(tmp_path: Path) -> None:
    """Of 25 mailboxes from the usual network, 1 may be the one that is read every day; from a new one each is the thief's."""
    usual = store(tmp_path / "usual", [mail(day, network=USUAL) for day in range(LEARNED)])
    (tmp_path / "baseline").mkdir()
    baseline = learn(usual, Window(since=START, until=START + LEARNED * DAY), into=tmp_path / "baseline")
    window = Window(since=START + LEARNED * DAY, until=START + (LEARNED + AFTER) * DAY)
    for name, network, boxes, least in (("same", USUAL, 25, 24), ("new", ELSEWHERE, 24, 24)):
        read = [mail(LEARNED, mailbox=f"m{box}@contoso.example", network=network) for box in range(boxes)]
        read += [mail(LEARNED, network=USUAL)] if name == "new" else []
        with store(tmp_path / name, read, tenant=None).connect(window, besides=[baseline.folder]) as connection:
            found = observed(connection, ABOUT, window, baseline, None, unrecorded=False)
        assert found.mailboxes.least == least, name


@pytest.mark.parametrize("client", ["python-requests/2.31.0", "curl/8.0", "azsdk-net-Security.KeyVault.Keys/4.6.0"])
def test_a_tool_that_anybody_may_use_links_nobody(client: str) -> None:
    with duckdb.connect() as connection:
        [(named,)] = connection.execute(f"SELECT {CLIENT} FROM (SELECT ? AS client)", [client]).fetchall()
        [(anybodys,)] = connection.execute("SELECT regexp_matches(?, ?)", [named, ANYBODYS]).fetchall()
        [(own,)] = connection.execute("SELECT regexp_matches('client=webservices;mailraider;', ?)", [ANYBODYS]).fetchall()
    assert (anybodys, own) == (True, False)


@pytest.mark.parametrize("roaming", [True, False])
def test_users_who_sign_in_by_saml_from_one_new_network_are_on_the_page(tmp_path: Path, *, roaming: bool) -> None:
    """As `usage check` says of the same records: of one user who travels only where all others come from few networks."""

    def signs_in(day: int, number: int, network: str) -> Use:
        given = {"source": "SigninLogs", "operation": "saml-sign-in", "target_kind": "application", "target_id": "payroll"}
        return use(day, "", **given, network=network, principal_id=f"p{number}", name=f"{day} {number}", client="Mozilla/5.0")

    def at_work(day: int, number: int) -> Use:
        return signs_in(day, number, f"192.{day % 50}.{number}.1" if roaming and day % 2 and number % 2 else USUAL)

    usual = store(tmp_path / "usual", [at_work(day, number) for day in range(LEARNED) for number in range(20)])
    (tmp_path / "baseline").mkdir()
    baseline = learn(usual, Window(since=START, until=START + LEARNED * DAY), into=tmp_path / "baseline")
    window = Window(since=START + LEARNED * DAY, until=START + (LEARNED + AFTER) * DAY)
    came = [signs_in(LEARNED, number, ELSEWHERE) for number in range(9)]
    traveller = signs_in(LEARNED + 1, 30, "203.0.114.1")
    uses = [*came, traveller, *(signs_in(LEARNED + 1, number, USUAL) for number in range(20))]
    about = replace(ABOUT, app_id="", apps=frozenset(), signs_for={"payroll": SignsFor(name="Payroll", active=True)})
    with store(tmp_path / "logs", uses, tenant=None).connect(window, besides=[baseline.folder]) as connection:
        found = observed(connection, about, window, baseline, None, unrecorded=True)
    shown = {record for act in found.timeline for record in act.records}
    assert shown == {each.name for each in (came if roaming else [*came, traveller])}
    assert ("users-from-new-network" in {kind for act in found.timeline for kind in act.outside or ()}) is roaming
    assert found.saml[0].count == len(uses)
