"""One word of a command that somebody may paste into a shell."""

import re
import shlex

_PLAIN = re.compile(r"[A-Za-z0-9_./:][A-Za-z0-9_./:-]*", re.ASCII)
# PowerShell takes these as quotes too, and a doubled one as the character itself.
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


def shell_quoted(text: str) -> str:
    """One word for a POSIX shell."""
    return text if _PLAIN.fullmatch(text) else shlex.quote(text)


def powershell_quoted(text: str) -> str:
    """One word for PowerShell."""
    return text if _PLAIN.fullmatch(text) else "'" + _POWERSHELL_QUOTES.sub(r"\1\1", text) + "'"
