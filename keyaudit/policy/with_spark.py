"""Evaluates the views of a snapshot with Spark."""

# ruff: noqa: S608 - a query is made of declared names and of literals, each quoted by the dialect

from collections.abc import Mapping, Sequence

from keyaudit.inventory.dialect import SPARK
from keyaudit.inventory.scores import SCALES, prepared
from keyaudit.inventory.with_spark import WithSpark
from keyaudit.model.tables import TABLES
from keyaudit.policy.bind import Bound
from keyaudit.policy.engine import Entry
from keyaudit.policy.queries import BASELINE, Scoring, judged, with_scores


class InSpark:
    """Evaluates the views of `spark`, and shows all of them to its connection."""

    def __init__(self, spark: WithSpark, as_of: int) -> None:
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

    def scored(self, scoring: Scoring, relations: Mapping[str, str]) -> dict[str, str]:
        """Those with scores are written."""
        found = {name: with_scores(scoring, relation, name, self._as_of) for name, relation in relations.items()}
        for name in () if scoring is Scoring.NONE else sorted(SCALES.keys() & found.keys()):
            for statement in prepared(name, self._as_of, SPARK):
                self._spark.execute(statement)
            found[name] = f"scored_{name}"
            self._spark.write(found[name], f"SELECT * FROM {with_scores(scoring, relations[name], name, self._as_of, SPARK)}")
        return found
