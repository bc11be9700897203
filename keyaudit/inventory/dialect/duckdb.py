"""DuckDB's SQL, and the interface of every dialect."""

from collections.abc import Mapping, Sequence

_BITS = 126
"""The integers that one number can have as bits."""


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

    def type(self, declared: str) -> str:
        """The engine's name of a type that is declared as DuckDB writes it."""
        return declared

    def typed(self, value: str, declared: str) -> str:
        """A literal, or NULL, of a type that is declared as DuckDB writes it."""
        return f"CAST({value} AS {self.type(declared)})"

    def wide(self, value: str) -> str:
        """An integer type in which no sum of times overflows."""
        return f"CAST({value} AS HUGEINT)"

    def quotient(self, value: str, by: int | str) -> str:
        """A BIGINT: an integer divided by another and rounded towards 0. It must fit."""
        return f"({value} // {by})::BIGINT"

    def side_by_side(self, columns: Mapping[str, Sequence[str]]) -> str:
        """Columns of a SELECT, by name, with a row for each of their values: all have as many, and no other column has rows."""
        return ", ".join(f"unnest([{', '.join(values)}]) AS {name}" for name, values in columns.items())

    def view(self, name: str, query: str) -> str:
        """The statement that creates a view."""
        return f"CREATE VIEW {name} AS {query}"

    def table(self, name: str, query: str) -> str:
        """The statement that creates a table; an earlier one of that name may exist only in DuckDB."""
        return f"CREATE OR REPLACE TABLE {name} AS {query}"

    def function(self, name: str, parameters: Sequence[str], returns: str, expression: str) -> str:  # noqa: ARG002 - Spark's
        """The statement that creates a function of texts, for this connection; its type is declared as DuckDB writes it."""
        return f"CREATE MACRO {name}({', '.join(parameters)}) AS {expression}"

    def inlined(self, name: str, query: str) -> str:
        """A query in a WITH clause that is computed where it is read, and not if it is not read."""
        return f"{name} AS NOT MATERIALIZED ({query})"

    def items(self, *values: str) -> str:
        """A list of values of one type."""
        return f"[{', '.join(values)}]"

    def size(self, items: str) -> str:
        """The number of items of a list."""
        return f"len({items})"

    def item(self, items: str, number: int | str) -> str:
        """The item with a number, from 1; NULL if there are fewer."""
        return f"{items}[{number}]"

    def unnested(self, items: str) -> str:
        """A column of a SELECT with a row for each item of a list, none for NULL. It is the whole column, and the only such."""
        return f"unnest({items})"

    def different(self, value: str, first: int, end: int) -> str:
        """An aggregate: how many different integers there are, out of those from `first` to the one before `end`."""
        # Bits of numbers, because DuckDB holds bit strings and lists in memory until all groups are counted, and moves numbers
        # to disk.
        counts = []
        for start in range(first, end, _BITS):
            within = f"{value} >= {start} AND {value} < {min(start + _BITS, end)}"
            bit = f"CASE WHEN {within} THEN 1::HUGEINT << ({value} - {start})::HUGEINT END"
            counts.append(f"bit_count(coalesce(bit_or({bit}), 0::HUGEINT))::BIGINT")
        return f"({' + '.join(counts)})"

    def collected(self, value: str) -> str:
        """An aggregate: a list of values in no order, without NULL; it may be NULL if it is empty."""
        return f"list({value}) FILTER (WHERE {value} IS NOT NULL)"

    def distinct(self, value: str, condition: str = "true") -> str:
        """An aggregate: the sorted list of different values where a condition is true, without NULL; NULL if it is empty."""
        return f"list_sort(list(DISTINCT {value}) FILTER (WHERE {value} IS NOT NULL AND ({condition})))"

    def distinct_items(self, items: str, condition: str = "true") -> str:
        """The same of the items of lists; NULL only if the condition is true of none."""
        collected = f"list({items}) FILTER (WHERE {items} IS NOT NULL AND ({condition}))"
        return f"list_sort(list_distinct(flatten({collected})))"

    def has(self, items: str, item: str) -> str:
        """Whether a list contains an item; false for an empty list, even if the item is NULL."""
        return f"list_contains({items}, {item})"

    def overlaps(self, left: str, right: str) -> str:
        """Whether two lists share an item; false if one is empty, even if the other is NULL."""
        return f"CASE WHEN len({left}) = 0 OR len({right}) = 0 THEN FALSE ELSE list_has_any({left}, {right}) END"

    def covers(self, left: str, right: str) -> str:
        """Whether the left list contains all of the right; true if the right is empty, even if the left is NULL."""
        return f"CASE WHEN len({right}) = 0 THEN TRUE ELSE list_has_all({left}, {right}) END"

    def joined(self, items: str, separator: str) -> str:
        """The texts of a list as one text; an empty list may give NULL."""
        return f"array_to_string({items}, {self.text(separator)})"

    def numbers(self, last: str) -> str:
        """The list of the numbers from 1 to another, which is not negative; empty for 0."""
        return f"range(1, {last} + 1)"

    def first_items(self, items: str, most: int | str) -> str:
        """The list of the first items of a list."""
        return f"list_slice({items}, 1, {most})"

    def concatenated(self, *lists: str) -> str:
        """A list of the items of several."""
        return " || ".join(lists)

    def repeated(self, value: str, times: str) -> str:
        """The list of a text literal, repeated."""
        return f"list_resize([]::VARCHAR[], {times}, {self.text(value)})"

    def mapped(self, items: str, item: str, expression: str) -> str:
        """The list of an expression for each item, in which the item has the name `item`."""
        return f"list_transform({items}, lambda {item}: {expression})"

    def chosen(self, items: str, item: str, condition: str) -> str:
        """The sorted list of the items that meet a condition, in which the item has the name `item`."""
        return f"list_sort(list_filter({items}, lambda {item}: {condition}))"

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

    def contains_match(self, text: str, pattern: str) -> str:
        """Whether a regular expression matches anywhere. It is written as both RE2 and Java read it: with \\z for the end."""
        return f"regexp_matches({text}, {self.text(pattern)})"

    def extracted(self, text: str, pattern: str) -> str:
        """The first group of the first match of such a regular expression; empty without a match."""
        return f"regexp_extract({text}, {self.text(pattern)}, 1)"

    def without(self, text: str, pattern: str) -> str:
        """A text without the matches of such a regular expression."""
        return f"regexp_replace({text}, {self.text(pattern)}, '', 'g')"

    def like(self, text: str, glob: str) -> str:
        """Whether a text in lower case matches a pattern: `*` matches any text, `?` any one character."""
        pattern = glob.lower()
        for plain, escaped in (("!", "!!"), ("%", "!%"), ("_", "!_"), ("*", "%"), ("?", "_")):
            pattern = pattern.replace(plain, escaped)
        return f"{text} LIKE {self.text(pattern)} ESCAPE '!'"

    def lower(self, text: str) -> str:
        """A text in lower case, character by character. Engines may have different versions of Unicode's newest letters."""
        return f"lower({text})"

    def trimmed(self, text: str) -> str:
        """A text without the spaces at its ends."""
        return f"trim({text})"

    def trimmed_left(self, text: str, character: str) -> str:
        """A text without such characters at its beginning."""
        return f"ltrim({text}, {self.text(character)})"

    def divided(self, text: str, separator: str) -> str:
        """The list of the parts of a text between separators. A separator is one character."""
        return f"string_split({text}, {self.text(separator)})"

    def part(self, text: str, separator: str, number: int) -> str:
        """One of the parts of a text between separators, from 1, or from -1 at the end; empty if there are fewer."""
        return f"split_part({text}, {self.text(separator)}, {number})"

    def entry(self, column: str, key: str) -> str:
        """A map's entry; NULL if there is none."""
        return f"map_extract_value({column}, {key})"

    def has_entry(self, column: str, key: str) -> str:
        """Whether a map has an entry."""
        return f"map_contains({column}, {key})"

    def with_entry(self, column: str, key: str, value: str) -> str:
        """A map with an additional entry."""
        return f"map_concat({column}, MAP {{{key}: {value}}})"

    def in_order(self, column: str) -> str:
        """A map as a value that ORDER BY accepts."""
        return f"list_sort(map_entries({column}))"

    def map(self, values: Mapping[str, str]) -> str:
        """A map of names, which are not quoted, to SQL of their values; at least one."""
        return f"MAP {{{', '.join(f'{self.text(name)}: {value}' for name, value in values.items())}}}"

    def present(self, values: Mapping[str, str]) -> str:
        """A map of names, which are not quoted, to SQL of texts, without those that are NULL."""
        return f"map_from_entries({self._present(values)})"

    def with_present(self, column: str, values: Mapping[str, str]) -> str:
        """A map with these additional entries, which have other keys."""
        return f"map_from_entries(list_concat(map_entries({column}), {self._present(values)}))"

    def _present(self, values: Mapping[str, str]) -> str:
        entries = ", ".join(f"{{'key': {self.text(name)}, 'value': {value}}}" for name, value in values.items())
        return f"list_filter([{entries}], lambda entry: entry.value IS NOT NULL)"

    def only(self, column: str, keys: Sequence[str]) -> str:
        """A map's entries with these keys."""
        listed = ", ".join(map(self.text, keys))
        return f"map_from_entries(list_filter(map_entries({column}), lambda entry: list_contains([{listed}], entry.key)))"

    def united(self, *maps: str) -> str:
        """A map with the entries of maps of texts without common keys, ignoring NULL maps."""
        # `map_concat` checks for common keys, which takes four times as long.
        return f"map_from_entries(list_concat({', '.join(f'map_entries({each})' for each in maps)}))"

    def row(self, *columns: str) -> str:
        """A struct of columns, under their names."""
        return self.struct({name: name for name in columns})

    def struct(self, values: Mapping[str, str]) -> str:
        """A struct of SQL by name. Structs are compared by their values in order."""
        return f"{{{', '.join(f'{self.text(name)}: {value}' for name, value in values.items())}}}"

    def member(self, struct: str, name: str) -> str:
        """A member of a struct."""
        return f"{struct}.{name}"

    def greatest(self, struct: str) -> str:
        """An aggregate: the greatest struct."""
        return f"max({struct})"

    def least(self, value: str, most: int) -> str:
        """An aggregate: the sorted list of the least values."""
        return f"min({value}, {most})"

    def first_by(self, value: str, order: str, most: int) -> str:
        """An aggregate: the list of the values with the least `order`."""
        return f"min_by({value}, {order}, {most})"

    def excluding(self, *columns: str, of: str = "") -> str:
        """All columns in a SELECT, or those `of` one relation, but for some."""
        return f"{of}{'.' if of else ''}* EXCLUDE ({', '.join(map(self.name, columns))})"

    def replacing(self, columns: Mapping[str, str], *, of: str = "", without: Sequence[str] = ()) -> str:
        """All columns in a SELECT, or those `of` one relation, with other values in some. In which order, differs."""
        every = self.excluding(*without, of=of) if without else f"{of}{'.' if of else ''}*"
        return f"{every} REPLACE ({', '.join(f'{value} AS {self.name(name)}' for name, value in columns.items())})"
