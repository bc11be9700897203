"""Quoting of one word in a command that readers paste into a shell."""

import re

_PLAIN = re.compile(r"[A-Za-z0-9_./:][A-Za-z0-9_./:-]*", re.ASCII)
# PowerShell treats these as quotes too, and a doubled one as the character itself.
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
# Characters that are special within double quotes in one of the two shells; the exclamation mark in an interactive bash.
_NOT_IN_DOUBLE_QUOTES = re.compile('["$`\\\\!\u201c\u201d\u201e]')
UNQUOTABLE = "'A VALUE WITH QUOTES'"
"""Replaces a value that cannot be quoted for both shells: one of them would run the rest of it as a command."""

_OPTION = re.compile(r"(?:^|\s)--[A-Za-z][A-Za-z0-9-]* $", re.ASCII)


def shell_quoted(text: str) -> str:
    """One word that means the same in a POSIX shell and in PowerShell; `UNQUOTABLE` if there is none.

    A word that begins with a dash is quoted too, and must be joined to its option with `appended`.
    """
    if _PLAIN.fullmatch(text):
        return text
    if not _POWERSHELL_QUOTES.search(text):
        return f"'{text}'"
    return UNQUOTABLE if _NOT_IN_DOUBLE_QUOTES.search(text) else f'"{text}"'


def appended(command: str, quoted: str) -> str:
    """`command` with a quoted word after it.

    Programs read a word that begins with a dash as an option, quoted or not, unless an equals sign joins it to its option.
    """
    if quoted.startswith(("'-", '"-')) and _OPTION.search(command):
        return f"{command[:-1]}={quoted}"
    return command + quoted


def option(name: str, value: str) -> str:
    """An option of a command with its value, quoted by `shell_quoted`: "--name kv-prod", or "--name='-kv'"."""
    return appended(f"{name} ", shell_quoted(value))


def powershell_quoted(text: str) -> str:
    """One word for PowerShell."""
    return text if _PLAIN.fullmatch(text) else "'" + _POWERSHELL_QUOTES.sub(r"\1\1", text) + "'"
