"""One word of a command that somebody may paste into a shell."""

import re

_PLAIN = re.compile(r"[A-Za-z0-9_./:][A-Za-z0-9_./:-]*", re.ASCII)
# PowerShell takes these as quotes too, and a doubled one as the character itself.
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
# What one of the two shells reads within double quotes as something else; an interactive bash the exclamation mark.
_NOT_IN_DOUBLE_QUOTES = re.compile('["$`\\\\!\u201c\u201d\u201e]')
UNQUOTABLE = "'A VALUE WITH QUOTES'"
"""Stands for a value that no quotes hold in both shells: one would take the rest of it for a command."""

_OPTION = re.compile(r"(?:^|\s)--[A-Za-z][A-Za-z0-9-]* $", re.ASCII)


def shell_quoted(text: str) -> str:
    """One word that a POSIX shell and PowerShell read alike; `UNQUOTABLE` if there is no such word.

    One that begins with a dash is quoted too, and has to be joined to its option: `appended`.
    """
    if _PLAIN.fullmatch(text):
        return text
    if not _POWERSHELL_QUOTES.search(text):
        return f"'{text}'"
    return UNQUOTABLE if _NOT_IN_DOUBLE_QUOTES.search(text) else f'"{text}"'


def appended(command: str, quoted: str) -> str:
    """`command` with a quoted word after it.

    Programs take what begins with a dash for an option, quoted or not, unless an equals sign joins it to the option before it.
    """
    if quoted.startswith(("'-", '"-')) and _OPTION.search(command):
        return f"{command[:-1]}={quoted}"
    return command + quoted


def option(name: str, value: str) -> str:
    """An option of a command with its value, as `shell_quoted` has it: "--name kv-prod", or "--name='-kv'"."""
    return appended(f"{name} ", shell_quoted(value))


def powershell_quoted(text: str) -> str:
    """One word for PowerShell."""
    return text if _PLAIN.fullmatch(text) else "'" + _POWERSHELL_QUOTES.sub(r"\1\1", text) + "'"
