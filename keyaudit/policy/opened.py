"""The conditions of `model.opens`, checked against the columns of their table."""

from functools import cache

from keyaudit.model.columns import Table
from keyaudit.model.opens import ALWAYS, OPENS
from keyaudit.model.severity import Opens
from keyaudit.model.tables import TABLES
from keyaudit.policy.syntax import condition
from keyaudit.policy.types import Every, Term


def opened(table: Table) -> tuple[tuple[Opens, Term], ...]:
    """What a row of the table opens, from above; a condition without terms is that of every row."""
    return _opened(table.name)


@cache
def _opened(name: str) -> tuple[tuple[Opens, Term], ...]:
    return tuple(
        (opens, Every(()) if text == ALWAYS else condition(text, TABLES[name], {}).tree) for opens, text in OPENS[name].items()
    )
