"""`keyaudit usage import --engine spark`: the same store as on one machine, or no store and one line that says why."""

import contextlib
import datetime
import gzip
import importlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from msgspec import structs

from keyaudit.inventory.dialect import DUCKDB, SPARK, DuckDB
from keyaudit.inventory.load import parquet
from keyaudit.inventory.logs import LogStore, open_logs
from keyaudit.inventory.logs.manifest import COLUMNS, USES
from keyaudit.inventory.logs.token import TOKENS
from keyaudit.inventory.manifest import File
from keyaudit.inventory.usage.baseline import open_baseline
from keyaudit.inventory.usage.learn import learn, window_of
from keyaudit.logs.check.check import check
from keyaudit.logs.files.read import read_logs
from keyaudit.logs.storing import parts
from keyaudit.logs.storing.write import Import, write_logs
from keyaudit.model.errors import UsageError
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY
from tests import needs
from tests.bench.usage import make
from tests.cli.conftest import Keyaudit
from tests.collect.usage import forms, made
from tests.collect.usage.made import TENANT
from tests.collect.usage.rig import ENCODED, written

# Few rows are read: to compile for many takes longer.
SETTINGS = (
    "spark.driver.memory 1g\nspark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC\n"
    "spark.sql.codegen.wholeStage false\nspark.sql.codegen.factoryMode NO_CODEGEN\n"
    "spark.hadoop.fs.viewfs.mounttable.cluster.link./of file://{}\n"
)
ON = list(COLUMNS[USES]).index("used_on")
IMPORT = ("usage", "import", "--engine", "spark", "--master", "local[2]")
HOSTILE = (
    "\u0130\u03a3\u03a3 \u00c4/9 (x) v1.2 \u2003",
    "'; DROP TABLE uses --",
    "\\' OR ${x}",
    "a\u0000b",
    "\U0001f511" * 150,
    "\u3000 I\u0307 \u3000",
    "x\ny\u000b1",
    "(((/)",
    "",
)
UTI = ("JgW9XEOQM0WNakyHMghCAA", "mYyWp_-UrEa4Z_pZM7FlAA", "mYyWp_-UrEa4Z_pZM7FlAA==", "no form of Entra", "")
NETWORKS = (
    *("10.1.2.3", "10.1.2.3\n", "::ffff:10.1.2.3", "2001:DB8::1", "::", "1::2::3", "::1", "2001:0db8:0000::"),
    *("\u0660.1.2.3", "host", "1:2:3:4:5:6:7:8:9:10"),
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that Spark also has as viewfs://cluster/of, and one JVM for all commands that run in this process."""
    needs.program("java")
    needs.module("pyspark")
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "settings").mkdir()
    (folder / "settings" / "spark-defaults.conf").write_text(SETTINGS.format(folder))
    module = importlib.import_module("keyaudit.inventory.spark")
    started = module._context
    begun: list[object] = []
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:

        @contextlib.contextmanager
        def context(*arguments: object) -> Iterator[object]:
            if not begun:
                begun.append(stack.enter_context(started(*arguments)))
            yield begun[0]

        patch.setattr(module, "_context", context)
        patch.setenv("SPARK_CONF_DIR", str(folder / "settings"))
        yield folder


@pytest.fixture
def at(cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for logs, which `remote` has under another name."""
    monkeypatch.setattr(parts, "FEW", 200)
    return cluster / tmp_path.name


def remote(at: Path) -> str:
    """A folder of logs, by a name that is no local path to Spark."""
    return f"viewfs://cluster/of/{at.name}"


def records(chance: random.Random) -> list[made.Event]:
    """Records of three logs over four months, some of them hostile."""
    found = []
    kinds = ((made.requests, made.kv_record), (made.sign_ins, made.sign_in_record), (made.mail, made.mail_audit))
    for number in range(600):
        events, shape = chance.choice(kinds)
        found.append(_varied(shape(chance.choice(events())), number, chance))
    return found


def _varied(record: made.Event, number: int, chance: random.Random) -> made.Event:
    """It again at another time, and by another client."""
    # Few are in each of the later months.
    on = made.START + datetime.timedelta(hours=number if number < 560 else 100 * number - 55_440)
    time_, id_ = made.iso(on), made.guid(98, number)
    if "Id" in record:
        mailbox = chance.choice(["a@contoso.example", "B@\u0130\u03a3.EXAMPLE", "@", "nobody", "x@y@Z\u00c9"])
        with_client: made.Event = {"ClientInfoString": chance.choice(HOSTILE), "ClientIPAddress": chance.choice(NETWORKS)}
        token = {"UniqueTokenId": chance.choice(UTI), "IssuedAtTime": time_[:19]}
        with_client["AppAccessContext"] = chance.choice([None, token])
        return {**record, "CreationTime": time_[:19], "Id": id_, "MailboxOwnerUPN": mailbox, **with_client}
    if record["category"] == "AuditEvent":
        properties = {**record["properties"], "clientInfo": chance.choice(HOSTILE)}
        return {
            **record,
            "time": time_,
            "correlationId": id_,
            "callerIpAddress": chance.choice(NETWORKS),
            "properties": properties,
        }
    properties = {**record["properties"], "id": id_, "createdDateTime": time_, "ipAddress": chance.choice(NETWORKS)}
    properties["uniqueTokenIdentifier"] = chance.choice(UTI)
    return {**record, "time": time_, "properties": properties}


def logs(folder: Path, seed: int) -> Path:
    """Files of logs: shuffled, repeated, cut, gzip and not, damaged, empty, and of other formats."""
    chance = random.Random(seed)
    folder.mkdir()
    found = records(chance)
    for number in range(6):
        some = chance.sample(found, 300)
        text = forms.lines(some) if number % 2 else forms.listed(some)
        encoded = list(ENCODED.values())[number](text)
        (folder / f"{number}, [{'ab'[number % 2]}]*.json").write_bytes(encoded)
    (folder / "again.gz").write_text(forms.lines(found))
    (folder / "cut").write_text(forms.listed(found)[:-70])
    (folder / "cut-line").write_text(forms.lines(found)[:-70])
    (folder / "cut-gzip").write_bytes(gzip.compress(forms.lines(found).encode())[:-9])
    packed = [gzip.compress(forms.lines(some).encode()) for some in (found[:9], found[9:])]
    (folder / "padded.gz").write_bytes(bytes(300_000).join(packed))
    (folder / "followed.gz").write_bytes(packed[0] + bytes(300_000) + b"more")
    (folder / "plain.gz").write_bytes(b"\x1f\x8b\x08 no gzip")
    (folder / "bad").write_bytes(b'{"time": "\xff"}\n[]\n' + forms.lines(found[:3]).encode() + b'{"time": 1}\n')
    (folder / "_empty").write_bytes(b"")
    for form in forms.FORMS:
        written(folder / form, form)
    return folder


def on_one_machine(folder: Path, at: Path, earlier: LogStore | None = None) -> LogStore:
    known = Import(earlier.tenant_id if earlier else None)
    return write_logs(folder, read_logs([at], known), known, earlier)


def assert_same(spark: LogStore, duckdb_: LogStore, at: tuple[str, str] = (".", ".")) -> None:
    """Two stores have the same coverage, the same uses in the same order, and the same groups.

    `at`: the folder of the logs as Spark has it, and on this machine.
    """
    assert json.loads(_local(msgspec.json.encode(spark.files).decode(), at)) == json.loads(msgspec.json.encode(duckdb_.files))
    one, other = spark.manifest, duckdb_.manifest
    assert one.days == other.days
    assert one.reduced == other.reduced
    for table in {*one.tables} - {TOKENS}:
        assert rows(spark, one.tables[table].files) == rows(duckdb_, other.tables[table].files)
    assert tokens(spark) == tokens(duckdb_)
    assert [(part.source, part.period) for part in one.parts] == [(part.source, part.period) for part in other.parts]
    for part, same in zip(one.parts, other.parts, strict=True):
        found = [
            tuple(_local(value, at) if isinstance(value, str) else value for value in row) for row in rows(spark, part.files)
        ]
        assert found == rows(duckdb_, same.files) == sorted(found, key=lambda row: (row[ON], row[0]))
    spark.verify()


def tokens(store: LogStore) -> list[tuple[Any, ...]]:
    """The rows of tokens, with the number of rows of each id, since each store hashes ids with a key of its own."""
    found = rows(store, store.manifest.tables[TOKENS].files)
    at = list(COLUMNS[TOKENS]).index("token")
    ids = Counter(row[at] for row in found)
    return sorted(((*row[:at], row[at] and ids[row[at]], *row[at + 1 :]) for row in found), key=str)


def _local(text: str, at: tuple[str, str]) -> str:
    return text.replace(*at)


def rows(store: LogStore, of: Sequence[File]) -> list[tuple[Any, ...]]:
    """The rows of files of a store, in their order."""
    if not of:
        return []
    with duckdb.connect() as connection:
        return connection.execute(f"FROM {parquet(*(store.folder / file.path for file in of))}").fetchall()


@pytest.mark.exhaustive
def test_both_engines_write_the_same_store(
    keyaudit: Keyaudit, at: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importlib.import_module("keyaudit.logs.storing.spark")
    monkeypatch.setattr("keyaudit.logs.storing.spark.AT_ONCE", 20)
    first, second = logs(at, 1), logs(tmp_path / "second [1]", 2)
    ran = keyaudit(*IMPORT, "--logs", first, "--out", tmp_path / "spark {1}")
    assert (ran.err, ran.code) == ("", 3)
    found, earlier = open_logs(tmp_path / "spark {1}"), on_one_machine(tmp_path / "duckdb", first)
    assert_same(found, earlier)
    reads = [read for file in found.files for read in file.sources.values()]
    assert any(read.quarantined for read in reads)
    assert any(read.duplicate for read in reads)
    assert {part.until - part.since == DAY for part in found.manifest.parts} == {True, False}
    assert {len(part.files) > 1 for part in found.manifest.parts} == {True, False}
    ran = keyaudit(*IMPORT, "--logs", f"file:{second}", "--merge", found.folder, "--out", tmp_path / "spark")
    assert (ran.err, ran.code) == ("", 3)
    merged, whole = open_logs(tmp_path / "spark"), on_one_machine(tmp_path / "duckdb-2", second, earlier)
    assert_same(merged, whole)
    assert findings(merged, tmp_path / "a") == findings(whole, tmp_path / "b")


@pytest.mark.exhaustive
def test_a_remote_folder_is_read_as_a_local_one(keyaudit: Keyaudit, at: Path, tmp_path: Path) -> None:
    logs(at, 3)
    (at / ".hidden").write_bytes(b"{}")
    out = tmp_path / "spark"
    ran = keyaudit(*IMPORT, "--logs", remote(at), "--out", out)
    assert (ran.err, ran.code) == ("", 3)
    found = open_logs(out)
    [hidden] = [file for file in found.files if file.file.endswith("/.hidden")]
    assert (hidden.complete, hidden.unread, hidden.trouble) == (
        False,
        True,
        ("Spark reads no file with a name that starts with _ or .",),
    )
    (at / ".hidden").unlink()
    same = on_one_machine(tmp_path / "duckdb", at)
    rest = structs.replace(found.manifest, files=tuple(file for file in found.files if file is not hidden))
    assert_same(structs.replace(found, manifest=rest), same, (remote(at), str(at)))


@pytest.mark.exhaustive
def test_a_tenant_beside_others_and_a_large_remote_file_are_refused(
    keyaudit: Keyaudit, at: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at.mkdir()
    text = forms.FORMS["storage"]["blob"]
    (at / "a").write_text(text)
    (at / "b").write_text(text.replace(TENANT, "22222222-2222-4222-8222-222222222222"))
    ran = keyaudit(*IMPORT, "--logs", at, "--out", tmp_path / "store")
    assert (ran.code, ran.out) == (5, "")
    assert f"{at}/b: is of tenant 22222222-2222-4222-8222-222222222222, and others are of tenant {TENANT}; " in ran.err
    importlib.import_module("keyaudit.logs.files.spark")
    monkeypatch.setattr("keyaudit.logs.files.spark.WHOLE", 100)
    ran = keyaudit(*IMPORT, "--logs", remote(at), "--out", tmp_path / "store")
    assert (ran.code, ran.out) == (2, "")
    assert f"{remote(at)}/a: " in ran.err
    assert "and Spark reads at most 100 of a remote file; divide it" in ran.err
    assert ran.err.count("\n") == 1
    assert not list(tmp_path.glob("*store*"))


@pytest.mark.exhaustive
def test_a_node_without_the_folder_of_the_store_is_told_of(tmp_path: Path) -> None:
    needs.module("pyspark")
    module = importlib.import_module("keyaudit.logs.storing.spark")
    [row] = module.spool(tmp_path / "none", b"key", [])
    error = msgspec.json.decode(row, type=module.Task).refused.raised()
    assert isinstance(error, UsageError)
    assert str(error).startswith("--out: is not the same folder on every node; ")
    assert not list(tmp_path.iterdir())
    [row] = module.spool(tmp_path, b"key", [])
    assert msgspec.json.decode(row, type=module.Task) == module.Task()


@pytest.mark.exhaustive
def test_another_python_on_the_nodes_is_named_with_both_versions() -> None:
    """The text is that of the error PYTHON_VERSION_MISMATCH of pyspark 4.3.0, as a job raised it."""
    needs.module("pyspark")
    module = importlib.import_module("keyaudit.inventory.spark")
    text = (
        "org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
        "pyspark.errors.exceptions.base.PySparkRuntimeError: [PYTHON_VERSION_MISMATCH] Python in worker has different version:"
        " 3.13 than that in driver: 3.11, PySpark cannot run with different minor versions.\n"
    )
    error = module._translated(module.PySparkException(text), io.BytesIO())
    assert isinstance(error, UsageError)
    assert str(error) == (
        "--master: its executors have Python 3.13, and this is Python 3.11;"
        " install Python 3.11 on every node, and name it with PYSPARK_PYTHON"
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("master", "path", "code", "said"),
    [
        ("here", "logs", 2, "--master: not a master: 'here'; name local[*], spark://HOST:PORT, yarn or k8s://URL"),
        ("spark://127.0.0.1:1", "logs", 4, "--master: spark://127.0.0.1:1 does not answer: Connection refused; "),
        ("local[2]", "none", 2, "none: cannot be read: No such file or directory; "),
        ("local[2]", "s3a://bucket/logs", 2, "s3a://bucket/logs: cannot be read: Class "),
    ],
)  # fmt: skip
def test_what_cannot_be_begun_is_one_line(
    keyaudit: Keyaudit, at: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, master: str, path: str, code: int, said: str
) -> None:
    at.mkdir()
    monkeypatch.chdir(tmp_path)
    ran = keyaudit(*IMPORT[:-1], master, "--logs", path, "--out", tmp_path / "store")
    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
    assert ran.err.startswith(f"keyaudit: {said}")
    assert not list(tmp_path.glob("*store*"))
    if master == "here":
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        ran = keyaudit(*IMPORT, "--logs", path, "--out", tmp_path / "store")
        assert ran.code == 2
        assert ran.err.startswith("keyaudit: --engine spark: needs a Java runtime, and JAVA_HOME has none; ")


@pytest.mark.exhaustive
@pytest.mark.parametrize(("master", "code"), [("local[2]", 4), ("local[2, 4]", 0)])
def test_a_worker_that_is_lost_is_replaced_or_no_store_is_left(at: Path, tmp_path: Path, master: str, code: int) -> None:
    make(at, 30_000)
    with subprocess.Popen(
        [sys.executable, "-m", "keyaudit", *IMPORT[:-1], master, "--logs", at, "--out", tmp_path / "store"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        kill_worker(running)
        _, said = running.communicate(timeout=600)
    assert running.returncode == code
    assert said.startswith("keyaudit: --master: Spark failed: ") if code else said == ""
    assert said.count("\n") == (1 if code else 0)
    left = [path.name for path in tmp_path.iterdir() if "store" in path.name]
    assert left == ([] if code else ["store"])


@pytest.mark.exhaustive
def test_texts_are_reduced_alike(cluster: Path) -> None:
    session = importlib.import_module("keyaudit.inventory.spark").session
    texts = [*HOSTILE, *NETWORKS, *(chr(code) * 2 + "x" for code in range(1, 0x20000) if told_apart(code))]
    queries = [f"SELECT {', '.join(_reductions(sql))} FROM texts ORDER BY number" for sql in (DUCKDB, SPARK)]
    numbered = list(enumerate(texts))
    with duckdb.connect() as connection, session("local[2]") as spark:
        connection.execute(
            "CREATE TABLE texts AS SELECT unnest(?) AS number, unnest(?) AS text", [*map(list, zip(*numbered, strict=True))]
        )
        spark.createDataFrame(numbered, "number INT, text STRING").createOrReplaceTempView("texts")
        expected = connection.execute(queries[0]).fetchall()
        assert [(text, tuple(row)) for text, row in zip(texts, spark.sql(queries[1]).collect(), strict=True)] == [
            *zip(texts, expected, strict=True)
        ]


def assigned(code: int) -> bool:
    """Whether a code point is a character that the Unicode tables of both engines have."""
    return unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")


def told_apart(code: int) -> bool:
    """Whether a reduction may treat a character differently from a plain letter; of those that none does, one in 64."""
    if not assigned(code):
        return False
    plain = unicodedata.category(chr(code)) in ("Lo", "So") and chr(code).lower() == chr(code).upper()
    return not plain or code % 64 == 0


def _reductions(sql: DuckDB) -> list[str]:
    return [
        "left(text, 3)",
        "length(text)",
        sql.lower("text"),
        sql.trimmed("text"),
        sql.trimmed_left("text", "0"),
        sql.part("text", "@", -1),
        sql.joined(sql.first_items(sql.divided("text", ":"), 3), "/"),
        sql.without("text", r"[\t\n\f\r ]+v?\d[\d.]*"),
        sql.extracted("text", r"^(\d+\.\d+)"),
        sql.contains_match("text", r"\d\z"),
    ]


def _command_line(process: int) -> bytes:
    """Empty if the process has ended meanwhile."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def kill_worker(running: "subprocess.Popen[str]") -> None:
    """Kills the process that runs Python for Spark, as soon as there is one."""
    for _ in range(600):
        workers = [each for each in _below(running.pid) if b"pyspark.daemon" in _command_line(each)]
        if workers:
            os.kill(workers[-1], signal.SIGKILL)
            return
        assert running.poll() is None
        time.sleep(0.1)
    pytest.fail("no worker was started")


def _below(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    try:
        named = [(task / "children").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    return [below for names in named for child in map(int, names) for below in (child, *_below(child))]


def findings(store: LogStore, folder: Path) -> object:
    """The unusual uses in the later half of the days."""
    whole = window_of(store, None, None)
    half = whole.since + (whole.until - whole.since) // DAY // 2 * DAY
    folder.mkdir()
    learn(store, Window(since=whole.since, until=half), into=folder)
    found = check(store, Window(since=half, until=whole.until), open_baseline(folder))
    assert found.findings
    return found.findings, found.unseen
