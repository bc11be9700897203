r"""The cells of every CSV file (RFC 4180).

An empty cell is absent; an unknown cell is empty too, and named with its reason in `coverage_note`. Text can be had back
exactly: take one leading `'` away, then replace `\xNN`, `\uNNNN` and `\UNNNNNNNN` by their characters and any other `\c` by c.
"""

import re
from collections.abc import Mapping

from keyaudit.model import times
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Run
from keyaudit.model.text import one_line
from keyaudit.report.members import SCHEMA

_MARK = "(simulated tenant)"

# A cell that begins so is a formula to a spreadsheet, in full width too.
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = frozenset(
    "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
# Where the list separator is a semicolon, a cell also begins after one: quotes do not protect it there.
_AFTER_SEMICOLON = re.compile(rf"(;[\s\"']*)([{re.escape(''.join(sorted(_FORMULA)))}])")
_ODD = re.compile(r"[^ -\[\]-~]")
# Most cells: nothing in them means anything to anyone but a reader.
_HARMLESS = re.compile(r"[A-Za-z0-9/][ !\"$-:<-\[\]-~]*")


def guarded(text: str | None) -> str:
    """One text cell: never a formula, a control character or a build agent's command, and never a loss."""
    if text is None:
        return ""
    if _HARMLESS.fullmatch(text):
        return text
    safe = escaped(text)
    # Twice: "###" holds two overlapping pairs.
    safe = safe.replace("##", "#\\#").replace("##", "#\\#")
    safe = _AFTER_SEMICOLON.sub(r"\1\\\2", safe)
    # An empty text is not an absent one, and a quote of the tenant's own is not ours.
    marked = not text or text[0] in "\t\r\n'" or text.lstrip()[:1] in _FORMULA
    return f"'{safe}" if marked else safe


def escaped(text: str) -> str:
    """Text of which every character can be shown, and stored as XML: others as `\\u202e`, and a backslash twice."""
    return _ODD.sub(_shown, text)


def _shown(odd: re.Match[str]) -> str:
    character = odd[0]
    if character in "\\\ufffe\uffff":
        return "\\\\" if character == "\\" else f"\\u{ord(character):04x}"
    return one_line(character)


def marked(run: Run) -> str:
    """The tenant's name, as it spells it; of a simulated one it says so."""
    mark = _MARK if run.simulated and _MARK not in run.tenant_name else ""
    return " ".join(filter(None, (run.tenant_name, mark)))


def tenant_cell(run: Run) -> str:
    """The tenant's name; of a simulated one it says so."""
    return guarded(marked(run) or None)


def common_cells(run: Run) -> dict[str, str]:
    """What the lines of a run's rows begin with, by column."""
    return {
        "schema_version": SCHEMA,
        "run_id": guarded(run.run_id),
        "run_as_of": times.iso_time(run.as_of),
        "run_tenant_id": guarded(run.tenant_id),
        "run_tenant_name": tenant_cell(run),
    }


def note_cell(reasons: Mapping[str, Reason]) -> str:
    """The unknown columns with their reasons, as `coverage_note` has them."""
    return "|".join(f"{name}:{reason}" for name, reason in reasons.items())
