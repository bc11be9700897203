"""The columns of findings in CSV hold what their dictionary says, and its query is one that Power Query reads."""

import csv
import io
import re
import subprocess

import pytest

from keyaudit.report.formats import FORMATS
from keyaudit.report.options import Options
from keyaudit.report.tabular.columns import DICTIONARY, Type, query
from tests.needs import npm, program
from tests.report.example import REPORT

HOLDS = {
    Type.TIME: re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    Type.NUMBER: re.compile(r"-?\d+"),
    Type.LOGICAL: re.compile(r"true|false"),
    Type.TEXT: re.compile(r".*", re.DOTALL),
}
PARSE = """
const { DefaultSettings, TaskUtils } = require(process.argv[1]);
TaskUtils.tryLexParse(DefaultSettings, require("fs").readFileSync(0, "utf8"))
  .then((task) => console.log(TaskUtils.isParseStageOk(task)));
"""


def test_each_cell_is_of_the_type_of_its_column() -> None:
    out = io.StringIO(newline="")
    FORMATS["csv"](REPORT, out, Options(passes=True))
    rows = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert list(rows[0]) == list(DICTIONARY)
    for name, (type_, _) in DICTIONARY.items():
        assert [row[name] for row in rows if row[name] and not HOLDS[type_].fullmatch(row[name])] == [], name


@pytest.mark.exhaustive
def test_power_query_reads_the_query_of_the_topic() -> None:
    package = npm("@microsoft/powerquery-parser")

    def read(text: str) -> str:
        command = [program("node"), "-e", PARSE, str(package)]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.strip()

    lines = list(query())
    assert read("\n".join(lines)) == "true"
    assert read("\n".join(lines[:-2])) == "false"
