"""The queries that add the results of policies to the rows of a table's view."""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Collection, Iterator, Mapping, Sequence

from keyaudit.inventory.dialect import DUCKDB, DuckDB
from keyaudit.model.gating.waivers import Waiver
from keyaudit.model.schema.columns import Table, Type
from keyaudit.model.severity import Opens, Severity
from keyaudit.policy.conditions.parameters import OTHERWISE
from keyaudit.policy.conditions.parameters import Value as Settled
from keyaudit.policy.conditions.sql import UNKNOWN, Shared, Writer, blanked
from keyaudit.policy.conditions.types import Every, Lookup, Term, columns_read, walk
from keyaudit.policy.controls import columns_of
from keyaudit.policy.evaluation import verdict
from keyaudit.policy.evaluation.binding import Bound

DIALECT = DUCKDB
BASELINE = "baseline"
"""The table of baseline entries: policy, subject, rank; and for unknown results, one row for each subject, `because`: a line
for each with its rank and why it is unknown.
"""
Numbered = Mapping[int, Bound]
"""The policies of one table by number: `selection` has the verdict of policy N in `codeN`, and so on."""
RANGED = "ranged"
"""The column with whether any severity of the row may be a range."""
OPENED = "opened"
"""The column with the rank of the most that a row may open, of tables that say it."""
REASONS = "reasons"
"""The column with a row's unknown columns and reasons, including those of single policies."""


def selection(
    bounds: Sequence[Bound], source: str, as_of: int, doubted: frozenset[str] | None = None, sql: DuckDB = DIALECT
) -> str:
    """A relation over `source` that adds to each row its verdicts (`code0`, ...), those for controls, and `reasons`.

    `doubted`: the columns that are unknown in some row; None: possibly any. Each step is a query around the previous one,
    because DuckDB repeats the expression of an alias wherever it is used.
    """
    table = bounds[0].policy.table
    opens = opens_of(bounds)
    read = dict.fromkeys(name for bound in bounds for name in (*bound.policy.columns_read, *columns_of(bound.policy.parts)))
    deciding = columns_read(*opens.values())
    read |= dict.fromkeys(deciding)
    relation = source
    if blank := [name for name in read if can_blank(table, name) and (doubted is None or name in doubted)]:
        relation = f"({blanked(sql, source, blank)})"
    shared = Shared()
    flags: dict[str, str] = {}
    codes: dict[str, str] = {}
    parts: dict[str, str] = {}
    of_parts: dict[str, str] = {}
    for number, bound in enumerate(bounds):
        writer = writer_of(number, bound, as_of, shared, doubted, sql=sql)
        judged = verdict.verdict(bound.policy.trees, writer, prefix(number), _excused(sql, bound), _exempt(bound, number))
        flags |= judged.flags
        codes[f"code{number}"] = judged.code
        for name, part in dict(zip(_parts_of(number, bound), bound.policy.parts, strict=True)).items():
            conditions = {f"{name}_where": part.where, f"{name}_violated": part.violated_when}
            of_parts |= {flag: writer.write(each.tree) for flag, each in conditions.items() if each}
            parts[name] = verdict.of_part(f"code{number}", *(flag if each else None for flag, each in conditions.items()))
        if bound.unknown_in_baseline:
            flags[_held(number)] = _entry(sql, bound, "max(because)")
    first = {f"class{number}": _in_class(sql, bound) for number, bound in enumerate(bounds) if bound.classes}
    opened = {each: _writer(sql, as_of, doubted).write(tree) for each, tree in opens.items()}
    first |= {opens_column(each): condition for each, condition in opened.items() if condition != verdict.ALWAYS}
    certain = doubted is not None and doubted.isdisjoint(deciding)
    levels = verdict.levels(
        (weakness for bound in bounds for weakness in bound.policy.trees.weaknesses),
        {each: condition if condition == verdict.ALWAYS else opens_column(each) for each, condition in opened.items()},
        certain=certain,
    )
    relation = _with(sql, shared.columns | levels | _opened(opened), _with(sql, first, relation))
    # Under the table's own name, which the baseline lookup uses.
    inner = f"{relation} AS {sql.name(table.name)}"
    written = {name: shared.resolved(condition) for name, condition in (flags | of_parts).items()}
    relation = _with(sql, written, inner, without=shared.columns)
    shown = rung_columns(dict(enumerate(bounds)))
    graded = [bound for bound in bounds if doubted is None or not doubted.isdisjoint(bound.policy.columns_of_weakness)]
    rungs = rung_columns({number: bound for number, bound in enumerate(bounds) if bound in graded})
    ranged = [*(verdict.ranged(level) for level in levels if not certain), *(f"{rung} IS NULL" for rung in rungs)]
    used = [*levels, *(name for name in flags if name not in shown and name not in map(_held, range(len(bounds))))]
    codes |= {REASONS: _reasons(sql, bounds), RANGED: " OR ".join(ranged) or "FALSE"}
    return _with(sql, parts, _with(sql, codes, relation, without=used), without=of_parts)


def opens_of(bounds: Sequence[Bound]) -> dict[Opens, Term]:
    """The conditions of what a row of their table opens, from above; none where all severities are fixed."""
    return dict(next((bound.policy.trees.opens for bound in bounds if bound.policy.trees.opens), ()))


def opens_column(opens: Opens) -> str:
    """The column with the state of such a condition. One that always holds has none."""
    return f"opens_{opens.rank}"


def opens_columns(bounds: Sequence[Bound]) -> list[str]:
    """These columns, from above."""
    return [opens_column(opens) for opens, tree in opens_of(bounds).items() if tree != Every(())]


def _opened(conditions: Mapping[Opens, str]) -> dict[str, str]:
    """The column `OPENED`, from the columns of the conditions."""
    cases, last = "", Opens.LITTLE
    for opens, condition in conditions.items():
        if condition == verdict.ALWAYS:
            last = opens
            break
        cases += f" WHEN {opens_column(opens)} IS NOT FALSE THEN {opens.rank}"
    return {OPENED: f"CASE{cases} ELSE {last.rank} END" if cases else str(last.rank)} if conditions else {}


def _writer(sql: DuckDB, as_of: int, doubted: frozenset[str] | None) -> Writer:
    """The writer of conditions without parameters."""
    return Writer(sql, {}, as_of, doubted=doubted)


def _with(sql: DuckDB, columns: Mapping[str, str], relation: str, without: Collection[str] = ()) -> str:
    """The relation with additional columns (SQL by name), and `without` some."""
    if not columns:
        return relation
    kept = sql.excluding(*without) if without else "*"
    return f"(SELECT {kept}, {', '.join(f'{value} AS {name}' for name, value in columns.items())} FROM {relation})"


def writer_of(
    number: int,
    bound: Bound,
    as_of: int,
    shared: Shared | None = None,
    doubted: frozenset[str] | None = None,
    *,
    sql: DuckDB = DIALECT,
) -> Writer:
    """The writer of the conditions of the policy with this number, with the values of a row's class."""
    own = {index: each.values for index, each in enumerate(bound.classes, 1)}
    return Writer(sql, bound.values, as_of, own, f"class{number}", shared=shared, doubted=doubted)


def can_blank(table: Table, column: str) -> bool:
    """Whether an unknown column is set to NULL; a count keeps its bounds, and a partial list its items."""
    return table.by_name[column].type is not Type.COUNT and not table.by_name[column].partial


def _in_class(sql: DuckDB, bound: Bound) -> str:
    """SQL: the number of a row's class, 0 for none; NULL if unknown."""
    cases: list[str] = []
    for number, each in enumerate(bound.classes, 1):
        matches = each.declared.condition(bound.policy, sql)
        cases += [f"WHEN {matches} THEN {number}", f"WHEN {matches} IS NULL THEN NULL"]
    return f"(CASE {' '.join(cases)} ELSE 0 END)"


def _exempt(bound: Bound, number: int) -> str | None:
    out = [str(index) for index, each in enumerate(bound.classes, 1) if not each.applies]
    return f"class{number} IN ({', '.join(out)})" if out else None


def classed(relation: str, bounds: Sequence[Bound]) -> str:
    """For each class of each policy, in order: the number of rows, and of results that are left out."""
    counts = [
        f"count(*) FILTER (WHERE class{number} = {index}),"
        f" count(*) FILTER (WHERE class{number} = {index} AND code{number} = {verdict.EXEMPT})"
        for number, bound in enumerate(bounds)
        for index, _ in enumerate(bound.classes, 1)
    ]
    return f"SELECT {', '.join(counts)} FROM {relation}"


def _excused(sql: DuckDB, bound: Bound) -> verdict.Excused:
    critical = [_covered(sql, bound, waiver) for waiver in bound.waivers if waiver.allow_critical]
    return verdict.Excused(
        waived=" OR ".join(_covered(sql, bound, waiver) for waiver in bound.waivers) or None,
        waived_critical=" OR ".join(critical) or None,
        known=_entry(sql, bound, "max(rank)") if bound.in_baseline else None,
    )


def _entry(sql: DuckDB, bound: Bound, value: str) -> str:
    """SQL: of the baseline's entry for a row, the rank or why it is unknown."""
    kind = "NULL" if value == "max(rank)" else "NOT NULL"
    subject = f"{sql.name(bound.policy.table.name)}.{sql.name(bound.policy.subject)}"
    return (
        f"(SELECT {value} FROM {BASELINE} AS held WHERE held.because IS {kind}"
        f" AND held.policy = {sql.text(bound.policy.text.id)} AND held.subject = {subject})"
    )


def _held(number: int) -> str:
    """The column with the unknown results of a policy that the baseline has for a row's subject."""
    return f"held{number}"


def create_baseline() -> str:
    """Creates the table `baseline`, unless it exists, from a list for each of its columns."""
    columns = "unnest(?) AS policy, unnest(?) AS subject, unnest(?) AS rank, unnest(?::VARCHAR[]) AS because"
    return f"CREATE TABLE IF NOT EXISTS {BASELINE} AS SELECT {columns}"


def _covered(sql: DuckDB, bound: Bound, waiver: Waiver) -> str:
    columns = dict.fromkeys(("id", bound.policy.subject))
    return f"({' OR '.join(sql.like(sql.lower(sql.name(column)), waiver.resource.text) for column in columns)})"


def judged(
    table: Table,
    bounds: Sequence[Bound],
    as_of: int,
    doubted: frozenset[str] | None = None,
    sql: DuckDB = DIALECT,
    *,
    rows: str | None = None,
) -> str:
    """A table's view with the verdicts of its policies, as a relation that is not materialized.

    `doubted` as for `selection`. `rows`: the relation of those rows of the view that are evaluated; None: all of them.
    """
    return selection(bounds, rows or sql.name(table.name), as_of, doubted, sql)


def doubted(tables: Sequence[str]) -> str:
    """The columns that are unknown in some row of these tables, each with its table."""
    each = (f"SELECT {DIALECT.text(name)}, unnest(map_keys({UNKNOWN})) AS doubted FROM {DIALECT.name(name)}" for name in tables)
    return f"SELECT DISTINCT * FROM ({' UNION ALL '.join(each)})"


def materialize(name: str, relation: str) -> tuple[str, str]:
    """The statement that materializes a relation, and the resulting relation of that name."""
    held = DIALECT.name(name)
    return f"CREATE TABLE {held} AS FROM {relation}", held


def covered(relation: str, bounds: Sequence[Bound], sql: DuckDB = DIALECT) -> str:
    """The number of waived findings for each waiver of each policy, one column per pair, in order."""
    counts = [
        f"count(*) FILTER (WHERE code{number} >= {verdict.WAIVED} AND code{number} < {verdict.FAIL}"
        f" AND {_covered(sql, bound, waiver)}"
        f" AND ({waiver.allow_critical} OR {verdict.rank_in(f'code{number}')} < {Severity.CRITICAL.rank}))"
        for number, bound in enumerate(bounds)
        for waiver in bound.waivers
    ]
    return f"SELECT {', '.join(counts)} FROM {relation}"


def _reasons(sql: DuckDB, bounds: Sequence[Bound]) -> str:
    """SQL: the row's unknown map, extended with columns whose value is missing in a map parameter, as unrecognised."""
    reasons = sql.name(UNKNOWN)
    looked_up = {
        (bound.policy.table.by_name[node.index.column].name, tuple(str(key) for key in entries), held)
        for number, bound in enumerate(bounds)
        for tree in bound.policy.trees.all
        for node in walk(tree)
        if isinstance(node, Lookup)
        for held, entries in _values(number, bound, node.parameter)
        if isinstance(entries, Mapping) and OTHERWISE not in entries and any(isinstance(key, str) for key in entries)
    }
    for column, keys, held in sorted(looked_up):
        index, names = sql.name(column), ", ".join(sql.text(key) for key in keys)
        entry = sql.with_entry(reasons, sql.text(column), sql.text("unrecognised"))
        reasons = f"CASE WHEN {held}{index} NOT IN ({names}) THEN {entry} ELSE {reasons} END"
    return reasons


def _values(number: int, bound: Bound, parameter: str) -> Iterator[tuple[str, Settled]]:
    """Each value of a parameter for some rows, with the condition for these rows."""
    if not bound.classes:
        yield "", bound.values[parameter]
        return
    for index in range(len(bound.classes) + 1):
        own = bound.classes[index - 1].values if index else {}
        yield f"class{number} = {index} AND ", own.get(parameter, bound.values[parameter])


def part_columns(numbered: Numbered) -> list[str]:
    """The columns with the verdicts for controls, by policy in order."""
    return [name for number, bound in numbered.items() for name in _parts_of(number, bound)]


def _parts_of(number: int, bound: Bound) -> list[str]:
    """The column of each control; equal controls share one column."""
    conditions = [(part.where, part.violated_when) for part in bound.policy.parts]
    return [f"part{number}_{conditions.index(each)}" for each in conditions]


def rung_columns(numbered: Numbered) -> list[str]:
    """The columns with the states of severity rungs, by policy in order."""
    counts = ((number, len(bound.policy.trees.rungs)) for number, bound in numbered.items())
    return [verdict.rung(prefix(number), index) for number, count in counts for index in range(count)]


def prefix(number: int) -> str:
    """The beginning of the names of a policy's flags."""
    return f"policy{number}_"


def counted(relation: str, bounds: Sequence[Bound]) -> str:
    """The verdicts with their number of rows; unknown ones, and failures whose severity is a range, also by scope, reasons, and
    what the baseline has of them.
    """
    codes = [f"code{number}" for number in range(len(bounds))]
    held = (
        f"CASE WHEN code{number} >= {verdict.UNKNOWN_VIOLATION} THEN {_held(number)} END"
        for number, bound in enumerate(bounds)
        if bound.unknown_in_baseline
    )
    unknown = f"{RANGED} OR greatest({', '.join(codes)}) >= {verdict.UNKNOWN_VIOLATION}"
    columns = [*codes, *part_columns(dict(enumerate(bounds))), *held]
    columns += [f"CASE WHEN {unknown} THEN scope_id END", f"CASE WHEN {unknown} THEN {REASONS} END AS {REASONS}"]
    grouped = ", ".join(str(number) for number, _ in enumerate(columns, 1))
    return f"SELECT {', '.join(columns)}, count(*) FROM {relation} GROUP BY {grouped}"


def scopes_seen(table: str) -> str:
    """The scopes with rows of a table."""
    return f"SELECT DISTINCT scope_id FROM {DIALECT.name(table)}"
