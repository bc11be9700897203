"""Reads logs with Spark: each file by one executor, by the same code as on one machine, wherever Spark can read it."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from pyspark import SparkContext
from pyspark.sql import SparkSession

from keyaudit import __version__
from keyaudit.inventory.logs.token import Token
from keyaudit.inventory.logs.use import FileRead, Use
from keyaudit.inventory.spark import FAILURES, MASTER, reason
from keyaudit.logs.files.archives import Opened, open_log
from keyaudit.logs.files.read import LogFile, files_below
from keyaudit.logs.storing.spark import Found, Log
from keyaudit.logs.storing.write import Import
from keyaudit.model.errors import UsageError
from keyaudit.model.values.text import one_line

if TYPE_CHECKING:
    from pyspark import RDD

WHOLE = 256 * 1024 * 1024
"""The most bytes of a remote file: Spark hands such a file over as a whole, and an executor has to hold it twice."""
_FEWEST, _MOST = 1024 * 1024, 32 * 1024 * 1024
"""Small files are read together by one task: up to so many bytes, or fewer, for at least four tasks a processor."""
_GLOB = re.compile(r"[*?\[\]{}\\,]")


class Listed(Struct, frozen=True):
    """A file of logs. `local`: its absolute path, if each node reads it as a file."""

    name: str
    path: str
    size: int
    local: bool


def find_logs(paths: Iterable[str], spark: SparkSession) -> Found:
    """The files at these paths and in these folders, in the order of their names.

    Paths without a scheme belong to the default file system of Spark. Raises UsageError for what cannot be read.
    """
    listed: list[Listed] = []
    for path in paths:
        scheme, qualified = _qualified(spark, path)
        listed += _local(path) if scheme == "file" else _remote(spark, path, qualified)
    return Found([file.name for file in listed], _logs_of(spark.sparkContext, listed))


def _logs_of(context: SparkContext, listed: Sequence[Listed]) -> "Sequence[RDD[Log]]":
    """These files, each to be read by one task; a file's number is its position."""
    remote = defaultdict[str, list[tuple[int, Listed]]](list)
    for number, file in enumerate(listed):
        if not file.local and not _hidden(file):
            remote[file.path].append((number, file))
    most = sum(file.size for file in listed) // (4 * context.defaultParallelism)
    most = max(_FEWEST, min(most, _MOST))
    others = list(_tasks(((number, file) for number, file in enumerate(listed) if file.path not in remote), most))
    found = []
    if others:
        found.append(context.parallelize(others, len(others)).flatMap(partial(_local_logs, __version__)))
    if remote:
        pattern = ",".join(_GLOB.sub("?", path) for path in remote)
        tasks = list(_tasks((same[0] for same in remote.values()), most))
        found.append(context.binaryFiles(pattern, len(tasks)).flatMap(partial(_whole_log, __version__, remote)))
    return found


def _qualified(spark: SparkSession, path: str) -> tuple[str, Any]:
    """The scheme of a path's file system, and the path as Hadoop has it."""
    context = spark.sparkContext
    try:
        named = context._jvm.org.apache.hadoop.fs.Path(path)
        system = named.getFileSystem(context._jsc.hadoopConfiguration())
        return str(system.getUri().getScheme()), system.makeQualified(named)
    except FAILURES as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> UsageError:
    return UsageError(one_line(path, 1024), f"cannot be read: {reason(error)}", "name a path that Spark reads")


def _local(path: str) -> Iterator[Listed]:
    given = Path(path.removeprefix("file:").removeprefix("//") if path.startswith("file:") else path)
    for file in files_below(given):
        try:
            size = file.stat().st_size
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise UsageError(one_line(str(file), 1024), what, "name a readable file") from error
        yield Listed(one_line(str(file), 1024), str(file.absolute()), size, local=True)


def _remote(spark: SparkSession, path: str, qualified: Any) -> list[Listed]:
    context = spark.sparkContext
    found = []
    try:
        system = qualified.getFileSystem(context._jsc.hadoopConfiguration())
        below = system.listFiles(qualified, True)
        while below.hasNext():
            status = below.next()
            found.append((status.getPath().toString(), status.getLen()))
    except FAILURES as error:
        raise _unreadable(path, error) from error
    if not found:
        raise UsageError(one_line(path, 1024), "an empty folder", "name files, or folders of them")
    listed = [Listed(one_line(name, 1024), name, size, local=False) for name, size in sorted(found, key=_in_order)]
    for file in listed:
        if file.size > WHOLE:
            what = f"{file.size:,} bytes, and Spark reads at most {WHOLE:,} of a remote file"
            raise UsageError(file.name, what, "divide it, or mount the storage on every node and name file:/PATH")
    return listed


def _in_order(found: tuple[str, int]) -> list[str]:
    return found[0].split("/")


def _hidden(file: Listed) -> bool:
    """Whether Spark leaves it out because of its name."""
    return file.path.rpartition("/")[2].startswith(("_", "."))


def _tasks(numbered: Iterable[tuple[int, Listed]], most: int) -> Iterator[list[tuple[int, Listed]]]:
    """The files in order, small ones together, up to `most` bytes."""
    task: list[tuple[int, Listed]] = []
    size = 0
    for number, file in numbered:
        if task and size + file.size > most:
            yield task
            task, size = [], 0
        task.append((number, file))
        size += file.size
    if task:
        yield task


def _local_logs(version: str, task: Sequence[tuple[int, Listed]]) -> Iterator[Log]:
    for number, file in task:
        if file.local:
            yield _log(version, number, file, partial(open_log, Path(file.path)))
        else:
            yield Log(number, Import(), iter([_left_out(file)]))


def _whole_log(version: str, listed: Mapping[str, Sequence[tuple[int, Listed]]], found: tuple[str, bytes]) -> Iterator[Log]:
    path, content = found
    # A pattern may match more files than it is for, and a file may be named twice.
    for number, file in listed.get(path, ()):
        yield _log(version, number, file, lambda: Opened(BytesIO(content)))


def _log(version: str, number: int, file: Listed, opened: Callable[[], Opened]) -> Log:
    known = Import()

    def records() -> Iterator[Use | Token | FileRead]:
        if version != __version__:
            what = f"its executors have keyaudit {__version__}, and this is {version}"
            raise UsageError(MASTER, what, "install the same version on every node")
        yield from LogFile(file.name, opened(), known).read()

    return Log(number, known, records())


def _left_out(file: Listed) -> FileRead:
    return FileRead(
        file=file.name,
        size=file.size,
        sha256=hashlib.sha256().hexdigest() if not file.size else "",
        form="" if file.size else "empty",
        complete=not file.size,
        sources={},
        unread=bool(file.size),
        trouble=("Spark reads no file with a name that starts with _ or .",) if file.size else (),
    )
