"""The acts that an incident lists: the uses outside the baseline, whichever day they are of."""

from pathlib import Path

from keyaudit.inventory.incident.acts import acts, prepare
from keyaudit.inventory.usage.learn import learn
from keyaudit.inventory.usage.odd import statements
from keyaudit.model.times import DAY
from keyaudit.model.usage import Window
from tests.logs import START, mail, store

LEARNED, AFTER = 56, 3
USUAL = "203.0.113.7"


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
