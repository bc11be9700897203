"""Who read mail: of records of an API the application that called it, and of all others the application that they name.

The records are as in https://github.com/microsoft/Microsoft-365-Defender-Hunting-Queries, "OAuth Apps accessing user mail via
GraphAPI [Nobelium]", and in the incidents of https://github.com/microsoft/SecRL: AppId is that of Microsoft Graph, and
ClientAppId the application.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from keyaudit.inventory.usage.baseline import Baseline, open_baseline
from keyaudit.inventory.usage.learn import learn
from keyaudit.logs.check.check import check
from keyaudit.model.gating.waivers import Glob
from keyaudit.model.usage import Accepted, Blind, UsageCheck, Window
from keyaudit.model.values.times import DAY
from keyaudit.simulator.estates.ids import Ground
from keyaudit.simulator.estates.logs.shapes import GRAPH, Caller, mail_read
from keyaudit.simulator.estates.logs.year import MAIL, Line
from tests.logs import START, imported

GROUND = Ground(2023, 0, "contoso.example")
LEARNED, NEW = 35, 36
ARCHIVE, SEARCH, SYNC, STRANGER = (f"0000000{number}-1111-4111-8111-111111111111" for number in range(1, 5))


def read(day: int, app: str, boxes: int, *, through: str = GRAPH) -> Iterable[Line]:
    """MailItemsAccessed of so many mailboxes; without `through`, the application reads them itself."""
    caller = Caller(
        app_id=through or app, object_id="", network="20.1.2.3", client="Client=REST;Client=RESTSystem;;", client_app_id=app
    )
    for number in range(boxes):
        moment = START + day * DAY + 9 * 3600 + number
        yield Line(MAIL, moment, mail_read(GROUND, moment, caller, f"person{number}@contoso.example"))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    """Five weeks in which two applications read 2 mailboxes a day through Graph, one 40, and one reads 2 by itself."""
    daily = ((ARCHIVE, 2, GRAPH), (SEARCH, 40, GRAPH), (SYNC, 2, ""))
    lines = [line for day in range(LEARNED) for app, boxes, through in daily for line in read(day, app, boxes, through=through)]
    logs = imported(tmp_path_factory.mktemp("usual") / "logs", lines)
    return learn(logs, Window(since=START, until=START + LEARNED * DAY), into=tmp_path_factory.mktemp("baseline"))


@pytest.fixture
def checked(tmp_path: Path, usual: Baseline) -> Callable[..., UsageCheck]:
    def run(lines: Sequence[Line], accepted: Sequence[Accepted] = ()) -> UsageCheck:
        window = Window(since=START + NEW * DAY, until=START + (NEW + 1) * DAY)
        return check(imported(tmp_path / "logs", lines), window, open_baseline(usual.folder), accepted=accepted)

    return run


def found(result: UsageCheck) -> list[tuple[str, str, str]]:
    return [(each.app_id, why.kind, why.severity) for each in result.findings for why in each.why]


def test_a_client_of_graph_that_reads_2_mailboxes_a_day_is_found_when_it_reads_300(
    checked: Callable[..., UsageCheck],
) -> None:
    result = checked([*read(NEW, ARCHIVE, 300), *read(NEW, SEARCH, 40)])
    assert found(result) == [(ARCHIVE, "many-mailboxes", "high")]
    (why,) = result.findings[0].why
    assert (why.count, why.usual, {use.api_app_id for use in why.evidence}) == (300, 2, {GRAPH})
    assert result.exit == 1


def test_clients_of_graph_that_read_what_they_always_read_are_left_alone(checked: Callable[..., UsageCheck]) -> None:
    result = checked([*read(NEW, ARCHIVE, 2), *read(NEW, SEARCH, 40), *read(NEW, SYNC, 2, through="")])
    assert (found(result), result.unseen) == ([], ())


def test_a_client_that_is_new_to_graph_is_a_new_application(checked: Callable[..., UsageCheck]) -> None:
    assert found(checked(list(read(NEW, STRANGER, 1)))) == [(STRANGER, "new-app", "high")]


def test_an_application_that_is_new_behind_a_known_caller_is_noticed(checked: Callable[..., UsageCheck]) -> None:
    result = checked(list(read(NEW, ARCHIVE, 1, through=STRANGER)))
    assert found(result) == [(STRANGER, "new-app", "high")]
    assert {use.client_app_id for use in result.findings[0].why[0].evidence} == {ARCHIVE}


def test_an_api_that_is_new_to_a_known_application_is_noticed(checked: Callable[..., UsageCheck]) -> None:
    assert found(checked(list(read(NEW, SYNC, 2)))) == [(SYNC, "new-api", "low")]


def test_an_announcement_is_of_the_caller_and_not_of_the_api(checked: Callable[..., UsageCheck]) -> None:
    announced = [
        Accepted(
            app_id=app, operation="read-mail", target=Glob("*"), owner="o", reason="r", ends=START + 99 * DAY, place="a.yaml:1"
        )
        for app in (STRANGER, GRAPH)
    ]
    result = checked(list(read(NEW, STRANGER, 1)), announced)
    assert [each.accepted for each in result.findings] == announced[:1]
    assert result.unused == tuple(announced[1:])


def test_a_record_of_graph_that_names_no_caller_is_unknown_and_not_graphs(checked: Callable[..., UsageCheck]) -> None:
    unnamed = [
        Line(MAIL, line.moment, line.text.replace(f'\\"ClientAppId\\": \\"{ARCHIVE}\\"', '\\"ClientAppId\\": \\"\\"'))
        for line in read(NEW, ARCHIVE, 30)
    ]
    assert not any(ARCHIVE in line.text for line in unnamed)
    result = checked(unnamed)
    assert found(result) == []
    assert [(each.blind, each.subject, each.count) for each in result.unseen] == [
        (Blind.NOT_TOLD, "actor_app_id of OfficeActivity", 30)
    ]
    assert result.exit == 3
