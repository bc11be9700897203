"""The differential of two engines: what DuckDB answers about a snapshot, the other one answers, too, row for row."""

SETTINGS = """\
spark.driver.memory 2g
spark.ui.enabled false
spark.sql.adaptive.enabled false
spark.sql.shuffle.partitions 2
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""
"""Spark's for few rows, where compiling costs more than it saves."""
