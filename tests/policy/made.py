"""Rows and conditions made from a seed."""

from collections.abc import Mapping
from random import Random
from typing import Any

from keyaudit.model.schema.columns import Column, Table, Type
from keyaudit.policy.examples.samples import NOW

DAY = 86_400
TEXTS = (
    "",
    "a",
    "repo:o/r:ref:refs/heads/main",
    "it's",
    "*",
    "saml",
    "x:pull_request",
    "api://AzureADTokenExchange",
    "é",
    "a\nb",
)
WRITTEN = tuple(text for text in TEXTS if text.isprintable())
PATTERNS = (r"a", r".*:(environment:.+|ref:refs/(heads|tags)/.+)", r"[a-z]*", r"\w+", r"(?:a|b){1,3}", r"[^a].*", r"it's", r".")
AGES = (0, 1, 29, 30, 31, 90, 365, 366, 729, 730, 731, 1_095, 1_096, 5_000)
REASONS = ("permission", "throttled", "bad_value")


def row(random: Random, table: Table) -> tuple[dict[str, Any], dict[str, str]]:
    """A row's values and its unknown columns."""
    values: dict[str, Any] = {}
    unknown: dict[str, str] = {}
    doubt = random.choice((0.0, 0.1, 0.4))
    for column in table.columns:
        may_be_unknown = column.can_be_unknown
        if may_be_unknown and random.random() < doubt:
            unknown[column.name] = random.choice(REASONS)
            bounded = column.type is Type.COUNT or column.partial
            values[column.name] = _part(random, column) if bounded and random.random() < 0.5 else None
        elif column.absent and random.random() < 0.25:
            values[column.name] = None
        else:
            values[column.name] = value(random, column)
    settle(random, table, values, unknown)
    return values, unknown


def _part(random: Random, column: Column) -> Any:
    return (value(random, column) or None) if column.partial else _bounds(random)


def settle(random: Random, table: Table, values: dict[str, Any], unknown: Mapping[str, str]) -> None:
    """Gives a value to each column that a row like this one never lacks."""
    for column in table.columns:
        if column.name not in values or column.name in unknown or values[column.name] is not None:
            continue
        others = {case.column for case in column.absent_where} & values.keys()
        if any(other in unknown or column.present_where(other, values[other]) for other in others):
            values[column.name] = value(random, column)


def value(random: Random, column: Column) -> Any:
    """A value of a column, often on a limit."""
    match column.type:
        case Type.TEXT:
            return random.choice((*column.values * 3, *TEXTS))
        case Type.BOOLEAN:
            return random.random() < 0.5
        case Type.INTEGER:
            return random.choice((0, 1, 1_024, 2_047, 2_048, 3_072, 2**60))
        case Type.TIME:
            moment = NOW + random.choice((-1, 1)) * random.choice(AGES) * DAY + random.choice((-1, 0, 0, 1))
            return random.choice((moment, moment, moment, 0, 2**60, -(2**60)))
        case Type.DURATION:
            return random.choice((*AGES, 2**60 // DAY)) * DAY
        case Type.TEXTS:
            known = column.values or TEXTS
            return random.sample(known, min(len(known), random.randrange(0, 4)))
        case Type.MAP:
            return {key: random.choice(TEXTS) for key in random.sample(("env", "owner", "keyaudit"), random.randrange(0, 3))}
        case Type.COUNT:
            return _bounds(random)


def _bounds(random: Random) -> tuple[int, int | None]:
    least = random.randrange(0, 5)
    return least, random.choice((None, least, least, least + 1, least + 3))


class Author:
    """Writes conditions that are right in type, over every kind of term."""

    def __init__(self, random: Random, table: Table) -> None:
        self._random = random
        self._table = table

    def condition(self, depth: int = 3) -> str:
        """A condition; it may compare columns that can be absent."""
        choice = self._random.random()
        if depth and choice < 0.45:
            joined = self._random.choice((" and ", " or ")).join(
                self.condition(depth - 1) for _ in range(self._random.choice((2, 3)))
            )
            return f"({joined})"
        if depth and choice < 0.6:
            return f"not {self.condition(depth - 1)}"
        kinds = [self._absent, self._flag, self._text, self._number, self._time, self._lists, self._count, self._tag]
        while True:
            written = self._random.choice(kinds)()
            if written:
                return written

    def _columns(self, *types: Type) -> list[Column]:
        return [column for column in self._table.columns if column.type in types]

    def _column(self, *types: Type) -> Column | None:
        found = self._columns(*types)
        return self._random.choice(found) if found else None

    def _absent(self) -> str:
        found = [column.name for column in self._table.columns if column.absent]
        return f"{self._random.choice(found)} is {self._random.choice(('', 'not '))}None" if found else ""

    def _flag(self) -> str:
        column = self._column(Type.BOOLEAN)
        return column.name if column else ""

    def _text(self) -> str:
        column = self._column(Type.TEXT)
        assert column is not None
        known = column.values or WRITTEN
        text = repr(self._random.choice(known))
        many = [repr(each) for each in self._random.sample(known, min(len(known), self._random.randrange(0, 3)))]
        forms = [
            f"{column.name} == {text}",
            f"{text} != {column.name}",
            f"{column.name} in [{', '.join(many)}]",
            f"{column.name} not in [{', '.join(many)}]",
            f"startswith({column.name}, {text})",
            f"endswith({column.name}, {text})",
            f"contains({column.name}, {text})",
            f'matches({column.name}, r"{self._random.choice(PATTERNS)}")',
        ]
        return self._random.choice(forms if column.values else [*forms, f"{column.name} in texts"])

    def _sign(self) -> str:
        return self._random.choice(("<", "<=", ">", ">=", "==", "!="))

    def _number(self) -> str:
        column = self._column(Type.INTEGER)
        return f"{column.name} {self._sign()} {self._random.choice(('2048', 'number', '-1'))}" if column else ""

    def _time(self) -> str:
        column, other = self._column(Type.TIME), self._column(Type.TIME)
        if column is None or other is None:
            return ""
        return self._random.choice(
            (
                f"{column.name} {self._sign()} now",
                f"now - {column.name} {self._sign()} limit",
                f"{column.name} - {other.name} {self._sign()} days({self._random.choice(AGES)})",
                f"{column.name} + limit - days(30) {self._sign()} now",
                f"now < {column.name} < now + days(30)",
                f"now - {column.name} {self._sign()} schedule[{other.name}]",
                *(f"now - {column.name} {self._sign()} {name}[{index}]" for name, index in self._maps()),
            )
        )

    def _maps(self) -> list[tuple[str, str]]:
        return [(f"by_{column.name}", column.name) for column in self._columns(Type.TEXT) if column.values]

    def _lists(self) -> str:
        column, other = self._column(Type.TEXTS), self._column(Type.TEXTS)
        if column is None or other is None:
            return ""
        known = column.values or WRITTEN
        many = ", ".join(repr(each) for each in self._random.sample(known, min(len(known), self._random.randrange(0, 3))))
        return self._random.choice(
            (
                f"{self._random.choice(known)!r} in {column.name}",
                f"overlaps({column.name}, [{many}])",
                f"covers({column.name}, [{many}])",
                f"covers([{many}], {column.name})",
                f"overlaps({column.name}, {other.name})",
                f"covers({column.name}, {other.name})",
            )
        )

    def _count(self) -> str:
        column = self._column(Type.COUNT)
        if column is None:
            return ""
        number = self._random.choice(("2", "3", "number"))
        return self._random.choice((f"{column.name} {self._sign()} {number}", f"{number} {self._sign()} {column.name}"))

    def _tag(self) -> str:
        column = self._column(Type.MAP)
        if column is None:
            return ""
        key = self._random.choice(("env", "owner"))
        return f"{column.name}[{key!r}] " + self._random.choice(("is None", "is not None", "== 'a'"))
