"""The SQL dialect of one engine for conditions. Every literal is quoted here."""

from collections.abc import Mapping, Sequence

from keyaudit.policy.types import Kind

_TYPES: dict[Kind, str] = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.TIME: "BIGINT",
    Kind.DURATION: "BIGINT",
    Kind.TEXTS: "VARCHAR[]",
    Kind.MAP: "MAP(VARCHAR, VARCHAR)",
}


class DuckDB:
    """DuckDB's SQL. Lists contain no NULL; a NULL argument gives NULL unless stated otherwise."""

    def name(self, name: str) -> str:
        """A column or table."""
        return '"' + name.replace('"', '""') + '"'

    def text(self, value: str) -> str:
        """A text literal; policies contain no control characters."""
        return "'" + value.replace("'", "''") + "'"

    def texts(self, values: Sequence[str]) -> str:
        """A list literal."""
        return f"CAST([{', '.join(self.text(value) for value in values)}] AS VARCHAR[])"

    def entries(self, values: Mapping[str, str]) -> str:
        """A map literal."""
        return f"MAP({self.texts(list(values))}, {self.texts(list(values.values()))})"

    def typed(self, value: str, kind: Kind) -> str:
        """A literal, or NULL, in the form of its kind of column."""
        return f"CAST({value} AS {_TYPES[kind]})"

    def wide(self, value: str) -> str:
        """An integer type in which no sum of times overflows."""
        return f"CAST({value} AS HUGEINT)"

    def has(self, items: str, item: str) -> str:
        """Whether a list contains an item; false for an empty list, even if the item is NULL."""
        return f"list_contains({items}, {item})"

    def overlaps(self, left: str, right: str) -> str:
        """Whether two lists share an item; false if one is empty, even if the other is NULL."""
        return f"CASE WHEN len({left}) = 0 OR len({right}) = 0 THEN FALSE ELSE list_has_any({left}, {right}) END"

    def covers(self, left: str, right: str) -> str:
        """Whether the left list contains all of the right; true if the right is empty, even if the left is NULL."""
        return f"CASE WHEN len({right}) = 0 THEN TRUE ELSE list_has_all({left}, {right}) END"

    def startswith(self, text: str, start: str) -> str:
        """Whether a text starts with another."""
        return f"starts_with({text}, {start})"

    def endswith(self, text: str, end: str) -> str:
        """Whether a text ends with another."""
        return f"ends_with({text}, {end})"

    def contains(self, text: str, part: str) -> str:
        """Whether a text contains another."""
        return f"contains({text}, {part})"

    def matches(self, text: str, pattern: str) -> str:
        """Whether the whole text matches; `pattern` is a literal."""
        return f"regexp_full_match({text}, {pattern})"

    def like(self, text: str, glob: str) -> str:
        """Whether a text in lower case matches a pattern: `*` matches any text, `?` any one character."""
        pattern = glob.lower()
        for plain, escaped in (("!", "!!"), ("%", "!%"), ("_", "!_"), ("*", "%"), ("?", "_")):
            pattern = pattern.replace(plain, escaped)
        return f"{text} LIKE {self.text(pattern)} ESCAPE '!'"

    def entry(self, column: str, key: str) -> str:
        """A map's entry; NULL if there is none."""
        return f"map_extract_value({column}, {key})"

    def has_entry(self, column: str, key: str) -> str:
        """Whether a map has an entry."""
        return f"map_contains({column}, {key})"

    def with_entry(self, column: str, key: str, value: str) -> str:
        """A map with an additional entry."""
        return f"map_concat({column}, MAP {{{key}: {value}}})"
