"""The flags that choose an engine: DuckDB on this machine, or Spark on a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer

from keyaudit.model.errors import UsageError
from keyaudit.model.extras import installing


class Engine(StrEnum):
    """What reads and evaluates."""

    DUCKDB = "duckdb"
    SPARK = "spark"


Master = Annotated[
    str | None,
    typer.Option("--master", metavar="URL", help="Spark's master: local[*], spark://HOST:PORT, yarn or k8s://URL."),
]


def check(engine: Engine, **needed: object) -> None:
    """Raises UsageError for a flag, by its name, that Spark needs and does not have, or that only Spark takes."""
    for name, value in needed.items():
        flag = f"--{name}"
        if engine is Engine.SPARK and not value:
            raise UsageError("--engine spark", f"needs {flag}", f"add {flag}")
        if engine is not Engine.SPARK and value:
            raise UsageError(flag, "applies only to --engine spark", "leave it out, or add --engine spark")


@contextmanager
def importing_spark() -> Iterator[None]:
    """Turns the ImportError of what imports pyspark into UsageError."""
    try:
        yield
    except ImportError as error:
        raise UsageError("--engine spark", f"needs {error.name}, which is not installed", installing("spark")) from error
