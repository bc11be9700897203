"""Problems of a file that people write: place, description, and the nearest valid name."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from msgspec import Struct

from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import one_line

_BEGUN = 3
"""The minimum length of a prefix for suggestions."""


class Problem(Struct, frozen=True, kw_only=True):
    """One error of one file. `quote` and `caret` show the place in a condition."""

    file: str
    line: int = 0
    column: int = 0
    """Line and column from 1; both 0 if the error has no place in the file, the column alone if only the line is known."""
    what: str
    remedy: str = ""
    quote: str = ""
    caret: int = -1

    @property
    def place(self) -> str:
        """`file:line:column`, as editors and compilers write it, with what is known of it."""
        column = f":{self.column}" if self.column else ""
        return f"{self.file}:{self.line}{column}" if self.line else self.file

    def __str__(self) -> str:
        line = f"{self.place}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")
        return line if self.caret < 0 else f"{line}\n  {self.quote}\n  {' ' * self.caret}^"

    @property
    def error(self) -> UsageError:
        """The same to raise, or to list with errors of other kinds."""
        return UsageError(self.place, self.what, self.remedy)


class DocumentError(UsageError):
    """Files with problems. Prints one line for each problem, in their order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.place, first.what, first.remedy)
        self.args = ("\n".join(str(problem) for problem in self.problems),)


class FieldError(Exception):
    """An invalid field value; the caller that knows the place turns it into a Problem.

    `at` is the position of the error in a condition, or -1.
    """

    def __init__(self, what: str, remedy: str = "", at: int = -1) -> None:
        self.what, self.remedy, self.at = what, remedy, at
        super().__init__(what)


class FormatError(FieldError):
    """Text that is not in the format of its file, with its place (from 1)."""

    def __init__(self, line: int, column: int, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.line, self.column = line, column

    def problem(self, file: str) -> Problem:
        """The error as a problem of `file`."""
        return Problem(file=file, line=self.line, column=self.column, what=self.what, remedy=self.remedy)


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean X?` for the nearest known names, otherwise the list of valid names.

    Names that begin with the given name are preferred: `cis` may mean each framework of that body.
    """
    choices = {choice.lower(): choice for choice in sorted(known)}
    lowered = name.lower()
    begun = [choice for choice in choices if len(lowered) >= _BEGUN and choice.startswith(lowered)]
    close = begun[:3] or get_close_matches(lowered, choices, n=1, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(choices[each] for each in close)}?"
    return f"one of {', '.join(choices.values())}" if 0 < len(choices) <= 12 else ""


def shown(value: str, limit: int = 60) -> str:
    """A value of the file, quoted and made safe for one line."""
    return f"'{one_line(value, limit)}'"
