r"""The cells of every CSV file (RFC 4180).

An empty cell is absent; an unknown cell is empty too, and named with its reason in `coverage_note`. Text can be had back
exactly: take one leading `'` away, then replace `\xNN`, `\uNNNN` and `\UNNNNNNNN` by their characters and any other `\c` by c.
"""

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TextIO

from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.members import SCHEMA

_MARK = "(simulated tenant)"

# A spreadsheet reads a cell that begins with one of these as a formula, also in full width.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = frozenset(
    "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
# If the list separator is a semicolon, a cell also begins after one, even within quotes.
_AFTER_SEMICOLON = re.compile(rf"(;[\s\"']*)([{re.escape(''.join(sorted(_FORMULA)))}])")
_ODD = re.compile(r"[^ -\[\]-~]")
# Most cells contain no special characters.
_HARMLESS = re.compile(r"[A-Za-z0-9/][ !\"$-:<-\[\]-~]*")


def text_cells(thing: object, *names: str) -> dict[str, str]:
    """These texts of a model as cells of the same names."""
    return {name: guarded(getattr(thing, name)) for name in names}


def guarded(text: str | None) -> str:
    """One text cell, escaped losslessly: never a formula, a control character or a build agent's command."""
    return "" if text is None else _guarded(text)


@lru_cache(maxsize=10_000)  # most cells of a file repeat
def _guarded(text: str) -> str:
    if _HARMLESS.fullmatch(text):
        return text
    safe = escaped(text)
    # Twice, because "###" contains two overlapping pairs.
    safe = safe.replace("##", "#\\#").replace("##", "#\\#")
    safe = _AFTER_SEMICOLON.sub(r"\1\\\2", safe)
    # An empty text differs from an absent one, and a leading quote of the tenant from ours.
    marked = not text or text[0] in "\t\r\n'" or text.lstrip()[:1] in _FORMULA
    return f"'{safe}" if marked else safe


def escaped(text: str) -> str:
    """Text in which every character is printable and valid in XML: others as `\\u202e`, and a backslash twice."""
    return _ODD.sub(_shown, text)


def _shown(odd: re.Match[str]) -> str:
    character = odd[0]
    if character in "\\\ufffe\uffff":
        return "\\\\" if character == "\\" else f"\\u{ord(character):04x}"
    return one_line(character)


def marked(run: Run) -> str:
    """The tenant's name unchanged, marked if it is simulated."""
    mark = _MARK if run.simulated and _MARK not in run.tenant_name else ""
    return " ".join(filter(None, (run.tenant_name, mark)))


def tenant_cell(run: Run) -> str:
    """The tenant's name as a cell, marked if it is simulated."""
    return guarded(marked(run) or None)


def common_cells(run: Run) -> dict[str, str]:
    """The leading columns of every row of a run."""
    return {
        "schema_version": SCHEMA,
        "run_id": guarded(run.run_id),
        "run_as_of": times.iso_time(run.as_of),
        "run_tenant_id": guarded(run.tenant_id),
        "run_tenant_name": tenant_cell(run),
    }


def csv_rows(out: TextIO, run: Run | None, columns: Sequence[str]) -> Callable[[Mapping[str, object]], object]:
    """Write the headings: the leading columns of a run, then `columns`. Returns the function that writes a row of cells.

    `out` must not translate line ends.
    """
    common = common_cells(run) if run else {}
    writer = csv.DictWriter(out, (*common, *columns), restval="", lineterminator="\r\n")
    writer.writeheader()
    return lambda cells: writer.writerow({**common, **cells})


def flag_cell(value: bool | None) -> str:
    """A yes or no; empty if absent."""
    return "" if value is None else str(value).lower()


def time_cell(seconds: int | None) -> str:
    """A time; empty if absent."""
    return "" if seconds is None else times.iso_time(seconds)


def note_cell(reasons: Mapping[str, Reason]) -> str:
    """The unknown columns with their reasons, in the form of `coverage_note`."""
    return "|".join(f"{name}:{reason}" for name, reason in reasons.items())
