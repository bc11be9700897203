"""LibreOffice, a spreadsheet that nobody here wrote, opens what is exported and finds no formula in it."""

import io
import re
import subprocess
from pathlib import Path

import pytest

from keyaudit.report.formats import FORMATS, Options
from tests.needs import program
from tests.report.files import exported
from tests.report.hostile import hostile
from tests.report.sinks import CORPUS

# Long names make the file large, and are no formula.
PAYLOADS = [payload for payload in CORPUS.values() if len(payload) < 10_000]


@pytest.fixture(scope="module")
def formulas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How many formulas LibreOffice makes of each file; all are converted by one run of it."""
    office, folder = program("soffice"), tmp_path_factory.mktemp("office")
    (folder / "control.csv").write_text('a,b\r\n=1+1,"=SUM(1,2)"\r\n')
    (folder / "control-semicolon.csv").write_text("sep=;\r\na;=1+1\r\n")
    for separator in ",;":
        (folder / f"guarded{ord(separator)}.csv").write_bytes(_csv(separator))
    for number, payload in enumerate(each for each in PAYLOADS if each.lstrip()[:1] in set("=+-@")):
        (folder / f"book{number}.xlsx").write_bytes(exported("xlsx", hostile(payload)))
    names = sorted(folder.iterdir())
    arguments = ["--headless", "--norestore", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", "fods"]
    subprocess.run([office, *arguments, "--outdir", folder, *names], check=True, capture_output=True, timeout=300)
    return {name.name: _formulas(name.with_suffix(".fods")) for name in names}


def _csv(separator: str) -> bytes:
    """Every payload in every cell; with a semicolon as LibreOffice would split it where that is the list separator."""
    out = io.StringIO(newline="")
    for payload in PAYLOADS:
        FORMATS["csv"](hostile(payload), out, Options())
    return (f"sep={separator}\r\n{out.getvalue()}" if separator != "," else out.getvalue()).encode("utf-8", "replace")


def _formulas(path: Path) -> int:
    return len(re.findall(r"table:formula=", path.read_text(encoding="utf-8")))


def test_no_cell_is_a_formula(formulas: dict[str, int]) -> None:
    assert (formulas.pop("control.csv"), formulas.pop("control-semicolon.csv")) == (2, 1)
    assert len(formulas) > 5
    assert set(formulas.values()) == {0}
