"""The fixed reports in the formats that files are written in, and what a workbook holds as text."""

import io
import zipfile
from collections.abc import Iterator
from functools import cache

import openpyxl
from openpyxl.utils.escape import unescape

from keyaudit.model.results.run import Report
from keyaudit.report.formats import FILES
from tests.report.hostile import hostile


def exported(name: str, report: Report) -> bytes:
    """What the file of that format holds."""
    out = io.BytesIO()
    FILES[name].writer(name)(report, out)
    return out.getvalue()


@cache
def poisoned(name: str, payload: str) -> bytes:
    """The same of a report with `payload` in every text."""
    return exported(name, hostile(payload))


def sheets(workbook: bytes) -> Iterator[str]:
    """A workbook cell by cell: sheet, place, type and value."""
    for sheet in openpyxl.load_workbook(io.BytesIO(workbook)):
        for row in sheet:
            for cell in row:
                if cell.value is not None:
                    # Excel undoes this in every string; openpyxl does not where one is written in its cell.
                    yield f"{sheet.title.replace(' ', '_')}!{cell.coordinate} {cell.data_type} {unescape(str(cell.value))}"


def parts(workbook: bytes) -> dict[str, bytes]:
    """The XML files that a workbook is made of."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
