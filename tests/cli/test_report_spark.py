"""`keyaudit report --engine spark`: the same report as on one machine, or one line that says why not."""

import re
import sys
from pathlib import Path

import pytest

from tests import needs
from tests.cli.conftest import Keyaudit
from tests.differential import SETTINGS

SPARK = ("--engine", "spark", "--master", "local[2]")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--master", "local[2]"), "--master: applies only to --engine spark; leave it out, or add --engine spark"),
        (("--engine", "spark"), "--engine spark: needs --master; add --master"),
        (SPARK, "--engine spark: evaluates one stored snapshot; name it with --from"),
        ((*SPARK, "--from", "a", "--from", "b"), "--engine spark: evaluates one stored snapshot; name it with --from"),
    ],
)
def test_options_that_do_not_fit_are_refused(keyaudit: Keyaudit, arguments: tuple[str, ...], said: str) -> None:
    ran = keyaudit("report", *arguments)
    assert (ran.code, ran.out, ran.err) == (2, "", f"keyaudit: {said}\n")


def test_a_missing_library_is_named(keyaudit: Keyaudit, contoso: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("keyaudit.policy.with_spark", "keyaudit.inventory.with_spark", "keyaudit.inventory.spark"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name in ("py4j", "py4j.protocol", "pyspark", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, name, None)
    ran = keyaudit("report", "--from", contoso, *SPARK)
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(
        r"keyaudit: --engine spark: needs \S+, which is not installed; run pip install '.\[spark\]' in .*\n", ran.err
    )


@pytest.fixture
def fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark's settings for few rows."""
    needs.program("java")
    needs.module("pyspark")
    (tmp_path / "spark-defaults.conf").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))


@pytest.mark.exhaustive
@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("estate", "more"), [("contoso", ("--sort", "score")), ("blind_spots", ())])
def test_both_engines_report_the_same(
    keyaudit: Keyaudit, estate: str, more: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    snapshot: Path = request.getfixturevalue(estate)
    before = sorted(snapshot.iterdir())
    report = ("report", "--from", snapshot, "-o", "json", *more)
    ours, theirs = keyaudit(*report), keyaudit(*report, *SPARK)
    assert (theirs.code, theirs.err) == (ours.code, ours.err)
    assert theirs.out == ours.out
    assert sorted(snapshot.iterdir()) == before
