"""`keyaudit report --engine spark`: the same report as on one machine, or one line that says why not."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from keyaudit.model.errors import AccessError, Exit
from tests import needs
from tests.cli.conftest import Keyaudit
from tests.differential import SETTINGS
from tests.estates import snapshot

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


def test_a_missing_library_is_named(keyaudit: Keyaudit, contoso: Path, without_pyspark: str) -> None:
    ran = keyaudit("report", "--from", contoso, *SPARK)
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(without_pyspark, ran.err)


@pytest.fixture
def fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark's settings for few rows."""
    needs.program("java")
    needs.module("pyspark")
    (tmp_path / "spark-defaults.conf").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))


def _reported(stored: Path, *more: str) -> tuple[int, str, str]:
    # In a process of its own: others of this one share what was evaluated.
    command = [sys.executable, "-m", "keyaudit", "report", "--from", str(stored), "-o", "json", "--quiet", *more]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.exhaustive
@pytest.mark.usefixtures("fast")
def test_both_engines_report_the_same() -> None:
    """Passes and whole rows included. `python -m tests.differential spark` compares tables without a policy, too."""
    stored = snapshot("blind-spots")
    before = sorted(stored.iterdir())
    code, out, err = _reported(stored, "--all", *SPARK)
    assert (code, err) == (Exit.INCOMPLETE, "")
    assert (code, out, err) == _reported(stored, "--all")
    assert sorted(stored.iterdir()) == before


@pytest.mark.exhaustive
@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    ("master", "code", "said"),
    [
        ("here", Exit.USAGE, "--master: not a master: 'here'; name local[*], spark://HOST:PORT, yarn or k8s://URL\n"),
        ("spark://127.0.0.1:1", Exit.NO_ACCESS, "--master: spark://127.0.0.1:1 does not answer: Connection refused; "),
    ],
)
def test_what_cannot_be_begun_is_one_line(keyaudit: Keyaudit, contoso: Path, master: str, code: Exit, said: str) -> None:
    before = sorted(contoso.iterdir())
    ran = keyaudit("report", "--from", contoso, *SPARK[:-1], master)
    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
    assert ran.err.startswith(f"keyaudit: {said}")
    assert sorted(contoso.iterdir()) == before


@pytest.mark.exhaustive
@pytest.mark.usefixtures("fast")
def test_too_little_memory_is_said(tmp_path: Path) -> None:
    from keyaudit.inventory.spark import session  # noqa: PLC0415 - pyspark is not installed everywhere

    (tmp_path / "spark-defaults.conf").write_text("spark.driver.memory 472m\n", encoding="utf-8")
    texts = "SELECT length(concat_ws('', collect_list(repeat('x', 1000)))) FROM range(1000000)"
    said = "--master: Spark had too little memory; give it more: spark.driver.memory with local"
    with pytest.raises(AccessError, match=said), session("local[1]") as spark:
        spark.sql(texts).collect()
