"""The regular expressions of policies: a subset with the same meaning in RE2, Java and Python, and linear run time.

Patterns match whole strings. Allowed: characters, `.`, `[...]` with ranges and `^`, `(...)`, `|`, `*`, `+`, `?`, `{n}`,
`{n,m}`, `\\d`, `\\w`, and `\\` before punctuation. Anchors, flags, back-references, look-around, lazy and possessive
quantifiers are refused.
"""

import re

from keyaudit.model.documents.problems import FieldError

MAX_LENGTH = 200
MAX_REPEAT = 100
MAX_SIZE = 2_000
"""The maximum size with counted repetitions expanded."""

_COUNT = re.compile(r"\{(\d{1,4})(?:(,)(\d{1,4})?)?\}", re.ASCII)
_CLASSES = frozenset("dw")
_REMEDY = r"a pattern consists of characters, . [...] (...) | * + ? {n} \d \w, and \ before punctuation"


def portable(pattern: str) -> str:
    """`pattern` for any of the engines: `.` means every character but a line feed. Raises FieldError."""
    if len(pattern) > MAX_LENGTH:
        raise FieldError(f"a pattern of more than {MAX_LENGTH} characters")
    reader = _Reader(pattern)
    size = reader.alternatives(0)
    if reader.at < len(pattern):
        raise reader.error("an unopened )")
    if size > MAX_SIZE:
        raise FieldError("a pattern whose repetitions multiply", f"at most {MAX_SIZE:,} characters written out")
    return "".join(reader.out)


class _Reader:
    """A recursive descent parser; each method returns the size of the part that it read."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self.at = 0
        self.out: list[str] = []

    def error(self, what: str) -> FieldError:
        return FieldError(f"{what} at character {self.at + 1} of the pattern", _REMEDY)

    def _peek(self) -> str:
        return self._pattern[self.at : self.at + 1]

    def _take(self) -> str:
        character = self._peek()
        if not character:
            raise self.error("an unfinished part")
        self.at += 1
        return character

    def alternatives(self, depth: int) -> int:
        if depth > 10:
            raise self.error("groups more than 10 deep")
        size = self._sequence(depth)
        while self._peek() == "|":
            self.out.append(self._take())
            size += self._sequence(depth)
        return size

    def _sequence(self, depth: int) -> int:
        size = 0
        while self._peek() not in ("", "|", ")"):
            size += self._atom(depth) * self._repeats()
        return size

    def _atom(self, depth: int) -> int:
        character = self._take()
        if character == "(":
            return self._group(depth)
        if character == "[":
            self._set()
        elif character == "\\":
            self.out.append(self._escape())
        elif character == ".":
            self.out.append(r"[^\n]")
        elif character in "^$":
            self.at -= 1
            raise self.error(f"an anchor ({character}), although a pattern always matches the whole text")
        elif character in "*+?{}]":
            self.at -= 1
            raise self.error(f"a {character} with nothing to repeat or close")
        else:
            self.out.append(character)
        return 1

    def _group(self, depth: int) -> int:
        if self._pattern.startswith("?:", self.at):
            self.at += 2
        elif self._peek() == "?":
            raise self.error("a flag, a name or look-around")
        self.out.append("(?:")
        size = self.alternatives(depth + 1)
        if self._peek() != ")":
            raise self.error("an unclosed (")
        self.out.append(self._take())
        return size

    def _set(self) -> None:
        self.out.append("[")
        if self._peek() == "^":
            self.out.append(self._take())
        if self._peek() == "]":
            raise self.error("an empty []")
        while self._peek() != "]":
            low = self._member()
            if self._peek() == "-" and self._pattern[self.at + 1 : self.at + 2] != "]":
                self.at += 1
                high = self._member()
                if len(low) > 2 or len(high) > 2 or low[-1] > high[-1] or low[1:] in _CLASSES or high[1:] in _CLASSES:
                    raise self.error("an invalid range")
                self.out += [low, "-", high]
            else:
                self.out.append(r"\-" if low == "-" else low)
        self.out.append(self._take())

    def _member(self) -> str:
        character = self._take()
        if character == "\\":
            return self._escape()
        # In Java [ opens a nested class, and && is an intersection.
        if character in "[&~^":
            return "\\" + character
        return character

    def _escape(self) -> str:
        character = self._take()
        if character in _CLASSES or (character.isascii() and not character.isalnum() and character.isprintable()):
            # A space needs no backslash, and RE2 does not accept one before it.
            return character if character == " " else "\\" + character
        self.at -= 1
        raise self.error(f"\\{character}")

    def _repeats(self) -> int:
        character = self._peek()
        times = 1
        if character and character in "*+?":
            self.out.append(self._take())
        elif character == "{":
            times = self._counted()
        else:
            return 1
        if self._peek() and self._peek() in "*+?{":
            raise self.error("a quantifier on a quantifier")
        return times

    def _counted(self) -> int:
        match = _COUNT.match(self._pattern, self.at)
        if match is None:
            raise self.error("a { that counts nothing")
        least = int(match[1])
        most = int(match[3]) if match[3] else least
        if most > MAX_REPEAT or most < least:
            raise self.error(f"a repetition outside 0 to {MAX_REPEAT}")
        self.at = match.end()
        self.out.append(match[0])
        return max(most, 1)
