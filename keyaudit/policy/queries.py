"""The queries that are run: every one reads a table's view and adds to each row what the policies say of it."""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import Enum, auto

from keyaudit.inventory.scores import scored, unscored
from keyaudit.model.columns import Table, Type
from keyaudit.model.findings import Severity, Value
from keyaudit.model.rows import view_name, view_names
from keyaudit.model.waivers import Waiver
from keyaudit.policy import verdict
from keyaudit.policy.bind import Bound
from keyaudit.policy.controls import columns_of
from keyaudit.policy.definition import Trees
from keyaudit.policy.dialect import DuckDB
from keyaudit.policy.parameters import OTHERWISE
from keyaudit.policy.parameters import Value as Settled
from keyaudit.policy.sql import UNKNOWN, Shared, Writer, blanked
from keyaudit.policy.types import Kind, Lookup, walk

DIALECT = DuckDB()
BASELINE = "baseline"
"""The table of what the baseline holds: policy, subject, rank."""
_ORDER = "high DESC, low DESC, gravest DESC, label, thing"
Numbered = Mapping[int, Bound]
"""Policies of one table by their numbers, in order: what `selection` says of the policy N is in `codeN`, and so on."""
REASONS = "reasons"
"""The column with a row's unknown columns and reasons, those included that are unknown to a policy alone."""


class Scoring(Enum):
    """What findings have to do with scores."""

    NONE = auto()
    """They carry none, and none is computed."""
    CARRIED = auto()
    ORDER = auto()
    """They carry them, and come in their order."""


def selection(bounds: Sequence[Bound], source: str, as_of: int, doubted: Collection[str] | None = None) -> str:
    """A relation over `source` that adds to each row its verdicts, `code0` and on, those for parts of policies, and `reasons`.

    `doubted`: the columns that some row says are unknown; None: it may be any. Each step is a query around the one before:
    DuckDB repeats what a name of the same query stands for wherever it is read.
    """
    table = bounds[0].policy.table
    read = dict.fromkeys(name for bound in bounds for name in (*bound.policy.columns_read, *columns_of(bound.policy.parts)))
    relation = source
    if blank := [name for name in read if _blanks(table, name) and (doubted is None or name in doubted)]:
        relation = f"({blanked(DIALECT, source, blank)})"
    shared = Shared()
    flags: dict[str, str] = {}
    codes: dict[str, str] = {}
    parts: dict[str, str] = {}
    of_parts: dict[str, str] = {}
    for number, bound in enumerate(bounds):
        writer = _writer(number, bound, as_of, shared, doubted)
        judged = verdict.verdict(bound.policy.trees, writer, _prefix(number), _excused(bound), _exempt(bound, number))
        flags |= judged.flags
        codes[f"code{number}"] = judged.code
        for name, part in dict(zip(_parts_of(number, bound), bound.policy.parts, strict=True)).items():
            conditions = {f"{name}_where": part.where, f"{name}_violated": part.violated_when}
            of_parts |= {flag: writer.write(each.tree) for flag, each in conditions.items() if each}
            parts[name] = verdict.of_part(f"code{number}", *(flag if each else None for flag, each in conditions.items()))
    classes = {f"class{number}": _in_class(bound) for number, bound in enumerate(bounds) if bound.classes}
    relation = _with(shared.columns, _with(classes, relation))
    # Under the table's own name, by which a policy's subject is looked up in the baseline.
    inner = f"{relation} AS {DIALECT.name(table.name)}"
    written = {name: shared.resolved(sql) for name, sql in (flags | of_parts).items()}
    relation = _with(written, inner, without=shared.columns)
    shown = _rungs(dict(enumerate(bounds)))
    used = [name for name in flags if name not in shown]
    return _with(parts, _with(codes | {REASONS: _reasons(bounds)}, relation, without=used), without=of_parts)


def _with(columns: Mapping[str, str], relation: str, without: Collection[str] = ()) -> str:
    """The relation with more columns, SQL by name, and `without` some that it has."""
    if not columns:
        return relation
    kept = f"* EXCLUDE ({', '.join(without)})" if without else "*"
    return f"(SELECT {kept}, {', '.join(f'{sql} AS {name}' for name, sql in columns.items())} FROM {relation})"


def _writer(
    number: int, bound: Bound, as_of: int, shared: Shared | None = None, doubted: Collection[str] | None = None
) -> Writer:
    own = {index: each.values for index, each in enumerate(bound.classes, 1)}
    return Writer(DIALECT, bound.values, as_of, own, f"class{number}", shared=shared, doubted=doubted)


def _blanks(table: Table, column: str) -> bool:
    """Whether a column can be blanked: a count that is unknown still has bounds."""
    return table.by_name[column].type is not Type.COUNT


def _in_class(bound: Bound) -> str:
    """The number of the class that a row belongs to, 0 for none; NULL where that cannot be told."""
    cases: list[str] = []
    for number, each in enumerate(bound.classes, 1):
        matches = each.declared.condition(bound.policy, DIALECT)
        cases += [f"WHEN {matches} THEN {number}", f"WHEN {matches} IS NULL THEN NULL"]
    return f"(CASE {' '.join(cases)} ELSE 0 END)"


def _exempt(bound: Bound, number: int) -> str | None:
    out = [str(index) for index, each in enumerate(bound.classes, 1) if not each.applies]
    return f"class{number} IN ({', '.join(out)})" if out else None


def classed(relation: str, bounds: Sequence[Bound]) -> str:
    """For each class of each policy, in their order: how many rows are in it, and how many of them it leaves out."""
    counts = [
        f"count(*) FILTER (class{number} = {index}),"
        f" count(*) FILTER (class{number} = {index} AND code{number} = {verdict.EXEMPT})"
        for number, bound in enumerate(bounds)
        for index, _ in enumerate(bound.classes, 1)
    ]
    return f"SELECT {', '.join(counts)} FROM {relation}"


def _excused(bound: Bound) -> verdict.Excused:
    critical = [_covered(bound, waiver) for waiver in bound.waivers if waiver.allow_critical]
    known = (
        f"(SELECT max(rank) FROM {BASELINE} AS held WHERE held.policy = {DIALECT.text(bound.policy.text.id)}"
        f" AND held.subject = {DIALECT.name(bound.policy.table.name)}.{DIALECT.name(bound.policy.subject)})"
    )
    return verdict.Excused(
        waived=" OR ".join(_covered(bound, waiver) for waiver in bound.waivers) or None,
        waived_critical=" OR ".join(critical) or None,
        known=known if bound.in_baseline else None,
    )


def hold_baseline() -> str:
    """Makes the table `baseline` of three lists: ids of policies, subjects, and ranks of severities."""
    return f"CREATE TABLE {BASELINE} AS SELECT unnest(?) AS policy, unnest(?) AS subject, unnest(?) AS rank"


def _covered(bound: Bound, waiver: Waiver) -> str:
    columns = dict.fromkeys(("id", bound.policy.subject))
    return f"({' OR '.join(DIALECT.like(f'lower({DIALECT.name(column)})', waiver.resource.text) for column in columns)})"


def judged(table: Table, bounds: Sequence[Bound], as_of: int, doubted: Collection[str] | None = None) -> str:
    """A table's view with the verdicts of its policies, as a relation that is worked out wherever it is read.

    `doubted` as for `selection`.
    """
    return selection(bounds, DIALECT.name(table.name), as_of, doubted)


def doubted(tables: Sequence[str]) -> str:
    """The columns that some row of these tables says are unknown, each with its table."""
    each = (f"SELECT {DIALECT.text(name)}, unnest(map_keys({UNKNOWN})) AS doubted FROM {DIALECT.name(name)}" for name in tables)
    return f"SELECT DISTINCT * FROM ({' UNION ALL '.join(each)})"


def hold(name: str, relation: str) -> tuple[str, str]:
    """The statement that works a relation out once and for all, and the relation of that name that it makes."""
    held = DIALECT.name(name)
    return f"CREATE TABLE {held} AS FROM {relation}", held


def covered(relation: str, bounds: Sequence[Bound]) -> str:
    """How many waived findings each waiver of each policy covers, one column for each pair, in their order."""
    counts = [
        f"count(*) FILTER (code{number} >= {verdict.WAIVED} AND code{number} < {verdict.FAIL} AND {_covered(bound, waiver)}"
        f"{'' if waiver.allow_critical else f' AND code{number} % 5 < {Severity.CRITICAL.rank}'})"
        for number, bound in enumerate(bounds)
        for waiver in bound.waivers
    ]
    return f"SELECT {', '.join(counts)} FROM {relation}"


def _reasons(bounds: Sequence[Bound]) -> str:
    """The row's unknown map; with it, as unrecognised, what a map was looked up by and does not name."""
    reasons = DIALECT.name(UNKNOWN)
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
        index, names = DIALECT.name(column), ", ".join(DIALECT.text(key) for key in keys)
        entry = DIALECT.with_entry(reasons, DIALECT.text(column), DIALECT.text("unrecognised"))
        reasons = f"CASE WHEN {held}{index} NOT IN ({names}) THEN {entry} ELSE {reasons} END"
    return reasons


def _values(number: int, bound: Bound, parameter: str) -> Iterator[tuple[str, Settled]]:
    """Each value that a parameter has for some row, with the condition, ready to be gone on with, that it has it."""
    if not bound.classes:
        yield "", bound.values[parameter]
        return
    for index in range(len(bound.classes) + 1):
        own = bound.classes[index - 1].values if index else {}
        yield f"class{number} = {index} AND ", own.get(parameter, bound.values[parameter])


def _parts(numbered: Numbered) -> list[str]:
    """The columns with the verdicts for parts, by policy in their order."""
    return [name for number, bound in numbered.items() for name in _parts_of(number, bound)]


def _parts_of(number: int, bound: Bound) -> list[str]:
    """The column of each part; controls that are about the same have one column."""
    conditions = [(part.where, part.violated_when) for part in bound.policy.parts]
    return [f"part{number}_{conditions.index(each)}" for each in conditions]


def _rungs(numbered: Numbered) -> list[str]:
    """The columns that say whether each rung of a severity holds, by policy in their order."""
    counts = ((number, len(bound.policy.trees.rungs)) for number, bound in numbered.items())
    return [verdict.rung(_prefix(number), index) for number, count in counts for index in range(count)]


def _prefix(number: int) -> str:
    return f"policy{number}_"


def counted(relation: str, bounds: Sequence[Bound]) -> str:
    """The verdicts that occur, and how many rows have them; where one is unknown, by scope and reasons too."""
    codes = [f"code{number}" for number in range(len(bounds))]
    unknown = " OR ".join(f"{code} >= {verdict.UNKNOWN_VIOLATION}" for code in codes)
    return (
        f"SELECT {', '.join([*codes, *_parts(dict(enumerate(bounds)))])},"
        f" CASE WHEN {unknown} THEN scope_id END, CASE WHEN {unknown} THEN {REASONS} END,"
        f" count(*) FROM {relation} GROUP BY ALL"
    )


def carrying(scoring: Scoring, relation: str, table: str, as_of: int) -> str:
    """A relation with verdicts that has `score`, what each row's score rests on, and its bounds, `score_high` and `score_low`.

    Where none is asked for, or rows of that table have none, `score` is NULL, and the bounds are 0.
    """
    return f"({unscored(relation) if scoring is Scoring.NONE else scored(relation, table, as_of)})"


def _places(relation: str, table: Table, bounds: Sequence[Bound], least: int, scoring: Scoring) -> str:
    ranks = ", ".join(
        f"CASE WHEN code{number} >= {verdict.FAIL} THEN CAST(code{number} % 5 AS INTEGER) ELSE -1 END"
        for number in range(len(bounds))
    )
    high, low = ("max(score_high)", "max(score_low)") if scoring is Scoring.ORDER else ("0", "0")
    return (
        f"SELECT {high} AS high, {low} AS low, max(greatest({ranks}, -1)) AS gravest, min(coalesce(name, '')) AS label,"
        f" {_thing(table, scoring)} AS thing, count(*) AS held"
        f" FROM {relation} WHERE {_kept(bounds, least)} GROUP BY thing"
    )


def _thing(table: Table, scoring: Scoring) -> str:
    """What is kept together: all rows of a key, but where scores are the order, which are those of single rows."""
    return DIALECT.name("id" if scoring is Scoring.ORDER else table.subject)


def slices(relation: str, table: Table, bounds: Sequence[Bound], *, least: int, size: int, scoring: Scoring) -> str:
    """Makes the temporary table `places`: things that have rows whose gravest verdict is `least` at least.

    `relation` is one that `carrying` gave for this scoring.

    Of each: the bounds of its score (0 where that is not the order), the rank of its gravest verdict (-1: passes alone), a
    name, its id, and the slice it is in. Slices are numbered in the order of the findings, and have about `size` rows each.
    """
    before = f"sum(held) OVER (ORDER BY {_ORDER} ROWS UNBOUNDED PRECEDING) - held"
    found = _places(relation, table, bounds, least, scoring)
    return f"CREATE TEMP TABLE places AS SELECT *, CAST(({before}) // {size} AS BIGINT) AS slice FROM ({found})"


def count_slices() -> str:
    """How many slices there are."""
    return "SELECT coalesce(max(slice), -1) + 1 FROM places"


def with_arms(relation: str, numbered: Numbered, as_of: int) -> str:
    """The relation with `arm0`, ... for the policies that have `message_when`: the number of the message that is to be shown.

    The first whose condition holds for certain; as many as there are where none does: then it is `message`.
    """
    telling = [(number, bound) for number, bound in numbered.items() if bound.policy.message_when]
    if not telling:
        return relation
    table = telling[0][1].policy.table
    read = dict.fromkeys(name for _, bound in telling for name in bound.policy.columns_of_arms)
    source = blanked(DIALECT, relation, (name for name in read if _blanks(table, name)))
    columns: list[str] = []
    for number, bound in telling:
        writer = _writer(number, bound, as_of)
        arms = bound.policy.message_when
        cases = " ".join(f"WHEN {writer.write(arm.condition.tree)} THEN {index}" for index, arm in enumerate(arms))
        columns.append(f"CASE {cases} ELSE {len(arms)} END AS arm{number}")
    return f"(SELECT *, {', '.join(columns)} FROM ({source}))"


def slice_in_order(
    relation: str, table: Table, bounds: Sequence[Bound], number: int, *, least: int, scoring: Scoring, as_of: int
) -> str:
    """The rows of a slice of `places` in order.

    Columns: the thing's score, rank, name and id; the table's columns as stored; the verdicts; those for parts of the policies;
    whether each rung of their severities holds; the classes of the policies that have any; the numbers of the messages of the
    policies that have several; what the row's score rests on; the unknown map; the reasons.
    """
    names = ", ".join(DIALECT.name(name) for name in view_names(table))
    numbered = dict(enumerate(bounds))
    found = _judged(numbered)
    relation = with_arms(relation, numbered, as_of)
    return (
        f"SELECT high, low, gravest, label, thing, {names}, {', '.join(found)}, score, {UNKNOWN}, {REASONS}"
        f" FROM {relation} JOIN places ON {_thing(table, scoring)} = thing"
        f" WHERE slice = {number} AND ({_kept(bounds, least)}) ORDER BY {_ORDER}"
    )


def _judged(numbered: Numbered) -> list[str]:
    """The columns that say what the policies make of a row, as `slice_in_order` has them."""
    return [
        *(f"code{index}" for index in numbered),
        *_parts(numbered),
        *_rungs(numbered),
        *(f"class{index}" for index, bound in numbered.items() if bound.classes),
        *(f"arm{index}" for index, bound in numbered.items() if bound.policy.message_when),
    ]


def worst_rows(relation: str, table: Table, numbered: Numbered, *, least: Severity, known: bool, most: int, as_of: int) -> str:
    """The `most` rows whose findings are worst, of those that fail with severity `least` or above; what is `known` counts too.

    Columns as those of `slice_in_order`, of these policies alone, over a relation without scores.
    """
    below = verdict.UNKNOWN_VIOLATION if known else verdict.KNOWN
    codes = [f"code{number}" for number in numbered]
    fails = f"{{0}} >= {verdict.FAIL} AND {{0}} < {below}"
    ranks = ", ".join(f"CASE WHEN {fails.format(code)} THEN CAST({code} % 5 AS INTEGER) ELSE -1 END" for code in codes)
    names = ", ".join(DIALECT.name(name) for name in view_names(table))
    found = _judged(numbered)
    relation = f"(SELECT *, greatest({ranks}, -1) AS gravest FROM {with_arms(relation, numbered, as_of)})"
    shown = f"coalesce(name, '') AS label, {_thing(table, Scoring.NONE)} AS thing"
    return (
        f"SELECT 0, 0, gravest, {shown}, {names}, {', '.join(found)}, NULL, {UNKNOWN}, {REASONS}"
        f" FROM {relation} WHERE gravest >= {least.rank} ORDER BY gravest DESC, label, thing, id LIMIT {most}"
    )


def _kept(bounds: Sequence[Bound], least: int) -> str:
    return " OR ".join(f"code{number} >= {least}" for number in range(len(bounds)))


def scopes_seen(table: str) -> str:
    """The scopes that gave a row of a table."""
    return f"SELECT DISTINCT scope_id FROM {DIALECT.name(table)}"


def verdicts(
    table: Table,
    forms: Sequence[tuple[Trees, Mapping[str, Settled]]],
    rows: Sequence[tuple[Mapping[str, Value], Mapping[str, str]]],
    as_of: int,
) -> str:
    """The verdict of each of `forms` (conditions, values of parameters) on each row (columns, unknown), in the rows' order."""
    flags: list[str] = []
    codes: list[str] = []
    for number, (trees, settled) in enumerate(forms):
        judged = verdict.verdict(trees, Writer(DIALECT, settled, as_of), f"form{number}_")
        flags += [f"{sql} AS {name}" for name, sql in judged.flags.items()]
        codes.append(judged.code)
    names = sorted({name for values, _ in rows for name in values})
    source = blanked(DIALECT, written_out(table, rows), (name for name in names if _blanks(table, name)))
    return f"SELECT {', '.join(codes)} FROM (SELECT position, {', '.join(flags)} FROM ({source})) ORDER BY position"


def written_out(table: Table, rows: Sequence[tuple[Mapping[str, Value], Mapping[str, str]]]) -> str:
    """A relation of these rows (columns, unknown), each with its `position`. Each row has the same columns."""
    names = sorted({name for values, _ in rows for name in values})
    literals = [
        ", ".join([str(number), DIALECT.entries(unknown), *_literals(table, names, values)])
        for number, (values, unknown) in enumerate(rows)
    ]
    stored = [stored for name in names for stored in view_name(table.by_name[name])]
    columns = ", ".join(DIALECT.name(name) for name in ("position", UNKNOWN, *stored))
    return f"(VALUES {', '.join(f'({row})' for row in literals)}) AS row({columns})"


def _literals(table: Table, names: Sequence[str], values: Mapping[str, Value]) -> list[str]:
    found: list[str] = []
    for name in names:
        value, kind = values.get(name), Kind(table.by_name[name].type.value)
        if kind is Kind.COUNT:
            bounds = value if isinstance(value, tuple) else (None, None)
            found += [DIALECT.typed(_literal(bound), Kind.INTEGER) for bound in bounds]
        else:
            found.append(DIALECT.typed(_literal(value), kind))
    return found


def _literal(value: Value) -> str:
    match value:
        case None:
            return "NULL"
        case str():
            return DIALECT.text(value)
        case list():
            return DIALECT.texts(value)
        case dict():
            return DIALECT.entries(value)
        case _:
            return str(value)
