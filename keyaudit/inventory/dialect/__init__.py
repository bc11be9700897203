"""The SQL dialects of two engines. Every literal is quoted here. That of SQLite is not imported here: some builds of Python
have none.

All dialects answer the same for the same arguments, except where a method says otherwise.
"""

from keyaudit.inventory.dialect.duckdb import DuckDB
from keyaudit.inventory.dialect.spark import Spark

__all__ = ["DUCKDB", "SPARK", "DuckDB", "Spark"]

DUCKDB = DuckDB()
SPARK = Spark()
