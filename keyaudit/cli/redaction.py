"""The salt of pseudonyms, by the flags."""

from collections.abc import Iterable

from keyaudit.cli.options import Redaction
from keyaudit.inventory import input_file
from keyaudit.model.errors import UsageError
from keyaudit.report.formats import NAMED

_LEAST, _MOST = 16, 65_536
_MAKE = "make one with openssl rand -hex 32"


def salt(redaction: Redaction, formats: Iterable[str | None]) -> bytes | None:
    """The salt of the pseudonyms, if --redact is given. To be called before anything is read.

    Raises UsageError also if one of `formats` needs real names.
    """
    named = NAMED.intersection(formats)
    if redaction.redact is not None and named:
        what = f"{' and '.join(sorted(named))} cannot be written without names"
        raise UsageError("--redact", what, "choose another format, or leave it out")
    path = redaction.redact_salt
    if path is None:
        return None
    if redaction.redact is None:
        raise UsageError("--redact-salt", "only works with --redact", "remove it, or add --redact names")
    data = input_file.read(path, _MOST, _MAKE).strip()
    if not _LEAST <= len(data) <= _MOST:
        what = f"holds {len(data):,} bytes; a salt needs {_LEAST} to {_MOST:,}"
        raise UsageError(str(path), what, _MAKE)
    return data
