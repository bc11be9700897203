"""A session of Spark for one command: started by the URL of a master, with nothing on stderr, and errors in one line."""

import contextlib
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from keyaudit.inventory.dialect import SPARK
from keyaudit.model.errors import AccessError, UsageError
from keyaudit.model.values.text import one_line

ENGINE, MASTER = "--engine spark", "--master"
FAILURES = (Py4JError, PySparkException, ConnectionError)
"""The errors of Spark, and of the connection to its JVM."""
_LOCAL = re.compile(r"local(\[(\*|\d+)(, *\d+)?\])?")
_CLUSTER = re.compile(r"yarn|k8s://\S+")
_STANDALONE = re.compile(r"spark://(?P<hosts>[^\s:,]+:\d{1,5}(,[^\s:,]+:\d{1,5})*)")
# https://github.com/apache/spark/blob/master/python/pyspark/errors/error-conditions.json: PYTHON_VERSION_MISMATCH
_VERSIONS = re.compile(r"Python in worker has different version: (?P<worker>[\d.]+) than that in driver: (?P<driver>[\d.]+\d)")
_PATIENCE = 10
"""The seconds that a master has for accepting a connection, and a JVM for its end."""
_SETTINGS = {
    "spark.app.name": "keyaudit",
    "spark.ui.showConsoleProgress": "false",
    # The dialect is written for these.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.variable.substitute": "false",
    "spark.sql.legacy.sizeOfNull": "false",
    # Workers start as `python -m`, which imports modules from the current folder, too.
    "spark.executorEnv.PYTHONSAFEPATH": "1",
    # A lost file has to end the job, and not to be left out.
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.files.ignoreCorruptFiles": "false",
    "spark.files.ignoreMissingFiles": "false",
    # Many paths are listed by a job of their own otherwise, with a task for each.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000000",
    # Rows of logs compress ten times and more, and have to be sorted in memory.
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "16m",
    # keyaudit writes each file to a path of its own.
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}
_ALONE = {"spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
"""Settings of a master that is this process: nothing listens to other machines."""


@contextlib.contextmanager
def session(master: str, tables: Path | None = None) -> Iterator[SparkSession]:
    """A session, stopped after the block. Everything else is configured where Spark looks for it, as in SPARK_CONF_DIR.

    `tables`: the folder for the tables that its statements create, which every node has under the same path.

    Raises UsageError without a Java runtime, for what is not the URL of a master, and for executors without keyaudit;
    AccessError if the master does not answer, or a job fails in the block.
    """
    local = _known(master)
    _require_java()
    conf = SparkConf(loadDefaults=False).setMaster(master)
    for name, value in (_SETTINGS | (_ALONE if local else {})).items():
        conf.set(name, value)
    if tables is not None:
        conf.set("spark.sql.warehouse.dir", uri(tables))
    with tempfile.TemporaryFile() as log, _silent(), contextlib.ExitStack() as stack:
        try:
            context = stack.enter_context(_context(conf, log))
        except FAILURES as error:
            raise AccessError(MASTER, f"Spark did not start: {_last(log)}", "change its configuration or the master") from error
        if local:
            context.pythonExec = sys.executable
        # An error asks the JVM for its text, so that it is translated before the JVM ends.
        try:
            yield SparkSession(context)
        except FAILURES as error:
            raise _translated(error, log) from error


def uri(path: Path) -> str:
    """A local path, for Spark to write to."""
    return f"file://{path}"


def read(spark: SparkSession, name: str, paths: Sequence[Path]) -> None:
    """Creates a view of Parquet files."""
    spark.read.parquet(*map(pattern, paths)).createOrReplaceTempView(SPARK.name(name))


def pattern(path: Path) -> str:
    """A local path, for Spark to read, which reads every path as a glob."""
    return "".join(f"\\{character}" if character in "*?[]{}\\" else character for character in uri(path))


def _known(master: str) -> bool:
    """Whether a master is this process. Raises UsageError if it is no master, AccessError if nothing listens there."""
    if _LOCAL.fullmatch(master):
        return True
    if _CLUSTER.fullmatch(master):
        return False
    found = _STANDALONE.fullmatch(master)
    if not found:
        raise UsageError(
            MASTER, f"not a master: {one_line(master, 200)!r}", "name local[*], spark://HOST:PORT, yarn or k8s://URL"
        )
    why = ""
    for host, _, port in (each.rpartition(":") for each in found["hosts"].split(",")):
        try:
            with socket.create_connection((host, int(port)), timeout=_PATIENCE):
                return False
        except (OSError, OverflowError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
    raise AccessError(MASTER, f"{one_line(master, 200)} does not answer: {why}", "start the cluster, or name its master")


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=str(Path(home, "bin")) if home else None):
        what = "needs a Java runtime, and JAVA_HOME has none" if home else "needs a Java runtime, which is not installed"
        raise UsageError(ENGINE, what, "install Java 17 or newer, or set JAVA_HOME")


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Without what Spark's libraries log and warn of, since their errors are raised as well."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _context(conf: SparkConf, log: IO[bytes]) -> Iterator[SparkContext]:
    """A context in a JVM of its own, which writes to `log`, both stopped after the block."""
    gateway = launch_gateway(conf, {"stdout": log, "stderr": log})
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        context = SparkContext(conf=conf, gateway=gateway)
        # Spark's own handler asks the JVM to cancel jobs, and may wait for an answer to another question.
        signal.signal(signal.SIGINT, interrupt)
        try:
            yield context
        finally:
            with contextlib.suppress(*FAILURES, OSError):
                context.stop()
    finally:
        # Another session of this process would use a JVM that has ended, or find a context that could not be stopped.
        SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
        with contextlib.suppress(*FAILURES, OSError):
            gateway.shutdown()
        # The JVM ends when its stdin is closed.
        gateway.proc.stdin.close()
        try:
            gateway.proc.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            gateway.proc.kill()
            gateway.proc.wait()


def _translated(error: Exception, log: IO[bytes]) -> Exception:
    text = ""
    # A JVM that has ended does not tell any more.
    with contextlib.suppress(*FAILURES, OSError):
        text = str(error)
    if "No module named 'keyaudit" in text:
        return UsageError(MASTER, "its executors have no keyaudit", "install the same version on every node")
    if versions := _VERSIONS.search(text):
        what = f"its executors have Python {versions['worker']}, and this is Python {versions['driver']}"
        return UsageError(MASTER, what, f"install Python {versions['driver']} on every node, and name it with PYSPARK_PYTHON")
    if "org.apache.spark.api.python.PythonException" in text:
        return error
    why = reason(error)
    if not why or "SparkContext" in why:
        # Spark has stopped, and the error is that of the next thing that was asked of it.
        why, text = _last(log), _written(log)
    if "java.lang.OutOfMemoryError" in text:
        what = "spark.driver.memory with local, spark.executor.memory on a cluster"
        return AccessError(MASTER, "Spark had too little memory", f"give it more: {what}")
    return AccessError(MASTER, f"Spark failed: {why}", "see the log of its executors, and run it again")


def reason(error: Exception) -> str:
    """The first line of the error's last cause; empty if Spark names none."""
    cause: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    with contextlib.suppress(*FAILURES, OSError):
        while cause is not None and cause.getCause() is not None:
            cause = cause.getCause()
        if cause is not None:
            return one_line(str(cause.getMessage() or cause.toString()).partition("\n")[0], 300)
    return one_line(str(error).partition("\n")[0], 300) if isinstance(error, PySparkException) else ""


def _last(log: IO[bytes]) -> str:
    """The last error that the JVM wrote."""
    lines = _written(log).splitlines()
    found = [line for line in lines if "Exception" in line or "Error" in line or "ERROR" in line]
    return one_line((found or ["its JVM ended"])[-1], 300)


def _written(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")
