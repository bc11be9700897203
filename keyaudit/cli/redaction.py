"""The salt of pseudonyms, by the flags."""

import stat
from collections.abc import Iterable

from keyaudit.cli.options import Redaction
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
        raise UsageError("--redact-salt", "only works with --redact", "leave it out, or add --redact names")
    try:
        # A pipe or device would never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(str(path), "not a file", _MAKE)
        with path.open("rb") as file:
            data = file.read(_MOST + 1).strip()
    except OSError as error:
        raise UsageError(str(path), f"cannot be read: {error.strerror}", _MAKE) from error
    if not _LEAST <= len(data) <= _MOST:
        what = f"holds {len(data):,} bytes, where a salt has {_LEAST} to {_MOST:,}"
        raise UsageError(str(path), what, _MAKE)
    return data
