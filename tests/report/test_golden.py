"""Every format prints the fixed report as its golden file has it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import pytest

from keyaudit.questions.doctor import FORMATS as DOCTOR
from keyaudit.questions.expiring import FORMATS as EXPIRING
from keyaudit.questions.explain import render_policy
from keyaudit.questions.inventory import FORMATS as INVENTORIES
from keyaudit.questions.permissions import FORMATS as PERMISSIONS
from keyaudit.report.formats import FILES, FORMATS
from keyaudit.report.gate import render_gate
from keyaudit.report.options import Options
from tests.policy.messages import every_message
from tests.report.example import CLEAN, GATED, LOGS, OVERDUE, REPORT
from tests.report.excused import EXCUSED
from tests.report.files import exported, sheets
from tests.report.listings import EMPTY, INVENTORY, NEEDED, OF_KEYS, examination, expiring

FOLDER = Path(__file__).parent.parent / "golden"
_ALL = Options(passes=True)

CASES: dict[str, Callable[[TextIO], object]] = {
    "report.txt": lambda out: FORMATS["text"](REPORT, out, Options()),
    "report-all-colour.txt": lambda out: FORMATS["text"](REPORT, out, Options(passes=True, colour=True, width=100)),
    "report-clean.txt": lambda out: FORMATS["text"](CLEAN, out, Options()),
    "report-by-policy.txt": lambda out: FORMATS["text"](REPORT, out, Options(group="policy", passes=True)),
    "report-by-owner-colour.txt": lambda out: FORMATS["text"](REPORT, out, Options(group="owner", colour=True, width=60)),
    "report-columns.table": lambda out: FORMATS["table"](
        REPORT, out, Options(columns=("expires", "owner", "resource", "id"), sort="expires")
    ),
    "report-60.table": lambda out: FORMATS["table"](REPORT, out, Options(width=60)),
    "report.table": lambda out: FORMATS["table"](REPORT, out, Options()),
    "report-100.table": lambda out: FORMATS["table"](REPORT, out, Options(width=100, passes=True)),
    "report.json": lambda out: FORMATS["json"](REPORT, out, _ALL),
    "report-clean.json": lambda out: FORMATS["json"](CLEAN, out, Options()),
    "report.csv": lambda out: FORMATS["csv"](REPORT, out, Options()),
    "inventory.txt": lambda out: INVENTORIES["text"](INVENTORY, out, Options()),
    "inventory.json": lambda out: INVENTORIES["json"](INVENTORY, out, Options()),
    "inventory.csv": lambda out: INVENTORIES["csv"](INVENTORY, out, Options()),
    "inventory-empty.txt": lambda out: INVENTORIES["text"](EMPTY, out, Options()),
    "inventory-key.txt": lambda out: INVENTORIES["text"](OF_KEYS, out, Options()),
    "inventory-key-120.txt": lambda out: INVENTORIES["text"](OF_KEYS, out, Options(width=120, colour=True)),
    "inventory-key.table": lambda out: INVENTORIES["table"](OF_KEYS, out, Options()),
    "inventory-key.json": lambda out: INVENTORIES["json"](OF_KEYS, out, Options()),
    "inventory-key.csv": lambda out: INVENTORIES["csv"](OF_KEYS, out, Options()),
    "expiring.txt": lambda out: EXPIRING["text"](expiring(), out, Options()),
    "expiring-all-colour.txt": lambda out: EXPIRING["text"](expiring(), out, Options(passes=True, colour=True, width=120)),
    "expiring.table": lambda out: EXPIRING["table"](expiring(), out, Options(passes=True)),
    "expiring.json": lambda out: EXPIRING["json"](expiring(), out, Options()),
    "expiring.csv": lambda out: EXPIRING["csv"](expiring(), out, Options()),
    "doctor.txt": lambda out: DOCTOR["text"](examination(), out, Options()),
    "doctor-120.txt": lambda out: DOCTOR["text"](examination(), out, Options(width=120, colour=True)),
    "doctor.json": lambda out: DOCTOR["json"](examination(), out, Options()),
    "permissions.txt": lambda out: out.write(PERMISSIONS["text"](NEEDED)),
    "permissions.sh": lambda out: out.write(PERMISSIONS["az"](NEEDED)),
    "permissions.bicep": lambda out: out.write(PERMISSIONS["bicep"](NEEDED)),
    "permissions.tf": lambda out: out.write(PERMISSIONS["terraform"](NEEDED)),
    "permissions.json": lambda out: out.write(PERMISSIONS["json"](NEEDED)),
    "gate.txt": lambda out: render_gate(GATED, out),
    "gate-clean.txt": lambda out: render_gate(CLEAN, out),
    "policy-needs.txt": lambda out: out.write(render_policy(LOGS, {"Empty": ""})),
    "policy.txt": lambda out: out.write(
        render_policy(OVERDUE, {"Violated when": "created_on is None\nor now - created_on > max_age", "max_age": "730 days"})
    ),
}
CASES["messages.txt"] = lambda out: out.write(every_message())
CASES |= {
    f"report.{name}": lambda out, name=name: out.write(exported(name, EXCUSED).decode())  # type: ignore[misc]
    for name in FILES
    if name != "xlsx"
}
# A workbook's bytes depend on its writer; its cells do not.
CASES["report.xlsx.txt"] = lambda out: out.writelines(f"{cell}\n" for cell in sheets(exported("xlsx", EXCUSED)))


def printed(name: str) -> str:
    out = io.StringIO(newline="")
    CASES[name](out)
    return out.getvalue()


@pytest.mark.parametrize("name", CASES)
def test_output_is_as_its_golden_file(name: str) -> None:
    path = FOLDER / name
    assert path.is_file(), "write it with: python -m tests.golden"
    assert printed(name) == path.read_bytes().decode(), "if it is meant: python -m tests.golden"


def test_every_golden_file_has_its_case() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.suffix not in {".py", ""}} == set(CASES)
