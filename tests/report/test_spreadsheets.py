"""LibreOffice, a spreadsheet that nobody here wrote, opens what is exported and finds no formula in it."""

import io
import re
import subprocess
from pathlib import Path

import pytest

from keyaudit.report.formats import FORMATS
from keyaudit.report.options import Options
from tests.needs import program
from tests.report.files import exported
from tests.report.hostile import hostile
from tests.report.sinks import CORPUS

pytestmark = pytest.mark.exhaustive
# Long names make the file large, and are no formula.
PAYLOADS = [payload for payload in CORPUS.values() if len(payload) < 10_000]


@pytest.fixture(scope="module")
def guarded() -> bytes:
    """Every payload in every cell."""
    out = io.StringIO(newline="")
    for payload in PAYLOADS:
        FORMATS["csv"](hostile(payload), out, Options())
    return out.getvalue().encode("utf-8", "replace")


def formulas(folder: Path, *options: str) -> dict[str, int]:
    """How many formulas LibreOffice makes of each file of the folder; all are converted by one run of it."""
    names = sorted(folder.iterdir())
    arguments = [
        "--headless",
        "--norestore",
        f"-env:UserInstallation=file://{folder}/profile",
        "--convert-to",
        "fods",
        *options,
    ]
    subprocess.run([program("soffice"), *arguments, "--outdir", folder, *names], check=True, capture_output=True, timeout=300)
    return {name.name: _formulas(name.with_suffix(".fods")) for name in names}


def _formulas(path: Path) -> int:
    return len(re.findall(r"table:formula=", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("separator", [",", ";"])
def test_no_cell_of_a_csv_is_a_formula(tmp_path: Path, guarded: bytes, separator: str) -> None:
    (tmp_path / "control.csv").write_text(f"a{separator}b\r\n=1+1{separator}=SUM(A1)\r\n")
    (tmp_path / "guarded.csv").write_bytes(guarded)
    assert formulas(tmp_path, f"--infilter=CSV:{ord(separator)},34,76,1") == {"control.csv": 2, "guarded.csv": 0}


def test_no_cell_of_a_workbook_is_a_formula(tmp_path: Path) -> None:
    for number, payload in enumerate(each for each in PAYLOADS if each.lstrip()[:1] in set("=+-@")):
        (tmp_path / f"book{number}.xlsx").write_bytes(exported("xlsx", hostile(payload)))
    found = formulas(tmp_path)
    assert len(found) > 5
    assert set(found.values()) == {0}
