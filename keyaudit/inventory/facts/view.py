"""A view: the stored columns of a table, its derived facts, and the reasons of all that is unknown."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Mapping

from keyaudit.inventory.facts.fact import Count, Derived, Items
from keyaudit.inventory.facts.joins import joined
from keyaudit.inventory.facts.sql import Sources, Wanted, extended, stored


def view(table: str, sources: Sources, facts: Mapping[str, Derived], wanted: Wanted) -> str:
    """SQL of the view of `table` with those of `facts` that are `wanted`, by derived column; a Count has two.

    A relation that no wanted fact reads is not joined.
    """
    shown: list[str] = []
    names: list[str] = []
    reasons: dict[str, str] = {}
    read = {name: fact for name, fact in facts.items() if name in wanted}
    if not read:
        return f"SELECT {stored(table, 'stored')}, stored.unknown FROM {sources[table]} AS stored"
    for name, fact in read.items():
        if isinstance(fact, Count):
            columns = {f"{name}_min": fact.least, f"{name}_max": fact.most}
            unknown = f"{name}_min IS DISTINCT FROM {name}_max"
        elif isinstance(fact, Items):
            columns, unknown = {name: fact.known}, ""
        else:
            columns = {name: fact.value}
            unknown = "" if fact.exact else f"{name} IS NULL"
        names += columns
        shown += (f"{sql} AS {column}" for column, sql in columns.items())
        if fact.doubt:
            # It becomes a column first, because `extended` uses it twice.
            shown.append(f"{fact.doubt.sql} AS why_{name}")
            reasons[name] = f"CASE WHEN {unknown} THEN why_{name} END" if unknown else f"why_{name}"
    inner = ", ".join(("stored.*", *shown))
    joins = joined({each for fact in read.values() for each in fact.everything})
    return f"""
        SELECT {", ".join((stored(table, "stored"), *names))}, {extended(sources.sql, reasons)}
        FROM (SELECT {inner} FROM {sources[table]} AS stored {joins}) AS stored"""
