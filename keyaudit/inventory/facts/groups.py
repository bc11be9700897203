"""Groups of rows: whether any, how many, the least and the different values, with what is unknown about each.

A row whose key is unknown may belong to any group, and a list that was not read to its end may hold more of each. Both count
in every result by themselves.
"""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Sequence
from dataclasses import dataclass, replace

from keyaudit.inventory.facts.extremes import ABOVE, BELOW, settled
from keyaudit.inventory.facts.fact import CERTAIN, TRUE, Count, Doubt, Fact, Items, Truth
from keyaudit.inventory.facts.joins import NOTHING, Join, Part, Reads, joined
from keyaudit.inventory.facts.relation import Relation, Rows
from keyaudit.model.values.times import MAX_TIME

_OF_ROWS = "rows_missing"


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows by a key, as seen from a row of a view, which has that key. Make it with `groups`."""

    rows: Relation
    join: Join
    strays: Join | None
    """The rows whose key is unknown, as one group; None if every row has its key."""
    by: Fact
    own: bool
    missing: Doubt
    each: Truth
    """What is true of each row that counts."""
    single: bool = False
    """No group has rows beside those that were read, if any were."""
    listed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """By table, the operations whose rows alone count."""

    def lacking(self, missing: Doubt) -> "Groups":
        """The same groups, whose rows may be missing for another reason besides."""
        return replace(self, missing=self.missing | missing)

    def counting(self, table: str, *operations: str) -> "Groups":
        """The same groups, where only those of their rows count which these operations list."""
        listed = (*self.listed, (table, operations))
        missing = frozenset(
            (self.join, replace(read[1], listed=listed)) if isinstance(read, tuple) and read[0] is self.join else read
            for read in self.missing.reads
        )
        return replace(self, listed=listed, missing=replace(self.missing, reads=missing))

    def _of(self, column: str) -> str:
        return f"{self.join.alias}.{column}"

    def _read(self, part: Part, join: Join | None = None) -> Reads:
        return frozenset({(join or self.join, replace(part, listed=self.listed) if self.listed else part)})

    def _stray(self, name: str, it: Truth, what: str = "", more: Sequence[tuple[str, str]] = ()) -> tuple[str, Doubt]:
        """SQL of how many rows with an unknown key may be meant, if `what` says what to count, and why; without such rows,
        nothing.
        """
        if self.strays is None:
            return "", CERTAIN
        columns: tuple[tuple[str, str], ...] = ((f"{name}_why", f"min({name}_stray) FILTER (WHERE {name}_it IS NOT FALSE)"),)
        if what:
            columns += ((f"{name}_may", f"count({what}) FILTER (WHERE {name}_it IS NOT FALSE)"),)
        of_row = ((f"{name}_it", it.value), (f"{name}_stray", self.by.why.sql), *more)
        reads = self._read(Part(name, columns, of_row, it.reads | self.by.everything), self.strays)
        may, why = f"{self.strays.alias}.{name}_may", Doubt((f"{self.strays.alias}.{name}_why",), reads)
        if not self.single:
            return may, why
        return f"CASE WHEN {self.join.alias}.subject IS NULL THEN {may} ELSE 0 END", _unless_read(self.join, why)

    def _aggregate(self, name: str, it: Truth, columns: Sequence[tuple[str, str]], more: Sequence[tuple[str, str]] = (),
                   reads: Reads = NOTHING) -> Reads:  # fmt: skip
        of_row = [(f"{name}_it", it.value), *more]
        columns = list(columns)
        if it.doubt:
            of_row.append((f"{name}_doubt", f"CASE WHEN {it.value} IS NULL THEN {it.doubt.sql} END"))
            columns.append((f"{name}_doubt", f"min({name}_doubt)"))
        return self._read(Part(name, tuple(columns), tuple(of_row), it.everything | reads))

    def any_of(self, name: str, it: Truth = TRUE) -> Truth:
        """Whether something is true of any row; `name` is unique among these groups."""
        it = self.each & it
        reads = self._aggregate(name, it, [(name, f"bool_or({name}_it)")])
        _, stray = self._stray(name, it)
        doubt = self.missing | (Doubt((self._of(f"{name}_doubt"),), reads) if it.doubt else CERTAIN) | stray
        if not doubt:
            return Truth(f"coalesce({self._of(name)}, false)", reads=reads)
        value = f"(CASE WHEN {self._of(name)} THEN true WHEN {doubt.sql} IS NULL THEN false END)"
        return Truth(value, doubt, exact=False, reads=reads | doubt.reads)

    def count_of(self, name: str, it: Truth = TRUE, *, different: Fact | None = None) -> Count:
        """How many rows it is true of, or how many `different` values they have; a row without a value does not count."""
        it = self.each & it
        what = f"DISTINCT {name}_of" if different else "*"
        more = [(f"{name}_of", different.value)] if different else []
        columns = [(f"{name}_min", f"count({what}) FILTER (WHERE {name}_it)")]
        doubtful = bool(it.doubt)
        most = f"count({what}) FILTER (WHERE {name}_it IS NOT FALSE)"
        untold = CERTAIN
        if different and different.doubt:
            # Each unknown value may be another one.
            more.append((f"{name}_untold", different.why.sql))
            may = f"{name}_it IS NOT FALSE AND {name}_untold IS NOT NULL"
            most = f"{most} + count(*) FILTER (WHERE {may})"
            columns.append((f"{name}_untold", f"min({name}_untold) FILTER (WHERE {may})"))
            doubtful = True
        if doubtful:
            columns.append((f"{name}_max", most))
        reads = self._aggregate(name, it, columns, more, different.everything if different else NOTHING)
        if different and different.doubt:
            untold = Doubt((self._of(f"{name}_untold"),), reads)
        least, most = self._of(f"{name}_min"), self._of(f"{name}_max" if doubtful else f"{name}_min")
        if not self.own:
            least, most = f"coalesce({least}, 0)", f"coalesce({most}, 0)"
        stray_what = "*" if untold else what
        may, stray = self._stray(name, it, stray_what, more)
        if may:
            most = f"{most} + {may}"
        if self.missing:
            most = f"CASE WHEN {self.missing.sql} IS NULL THEN {most} END"
        doubt = self.missing | untold | (Doubt((self._of(f"{name}_doubt"),), reads) if it.doubt else CERTAIN) | stray
        return Count(least, most, doubt, reads | doubt.reads)

    def only(self, name: str, of: Fact, it: Truth) -> Fact:
        """The value, which must be known, of the row that it is true of; absent if there is none, or more than one."""
        count = self.count_of(name, it)
        columns = ((f"{name}_only", f"min({name}_value) FILTER (WHERE {name}_it)"),)
        part = Part(f"{name}_only", columns, ((f"{name}_value", of.value),), of.reads)
        reads = self._read(part) | count.everything
        value = f"CASE WHEN {count.least} = 1 AND {count.most} = 1 THEN {self._of(f'{name}_only')} END"
        # Two that are certain decide it.
        several = f"{count.least} > 1 OR {count.least} IS NOT DISTINCT FROM {count.most}"
        doubt = Doubt((f"CASE WHEN {several} THEN NULL ELSE {count.doubt.sql} END",), reads) if count.doubt else CERTAIN
        return Fact(value, doubt, absent=True, reads=reads)

    def least(self, name: str, of: Fact, it: Truth = TRUE, *, absent_first: bool = False) -> Fact:
        """The least value of the rows that it is true of, a time or a number; absent without such a row.

        `absent_first`: a row without a value has the least, and then the result is absent; otherwise such rows do not count.
        """
        it = self.each & it
        more = [(f"{name}_of", of.value)]
        columns = [(name, f"min({name}_of) FILTER (WHERE {name}_it)")]
        doubt = self.missing
        reads: Reads = NOTHING
        if of.doubt:
            more.append((f"{name}_untold", f"CASE WHEN {of.value} IS NULL THEN {of.doubt.sql} END"))
            columns.append((f"{name}_untold", f"min({name}_untold) FILTER (WHERE {name}_it)"))
        valueless = f"{name}_of IS NULL" + (f" AND {name}_untold IS NULL" if of.doubt else "")
        first = absent_first and of.absent
        if first:
            columns.append((f"{name}_first", f"coalesce(bool_or({name}_it AND {valueless}), false)"))
        if it.doubt:
            # A row without a known value may have the least.
            none = f"{-MAX_TIME}" if first or not of.absent else f"CASE WHEN NOT ({valueless}) THEN {-MAX_TIME} END"
            columns.append((f"{name}_may", f"min(coalesce({name}_of, {none})) FILTER (WHERE {name}_it IS NULL)"))
        reads = self._aggregate(name, it, columns, more, of.everything)
        value = self._of(name)
        if of.doubt:
            doubt |= Doubt((self._of(f"{name}_untold"),), reads)
        if it.doubt:
            may = f"{self._of(f'{name}_may')} IS NOT NULL AND ({value} IS NULL OR {self._of(f'{name}_may')} < {value})"
            doubt |= Doubt((f"CASE WHEN {may} THEN {self._of(f'{name}_doubt')} END",), reads)
        doubt |= self._stray(name, it)[1]
        conditions = [f"{doubt.sql} IS NULL"] if doubt else []
        if first:
            conditions.append(f"NOT {self._of(f'{name}_first')}")
        found = f"CASE WHEN {' AND '.join(conditions)} THEN {value} END" if conditions else value
        return Fact(found, doubt, absent=True, reads=reads | doubt.reads)

    def greatest(self, name: str, of: Fact, it: Truth = TRUE, *, absent_last: bool = False) -> Count:
        """Bounds of the greatest value of the rows that it is true of, a time or a number; below all others without such a row.

        `absent_last`: a row without a value has the greatest, which is above all others; otherwise such rows do not count.
        """
        it = self.each & it
        if absent_last:
            of = of.total(lambda sql: f"coalesce({sql}, {ABOVE})")
        chosen = of.where(it)
        highest = of.value if not of.doubt else f"coalesce({of.value}, CASE WHEN {of.why.sql} IS NOT NULL THEN {ABOVE} END)"
        of_row = [(f"{name}_of", chosen.value), (f"{name}_may", f"CASE WHEN {it.value} IS NOT FALSE THEN {highest} END")]
        columns = [(f"{name}_min", f"max({name}_of)"), (f"{name}_max", f"max({name}_may)")]
        if chosen.doubt:
            of_row.append((f"{name}_why", chosen.why.sql))
            columns.append((f"{name}_why", f"min({name}_why)"))
        reads = self._read(Part(name, tuple(columns), tuple(of_row), chosen.everything | of.everything))
        stray = self._stray_bound(name, of_row[1], it.reads | of.everything)
        least, most = (f"coalesce({self._of(f'{name}_{bound}')}, {BELOW})" for bound in ("min", "max"))
        if stray.doubt:
            most = f"greatest({most}, {stray.most})"
        if self.missing:
            most = f"CASE WHEN {self.missing.sql} IS NULL THEN {most} END"
        doubt = self.missing | stray.doubt
        if chosen.doubt:
            doubt |= Doubt((self._of(f"{name}_why"),), reads)
        return Count(least, most, doubt, reads | stray.reads | doubt.reads)

    def _stray_bound(self, name: str, may: tuple[str, str], reads: Reads) -> Count:
        """Bounds of the greatest value of the rows with an unknown key, which may all belong elsewhere."""
        if self.strays is None:
            return Count(f"{BELOW}", f"{BELOW}")
        why = f"min({name}_stray) FILTER (WHERE {name}_may IS NOT NULL)"
        columns = ((f"{name}_max", f"max({name}_may)"), (f"{name}_why", why))
        part = Part(name, columns, (may, (f"{name}_stray", self.by.why.sql)), reads | self.by.everything)
        read = self._read(part, self.strays)
        most, doubt = f"coalesce({self.strays.alias}.{name}_max, {BELOW})", Doubt((f"{self.strays.alias}.{name}_why",), read)
        if self.single:
            most = f"CASE WHEN {self.join.alias}.subject IS NULL THEN {most} ELSE {BELOW} END"
            doubt = _unless_read(self.join, doubt)
        return Count(f"{BELOW}", most, doubt, read | doubt.reads)

    def latest(self, name: str, of: Fact, it: Truth = TRUE, *, absent_last: bool = False) -> Fact:
        """The greatest value of the rows that it is true of, a time or a number; absent without such a row, or a value.

        `absent_last`: it is absent, too, if one of these rows has no value; otherwise such rows do not count.
        """
        return settled(self.greatest(name, of, it, absent_last=absent_last), absent_last=absent_last)

    def hidden(self, name: str) -> Doubt:
        """Why there may be other rows than those that were read."""
        return self.missing | self._stray(name, self.each)[1]

    def doubt_of(self, name: str, of: Fact, it: Truth = TRUE) -> Doubt:
        """Why a fact is unknown in one of the rows that something is true of, or such a row may be missing."""
        it = self.each & it
        why = of.why.where(it)
        of_row = ((f"{name}_untold", why.sql),)
        columns = ((f"{name}_untold", f"min({name}_untold)"),)
        reads = self._read(Part(name, columns, of_row, why.reads))
        return self.missing | Doubt((self._of(f"{name}_untold"),), reads) | self._stray(name, it & ~of.is_known)[1]

    def the_one(self, name: str, of: Fact, it: Truth) -> Fact:
        """The value, which must be known, of the only row that it is true of; absent without such a row. At most one may exist,
        so where it is true of one, it does not matter that it is unknown of others.
        """
        it = self.each & it
        reads = self._aggregate(name, it, [(name, f"min({name}_of) FILTER (WHERE {name}_it)")], [(f"{name}_of", of.value)],
                                of.reads)  # fmt: skip
        doubt = self.missing | (Doubt((self._of(f"{name}_doubt"),), reads) if it.doubt else CERTAIN)
        doubt |= self._stray(name, it)[1]
        value = self._of(name)
        if doubt:
            doubt = Doubt((f"CASE WHEN {value} IS NULL THEN {doubt.sql} END",), reads | doubt.reads)
        return Fact(value, doubt, absent=True, reads=reads)

    def texts_of(self, name: str, of: Fact, it: Truth = TRUE, *, in_list: bool = False) -> Fact:
        """The sorted list of the different texts of the rows that it is true of; empty without one. `in_list`: each row has a
        list of texts.
        """
        items = self.items_of(name, of, it, in_list=in_list)
        if not items.doubt:
            return Fact(items.known, reads=items.reads)
        known = f"coalesce({self._of(name)}, {self.rows.sources.sql.texts(())})"
        return Fact(f"CASE WHEN {items.doubt.sql} IS NULL THEN {known} END", items.doubt, reads=items.everything)

    def items_of(self, name: str, of: Fact, it: Truth = TRUE, *, in_list: bool = False) -> Items:
        """The same list, as far as it is known."""
        it = self.each & it
        sql = self.rows.sources.sql
        distinct = sql.distinct_items if in_list else sql.distinct
        columns = [(name, distinct(f"{name}_of", f"{name}_it"))]
        more = [(f"{name}_of", of.value)]
        if of.doubt:
            more.append((f"{name}_untold", f"CASE WHEN {of.value} IS NULL THEN {of.doubt.sql} END"))
            columns.append((f"{name}_untold", f"min({name}_untold) FILTER (WHERE {name}_it IS NOT FALSE)"))
        reads = self._aggregate(name, it, columns, more, of.everything)
        doubt = self.missing
        if of.doubt:
            doubt |= Doubt((self._of(f"{name}_untold"),), reads)
        if it.doubt:
            doubt |= Doubt((self._of(f"{name}_doubt"),), reads)
        doubt |= self._stray(name, it)[1]
        none = f"CASE WHEN {doubt.sql} IS NULL THEN {sql.texts(())} END" if doubt else sql.texts(())
        return Items(f"coalesce({self._of(name)}, {none})", doubt, reads)


def groups(
    rows: Relation,
    alias: str,
    *,
    by: Fact,
    key: Fact,
    missing: Doubt = CERTAIN,
    missing_of_row: Doubt = CERTAIN,
    each: Truth = TRUE,
    own: bool = False,
    in_list: bool = False,
    single: bool = False,
    unplaced: Relation | None = None,
) -> Groups:
    """The `rows` whose fact `by` is the `key` of a row of the view, where `each` is true of them.

    `missing`: why rows may be missing, over the rows of the view; `missing_of_row`: the same over `rows`, for the groups of
    each. `own`: every row of the view is in its group itself, so that none is empty. `in_list`: `by` is a list, and a row is in
    the groups of all its items, which are different. `single`: where a row was read, no other one is missing, because two rows
    with one key are of the same thing. `unplaced`: the rows whose key is unknown, with the columns and the alias of `rows`,
    where these have none.
    """

    def inner(parts: Sequence[Part], where: str, subject: str = by.value, of: Relation = rows) -> str:
        shown = [f"{subject} AS subject", *(f"{sql} AS {name}" for part in parts for name, sql in part.of_row)]
        inside = joined({*by.reads, *each.reads, *(read for part in parts for read in part.reads)})
        conditions = [where] if where else []
        if each is not TRUE:
            conditions.append(f"{each.value} IS NOT FALSE")
        filtered = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {', '.join(shown)} FROM {of.sql} {inside}{filtered}"

    def clause(parts: Sequence[Part]) -> str:
        columns = ", ".join(f"{sql} AS {name}" for part in parts for name, sql in part.columns)
        known = "" if own else f"{by.value} IS NOT NULL" if by.absent or by.doubt else ""
        subject = rows.sources.sql.each(by.value) if in_list else by.value
        shown = ", ".join(filter(None, ("subject", columns)))
        query = f"SELECT {shown} FROM ({inner(parts, known, subject)}) GROUP BY subject"
        return f"{'' if own else 'LEFT '}JOIN ({query}) AS {alias} ON {alias}.subject = {key.value}"

    def stray(parts: Sequence[Part]) -> str:
        columns = ", ".join(f"{sql} AS {name}" for part in parts for name, sql in part.columns)
        nameless = f"{by.why.sql} IS NOT NULL"
        return f"CROSS JOIN (SELECT {columns} FROM ({inner(parts, nameless, of=unplaced or rows)})) AS {alias}_stray"

    choosing = by.everything | each.everything
    if isinstance(rows, Rows) and not (own or missing or missing_of_row):
        # Without a list that must have been read, it is as certain as its table.
        choosing |= rows.listed
    join = Join(alias, clause, key.reads, choosing)
    strays = Join(f"{alias}_stray", stray, NOTHING, choosing) if by.doubt else None
    doubt = key.why | (_unless_read(join, missing) if single else missing)
    if missing_of_row:
        part = Part(_OF_ROWS, ((_OF_ROWS, f"min({_OF_ROWS})"),), ((_OF_ROWS, missing_of_row.sql),), missing_of_row.reads)
        doubt |= Doubt((f"{alias}.{_OF_ROWS}",), frozenset({(join, part)}))
    return Groups(rows, join, strays, by, own, doubt, each, single)


def _unless_read(join: Join, doubt: Doubt) -> Doubt:
    """The doubt where no row of the group was read."""
    if not doubt:
        return doubt
    reads: Reads = frozenset({(join, Part("found"))})
    return Doubt((f"CASE WHEN {join.alias}.subject IS NULL THEN {doubt.sql} END",), doubt.reads | reads)
