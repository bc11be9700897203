"""The SQL dialects of three engines. Every literal is quoted here.

All dialects answer the same for the same arguments, except where a method says otherwise.
"""

from keyaudit.inventory.dialect.duckdb import DuckDB
from keyaudit.inventory.dialect.spark import Spark
from keyaudit.inventory.dialect.sqlite import SQLite

__all__ = ["DUCKDB", "SPARK", "SQLITE", "DuckDB", "SQLite", "Spark"]

DUCKDB = DuckDB()
SPARK = Spark()
SQLITE = SQLite()
