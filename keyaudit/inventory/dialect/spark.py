"""Spark's SQL, where it differs from DuckDB's."""

from collections.abc import Mapping, Sequence

from keyaudit.inventory.dialect.duckdb import DuckDB

SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
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

    def quotient(self, value: str, by: int | str) -> str:
        return f"({value} DIV {by})"

    def view(self, name: str, query: str) -> str:
        return f"CREATE TEMPORARY VIEW {name} AS {query}"

    def table(self, name: str, query: str) -> str:
        return f"CREATE TABLE {name} AS {query}"

    def function(self, name: str, parameters: Sequence[str], returns: str, expression: str) -> str:
        given = ", ".join(f"{parameter} STRING" for parameter in parameters)
        return f"CREATE TEMPORARY FUNCTION {name}({given}) RETURNS {self.type(returns)} RETURN {expression}"

    def inlined(self, name: str, query: str) -> str:
        return f"{name} AS ({query})"

    def items(self, *values: str) -> str:
        return f"array({', '.join(values)})"

    def size(self, items: str) -> str:
        return f"size({items})"

    def item(self, items: str, number: int | str) -> str:
        return f"try_element_at({items}, {number})"

    def unnested(self, items: str) -> str:
        return f"explode({items})"

    def different(self, value: str, first: int, end: int) -> str:
        return f"count(DISTINCT CASE WHEN {value} >= {first} AND {value} < {end} THEN {value} END)"

    def collected(self, value: str) -> str:
        return f"collect_list({value})"

    def distinct(self, value: str, condition: str = "true") -> str:
        return f"nullif(array_sort(collect_set({value}) FILTER (WHERE {condition})), {self.texts(())})"

    def distinct_items(self, items: str, condition: str = "true") -> str:
        found = f"{items} IS NOT NULL AND ({condition})"
        collected = f"array_sort(array_distinct(flatten(collect_list({items}) FILTER (WHERE {found}))))"
        return f"CASE WHEN bool_or({found}) THEN {collected} END"

    def has(self, items: str, item: str) -> str:
        return f"CASE WHEN size({items}) = 0 THEN FALSE ELSE array_contains({items}, {item}) END"

    def overlaps(self, left: str, right: str) -> str:
        return f"CASE WHEN size({left}) = 0 OR size({right}) = 0 THEN FALSE ELSE arrays_overlap({left}, {right}) END"

    def covers(self, left: str, right: str) -> str:
        return f"CASE WHEN size({right}) = 0 THEN TRUE ELSE size(array_except({right}, {left})) = 0 END"

    def joined(self, items: str, separator: str) -> str:
        return f"array_join({items}, {self.text(separator)})"

    def numbers(self, last: str) -> str:
        return f"slice(sequence(1, greatest({last}, 1)), 1, {last})"

    def first_items(self, items: str, most: int | str) -> str:
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

    def contains_match(self, text: str, pattern: str) -> str:
        return f"({text} RLIKE {self.text(pattern)})"

    def without(self, text: str, pattern: str) -> str:
        return f"regexp_replace({text}, {self.text(pattern)}, '')"

    def lower(self, text: str) -> str:
        # Java lowers these by their neighbours, by the language of the machine, or to two characters.
        return f"lower(translate({text}, 'I\u0130\u03a3', 'ii\u03c3'))"

    def trimmed(self, text: str) -> str:
        # By default, Spark removes no other spaces than U+0020. A pattern would look at every character.
        return f"trim(BOTH {self.text(SPACES)} FROM {text})"

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

    def map(self, values: Mapping[str, str]) -> str:
        return f"map({', '.join(f'{self.text(name)}, {value}' for name, value in values.items())})"

    def present(self, values: Mapping[str, str]) -> str:
        return f"map_filter({self.map(values)}, (name, value) -> value IS NOT NULL)"

    def with_present(self, column: str, values: Mapping[str, str]) -> str:
        return f"map_concat({column}, {self.present(values)})"

    def only(self, column: str, keys: Sequence[str]) -> str:
        return f"map_filter({column}, (name, value) -> name IN ({', '.join(map(self.text, keys))}))"

    def united(self, *maps: str) -> str:
        return f"map_concat({', '.join(f'coalesce({each}, {self.entries({})})' for each in maps)})"

    def struct(self, values: Mapping[str, str]) -> str:
        return f"named_struct({', '.join(f'{self.text(name)}, {value}' for name, value in values.items())})"

    def least(self, value: str, most: int) -> str:
        return f"min_by({value}, {value}, {most})"

    def excluding(self, *columns: str, of: str = "") -> str:
        return f"{of}{'.' if of else ''}* EXCEPT ({', '.join(map(self.name, columns))})"

    def replacing(self, columns: Mapping[str, str], *, of: str = "", without: Sequence[str] = ()) -> str:
        others = ", ".join(f"{value} AS {self.name(name)}" for name, value in columns.items())
        return f"{self.excluding(*without, *columns, of=of)}, {others}"
