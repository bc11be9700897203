"""Evaluates the views of a snapshot with Spark."""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Mapping, Sequence

from keyaudit.inventory.dialect import SPARK
from keyaudit.inventory.reader import Connection
from keyaudit.inventory.with_spark import WithSpark
from keyaudit.model.tables import TABLES
from keyaudit.policy.evaluation.binding import Bound
from keyaudit.policy.evaluation.engine import Entry
from keyaudit.policy.evaluation.queries import BASELINE, judged


class InSpark:
    """Evaluates the views of `spark`, and shows all of them to its connection, which is the reader's."""

    def __init__(self, spark: WithSpark, as_of: int) -> None:
        self.reader = Connection(spark.connection)
        self.again = ""
        self._spark = spark
        self._as_of = as_of

    def create_baseline(self, entries: Sequence[Entry]) -> None:
        self._spark.table(
            BASELINE, {"policy": "VARCHAR", "subject": "VARCHAR", "rank": "INTEGER", "because": "VARCHAR"}, entries
        )

    def judged(self, of_tables: Mapping[str, Sequence[Bound]]) -> dict[str, str]:
        """Every relation is written."""
        names = {name: f"judged_{name}" for name in of_tables}
        for name, of_table in of_tables.items():
            self._spark.write(names[name], f"SELECT * FROM {judged(TABLES[name], of_table, self._as_of, sql=SPARK)}")
        for name in TABLES:
            self._spark.show(name, names.get(name))
        return names
