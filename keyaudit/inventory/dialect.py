"""The SQL dialects of two engines. Every literal is quoted here.

Both dialects answer the same for the same arguments, except where a method says otherwise.
"""

from collections.abc import Mapping, Sequence


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

    def quotient(self, value: str, by: int) -> str:
        """A BIGINT: an integer that is not negative, divided by another and rounded down."""
        return f"({value} // {by})::BIGINT"

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

    def first_items(self, items: str, most: int) -> str:
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

    def found(self, text: str, pattern: str) -> str:
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

    def row(self, *columns: str) -> str:
        """A struct of columns, under their names."""
        return f"{{{', '.join(f'{self.text(name)}: {name}' for name in columns)}}}"

    def least(self, value: str, most: int) -> str:
        """An aggregate: the sorted list of the least values."""
        return f"min({value}, {most})"

    def replacing(self, columns: Mapping[str, str]) -> str:
        """All columns in a SELECT, with other values in some of them. In which order, differs."""
        return f"* REPLACE ({', '.join(f'{value} AS {self.name(name)}' for name, value in columns.items())})"


_SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""The space separators of Unicode."""


class Spark(DuckDB):
    """Spark's SQL, in ANSI mode. The methods that are not here are the same in both."""

    def name(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def text(self, value: str) -> str:
        # A backslash escapes, and 'a''b' is ab.
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def texts(self, values: Sequence[str]) -> str:
        return f"CAST(array({', '.join(self.text(value) for value in values)}) AS ARRAY<STRING>)"

    def entries(self, values: Mapping[str, str]) -> str:
        return f"map_from_arrays({self.texts(list(values))}, {self.texts(list(values.values()))})"

    def type(self, declared: str) -> str:
        if declared.endswith("[]"):
            return f"ARRAY<{self.type(declared.removesuffix('[]'))}>"
        outer, _, inner = declared.removesuffix(")").partition("(")
        if outer == "MAP":
            return f"MAP<{', '.join(map(self.type, inner.split(', ')))}>"
        return {"VARCHAR": "STRING", "INTEGER": "INT"}.get(declared, declared)

    def wide(self, value: str) -> str:
        return f"CAST({value} AS DECIMAL(38, 0))"

    def quotient(self, value: str, by: int) -> str:
        return f"({value} DIV {by})"

    def has(self, items: str, item: str) -> str:
        return f"CASE WHEN size({items}) = 0 THEN FALSE ELSE array_contains({items}, {item}) END"

    def overlaps(self, left: str, right: str) -> str:
        return f"CASE WHEN size({left}) = 0 OR size({right}) = 0 THEN FALSE ELSE arrays_overlap({left}, {right}) END"

    def covers(self, left: str, right: str) -> str:
        return f"CASE WHEN size({right}) = 0 THEN TRUE ELSE size(array_except({right}, {left})) = 0 END"

    def joined(self, items: str, separator: str) -> str:
        return f"array_join({items}, {self.text(separator)})"

    def first_items(self, items: str, most: int) -> str:
        return f"slice({items}, 1, {most})"

    def repeated(self, value: str, times: str) -> str:
        return f"array_repeat({self.text(value)}, {times})"

    def mapped(self, items: str, item: str, expression: str) -> str:
        return f"transform({items}, {item} -> {expression})"

    def chosen(self, items: str, item: str, condition: str) -> str:
        return f"array_sort(filter({items}, {item} -> {condition}))"

    def startswith(self, text: str, start: str) -> str:
        return f"startswith({text}, {start})"

    def endswith(self, text: str, end: str) -> str:
        return f"endswith({text}, {end})"

    def matches(self, text: str, pattern: str) -> str:
        # Java's $ also matches before a last line end.
        return f"{text} RLIKE concat('^(?:', {pattern}, ')\\\\z')"

    def found(self, text: str, pattern: str) -> str:
        return f"({text} RLIKE {self.text(pattern)})"

    def without(self, text: str, pattern: str) -> str:
        return f"regexp_replace({text}, {self.text(pattern)}, '')"

    def lower(self, text: str) -> str:
        # Java lowers these by their neighbours, by the language of the machine, or to two characters.
        return f"lower(translate({text}, 'I\u0130\u03a3', 'ii\u03c3'))"

    def trimmed(self, text: str) -> str:
        # By default, Spark removes no other spaces than U+0020. A pattern would look at every character.
        return f"trim(BOTH {self.text(_SPACES)} FROM {text})"

    def trimmed_left(self, text: str, character: str) -> str:
        return f"ltrim({self.text(character)}, {text})"

    def divided(self, text: str, separator: str) -> str:
        return f"split({text}, {self.text(f'[{separator}]')})"

    def entry(self, column: str, key: str) -> str:
        return f"try_element_at({column}, {key})"

    def has_entry(self, column: str, key: str) -> str:
        return f"map_contains_key({column}, {key})"

    def with_entry(self, column: str, key: str, value: str) -> str:
        return f"map_concat({column}, map({key}, {value}))"

    def in_order(self, column: str) -> str:
        return f"array_sort(map_entries({column}))"

    def row(self, *columns: str) -> str:
        return f"named_struct({', '.join(f'{self.text(name)}, {name}' for name in columns)})"

    def least(self, value: str, most: int) -> str:
        return f"min_by({value}, {value}, {most})"

    def replacing(self, columns: Mapping[str, str]) -> str:
        names = ", ".join(map(self.name, columns))
        return f"* EXCEPT ({names}), {', '.join(f'{value} AS {self.name(name)}' for name, value in columns.items())}"


DUCKDB = DuckDB()
SPARK = Spark()
