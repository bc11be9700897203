"""`python -m tests.differential spark [--estate NAME ...] [--view NAME ...]`: does Spark answer what DuckDB answers?

Every view and policy of each estate is compared row for row. Needs pyspark and a Java runtime. The exit code is 1 unless
all agree.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from keyaudit.inventory.spark import session
from tests.differential import SETTINGS
from tests.differential.compared import Compared, Found
from tests.differential.estates import EVERY, made


@contextmanager
def spark(work: Path) -> Iterator[SparkSession]:
    """A session as the program starts it, made for little data on this machine."""
    settings = work / "settings"
    settings.mkdir()
    (settings / "spark-defaults.conf").write_text(SETTINGS, encoding="utf-8")
    os.environ["SPARK_CONF_DIR"] = str(settings)
    with session("local[2]", work / "tables") as started:
        yield started


def main() -> int:
    """Print each comparison, those that differ with the reason, and last the counts."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential")
    parser.add_argument("engine", choices=("spark",))
    parser.add_argument("--estate", action="append", metavar="NAME", help=f"all: {', '.join(EVERY)}")
    parser.add_argument("--view", action="append", metavar="NAME", help="only these views and the policies of these tables")
    asked = parser.parse_args()
    found: list[Found] = []
    with tempfile.TemporaryDirectory() as folder, spark(Path(folder)) as started:
        for number, name in enumerate(asked.estate or EVERY):
            work = Path(folder, str(number))
            work.mkdir()
            print(f"{name}:", flush=True)
            compared = Compared(made(name, work), started, work, lambda view: not asked.view or view in asked.view)
            for each in compared.all():
                found.append(each)
                print(f"  {each.kind} {each.name}, {each.rows:,} rows: {each.why or 'agrees'}", flush=True)
    counts, differ = Counter(each.kind for each in found), [each for each in found if each.why]
    for each in differ:
        print(f"{each.kind} {each.name}: {each.why}")
    print(f"{counts['view']} views, {counts['policy']} policies compared, {len(differ)} differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
