"""The level at which `usage check` reports what public rules look for, in a company that never did it before.

The records have the shapes of tests/collect/usage/test_public_rules.py, which names the rules. `explain usage` has the same for
the recorded events themselves.
"""

import copy
import json
import re
from typing import Any

import pytest

from keyaudit.inventory.logs.groups import who_of
from keyaudit.inventory.usage.learn import learn, window_of
from keyaudit.logs.check.check import check
from keyaudit.model.usage import PRIVILEGED, Window
from keyaudit.model.values.times import DAY
from tests.collect.usage import made
from tests.collect.usage.rig import imported
from tests.collect.usage.test_public_rules import FOUND
from tests.logs import START, TENANT, mail, store

_TENANT = "87654321-4321-4321-4321-111111111111"
BELOW = {"sigma azure_keyvault_secrets_modified_or_deleted": "medium"}
"""A secret that is written opens nothing. All others are high."""


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """By rule, the severities of the findings about what its record says."""
    folder = tmp_path_factory.mktemp("levels")
    for each in ("baseline", "logs"):
        (folder / each).mkdir()
    usual = store(folder / "usual", [mail(day) for day in range(28)])
    baseline = learn(usual, Window(since=START, until=START + 28 * DAY), into=folder / "baseline")
    files = {rule: f"{number:03}.json" for number, rule in enumerate(FOUND)}
    for number, (rule, name) in enumerate(files.items()):
        (folder / "logs" / name).write_text(_apart(FOUND[rule][0], number), encoding="utf-8")
    logs = imported(folder / "store", folder / "logs")
    found = check(logs, window_of(logs, None, None), baseline).findings
    severities = {(each.operation, each.target_kind, each.app_id, each.target == PRIVILEGED): each.severity for each in found}
    with logs.connect() as connection:
        rows = connection.execute(f"""SELECT parse_filename(source_url), operation, target_kind, {who_of("usage")},
            coalesce(privileged, false) FROM usage""").fetchall()
    return {
        rule: [str(severities[key]) for file, *names in rows if file == name and (key := tuple(names)) in severities]
        for rule, name in files.items()
    }


def _apart(record: dict[str, Any], number: int) -> str:
    """The record, with an id of its own."""
    apart = copy.deepcopy(record)
    for holder in (apart, apart.get("properties") or {}):
        for name in {"Id", "id", "correlationId"} & holder.keys():
            holder[name] = f"{number:08}-0000-4000-8000-000000000000"
    return re.sub(f"{_TENANT}|{made.TENANT}", TENANT, json.dumps(apart))


@pytest.mark.parametrize("rule", FOUND)
def test_it_is_reported(levels: dict[str, list[str]], rule: str) -> None:
    assert set(levels[rule]) == {BELOW.get(rule, "high")}
