"""Spark finds the same unusual uses of the same uses as DuckDB: one generated window, with every kind of number."""

import random
from pathlib import Path

import pytest

from keyaudit.inventory.dialect import SPARK
from keyaudit.inventory.logs.groups import mailboxes, single
from keyaudit.inventory.usage.baseline import BELONGS
from keyaudit.inventory.usage.deviations import statements
from keyaudit.inventory.usage.learn import learn
from keyaudit.logs.check.check import check
from keyaudit.model.severity import Severity
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY
from tests import needs
from tests.inventory.usage.test_agreement import AFTER, LEARNED, generated
from tests.logs import START, store

COUNTED = {
    *("many-mailboxes", "many-in-one-hour", "mailbox-read-often", "mailboxes-from-new-network", "users-from-new-network"),
    "many-new-networks",
}


@pytest.mark.exhaustive
def test_spark_finds_the_same(tmp_path: Path) -> None:
    needs.program("java")
    needs.module("pyspark")
    from tests.differential.__main__ import spark  # noqa: PLC0415 - pyspark is not installed everywhere

    folder, work = tmp_path / "baseline", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    logs = store(tmp_path / "logs", generated(random.Random(5)))
    baseline = learn(logs, Window(since=START, until=START + LEARNED * DAY), into=folder)
    window = Window(since=START + LEARNED * DAY, until=START + (LEARNED + AFTER) * DAY)
    expected = {
        (each.operation, each.target, each.app_id, why.kind, why.severity, why.uses, why.count if why.kind in COUNTED else 0)
        for each in check(logs, window, baseline).findings
        for why in each.why
    }
    assert {kind for *_, kind, _, _, _ in expected} >= COUNTED
    timely = f"used_on >= {window.since} AND used_on < {window.until}"
    with spark(work) as session:
        stored = [str(logs.folder / file.path) for part in logs.manifest.parts for file in part.files]
        session.read.parquet(*stored).createOrReplaceTempView("usage")
        session.read.parquet(str(folder / BELONGS)).createOrReplaceTempView("belongs")
        session.sql(SPARK.table("classified", single("usage", timely, SPARK)))
        session.sql(SPARK.table("read_boxes", mailboxes("usage", timely, SPARK)))
        for statement in statements(window, groups="classified", mailboxes="read_boxes", belongs="belongs", sql=SPARK):
            session.sql(statement)
        found = session.sql("SELECT operation, target, app, kind, rank, uses, mailboxes FROM unusual").collect()
    assert len(found) == len(expected)
    assert {
        (*row[:4], list(Severity)[row["rank"]], row["uses"], row["mailboxes"] if row["kind"] in COUNTED else 0) for row in found
    } == expected
