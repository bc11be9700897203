"""Files that are cut off, mixed, reordered, hostile: what can be read is kept, and what cannot is counted with its place."""

import bz2
import gzip
import io
import json
import lzma
import random
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from keyaudit.inventory.logs import FileRead, LogStore, Use
from keyaudit.inventory.logs.use import line
from keyaudit.logs.files.read import read_logs
from keyaudit.logs.files.window import MOST
from keyaudit.logs.storing.write import Import
from keyaudit.model.errors import UnsafeError, UsageError
from tests.collect.usage import forms, made
from tests.collect.usage.forms import FORMS, lines
from tests.collect.usage.made import TENANT
from tests.collect.usage.rig import Read, counts, imported, read, rows, written
from tests.report.sinks import CORPUS

HOSTILE = {name: text for name, text in CORPUS.items() if "\ud800" not in text and len(text) < 4_000}
KV = made.kv_record(made.requests()[1])


def one(tmp_path: Path, content: bytes | str, name: str = "log") -> tuple[Read, FileRead]:
    """What was read of one file, and what is said of it."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read(path)
    [file] = found.files
    counts(found)
    return found, file


def stored(tmp_path: Path, content: bytes | str, name: str = "log") -> tuple[LogStore, FileRead]:
    """The store of one file, and what was read of it."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    store = imported(tmp_path / f"{name}-store", path)
    [file] = store.files
    counts(store)
    return store, file


def changed(**members: object) -> str:
    return json.dumps({**KV, **members})


def many(number: int) -> list[dict[str, object]]:
    return [{**KV, "correlationId": str(each)} for each in range(number)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> LogStore:
    folder = tmp_path_factory.mktemp("whole")
    return imported(folder / "store", written(folder / "logs", "storage"))


def test_order_does_not_matter(tmp_path: Path, whole: LogStore) -> None:
    shuffler = random.Random(7)
    folder = tmp_path / "logs"
    folder.mkdir()
    records = [json.loads(line) for name in ("PT1H.json", "PT1H-2.json") for line in FORMS["storage"][name].splitlines()]
    records += json.loads(FORMS["storage"]["blob"])
    shuffler.shuffle(records)
    (folder / "z").write_text(lines(records[:90]))
    (folder / "a").write_text(forms.wrapped(records[90:]))
    store = imported(tmp_path / "store", folder)
    assert rows(store) == rows(whole)
    assert store.manifest.days == whole.manifest.days


def test_a_duplicated_file_is_counted_once_and_said(tmp_path: Path, whole: LogStore) -> None:
    folder = written(tmp_path / "logs", "storage")
    (folder / "again").write_text(FORMS["storage"]["PT1H.json"] * 2)
    store = imported(tmp_path / "store", folder)
    assert rows(store) == rows(whole)
    assert counts(store)["duplicate"] == 2 * 54
    with store.connect() as connection:
        duplicates = connection.execute("SELECT sum(duplicate), sum(kept) FROM log_file WHERE file LIKE '%again'").fetchone()
    assert duplicates == (54, 54) or duplicates == (108, 0)


@pytest.mark.parametrize("size", [0.3, 0.7, 0.999])
@pytest.mark.parametrize(
    ("form", "name"), [("event hub", "a"), ("query", "kv.json"), ("graph", "audits.json"), ("storage", "blob")]
)
def test_a_document_that_is_cut_off_keeps_what_came(tmp_path: Path, form: str, name: str, size: float) -> None:
    text = FORMS[form][name]
    store, file = one(tmp_path, text[: int(len(text) * size)])
    assert not file.complete
    [trouble] = file.trouble
    assert "cut off" in trouble
    assert trouble.startswith("after record ")
    assert counts(store)["quarantined"] == 0
    assert 0 < counts(store)["received"] <= 60


def test_a_gzip_that_is_cut_off_keeps_what_came(tmp_path: Path) -> None:
    packed = gzip.compress(lines(many(3_000)).encode())
    store, file = one(tmp_path, packed[: len(packed) // 2])
    assert not file.complete
    assert "the gzip is cut off" in file.trouble[0]
    assert 0 < counts(store)["kept"] < 3_000


def test_a_gzip_that_is_damaged_keeps_what_came(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(lines(many(20_000)).encode(), compresslevel=1))
    packed[-4_000:-3_000] = bytes(1_000)
    store, file = one(tmp_path, bytes(packed))
    assert not file.complete
    assert "the gzip is damaged" in file.trouble[0]
    assert counts(store)["kept"] > 1_000


@pytest.mark.parametrize("zeros", [1, 512, 262_143, 262_144, 700_000])
def test_zeros_between_the_members_of_a_gzip_end_nothing(tmp_path: Path, zeros: int) -> None:
    """Padding up to the block of a tape or disk (gzip's manual); members may follow (RFC 1952, section 2.2)."""
    first, second = (gzip.compress(lines(some).encode()) for some in (many(2_000)[:1_000], many(2_000)[1_000:]))
    found, file = one(tmp_path, first + bytes(zeros) + second + bytes(zeros))
    assert (file.complete, file.trouble, counts(found)["kept"]) == (True, (), 2_000)


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (b"more", "the gzip is followed by something else"),
        (bytes(300_000) + lines([KV]).encode(), "the gzip is followed by something else"),
        (bytes(300_000) + b"\x1f", "the gzip is cut off"),
        (gzip.compress(lines([KV]).encode())[:-1], "the gzip is cut off"),
        (b"\x1f\x8b\x07no method of gzip", "the gzip is damaged"),
    ],
)
def test_anything_else_after_a_gzip_is_said(tmp_path: Path, after: bytes, what: str) -> None:
    found, file = one(tmp_path, gzip.compress(lines(many(9)).encode()) + after)
    assert (file.complete, counts(found)["kept"] >= 9) == (False, True)
    assert f": {what}: the rest was not read" in file.trouble[0]


def _zip(text: str) -> bytes:
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as file:
        file.writestr("PT1H.json", text)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("pack", "what"),
    [
        (_zip, "a zip archive"),
        (lambda text: bz2.compress(text.encode()), "compressed with bzip2"),
        (lambda text: lzma.compress(text.encode()), "compressed with xz"),
        # The first frame of https://datatracker.ietf.org/doc/html/rfc8878, section 3.1.1
        (lambda text: b"\x28\xb5\x2f\xfd" + text.encode(), "compressed with zstd"),
    ],
)
def test_another_compression_is_named(tmp_path: Path, pack: Callable[[str], bytes], what: str) -> None:
    found, file = one(tmp_path, pack(lines(many(9))))
    assert (file.complete, counts(found)["received"]) == (False, 0)
    assert file.trouble == (
        f"at its beginning: {what}, which keyaudit does not read: convert it to text or gzip: the rest was not read",
    )


# The members of a page: https://learn.microsoft.com/graph/paging
@pytest.mark.parametrize("member", ["@odata.nextLink", "nextLink"])
@pytest.mark.parametrize("first", [True, False])
def test_a_page_that_names_a_next_one_is_not_whole_without_it(tmp_path: Path, member: str, first: bool) -> None:
    link = {member: "https://graph.microsoft.com/v1.0/auditLogs/signIns?$skiptoken=1"}
    some = {"value": list(map(made.mail_graph, made.mail()))}
    page = json.dumps({**link, **some} if first else {**some, **link})
    found, file = one(tmp_path, page)
    assert (file.complete, counts(found)["kept"]) == (False, 60)
    assert file.trouble[0].startswith("after record 60: its last page refers to a next page that is not in this file")
    for last in ({**some}, {**some, member: None}, {**some, member: ""}):
        _, file = one(tmp_path, page + json.dumps(last))
        assert (file.complete, file.trouble) == (True, ())


def test_a_link_to_a_folder_of_logs_is_not_left_out(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "logs", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "a").write_text(lines(many(1)))
    (elsewhere / "b").write_text(lines(many(1)))
    (folder / "linked").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="linked: a link to a folder, which is not followed"):
        read(folder)


def test_a_gzip_made_to_fill_the_memory_is_not_read_on(tmp_path: Path) -> None:
    squeeze = zlib.compressobj(9, wbits=31)
    line = lines([KV]).encode()
    packed = squeeze.compress(line) + b"".join(squeeze.compress(b" " * 1_048_575 + b"\n") for _ in range(160)) + squeeze.flush()
    assert len(packed) < 1_000_000
    store, file = one(tmp_path, packed)
    assert "more than 250 times its size" in file.trouble[0]
    assert (file.complete, counts(store)["kept"]) == (False, 1)


def test_the_last_line_that_is_cut_off_is_a_bad_line(tmp_path: Path) -> None:
    text = lines(many(3))
    store, file = one(tmp_path, text[:-40])
    assert counts(store) == {"received": 3, "kept": 2, "duplicate": 0, "quarantined": 1, "ignored": 0}
    assert file.trouble[0] == "the last line is cut off"
    assert file.trouble[1].startswith("line 3: ")
    assert not file.complete


def test_a_last_line_without_an_end_is_whole(tmp_path: Path) -> None:
    store, file = one(tmp_path, lines(many(3)).rstrip())
    assert (file.complete, counts(store)["kept"]) == (True, 3)


EXPORTED = pytest.mark.parametrize("exported", [forms.exported, forms.objects, forms.table])
Exported = Callable[[list[made.Event]], str]


@EXPORTED
def test_mail_exported_without_what_says_whether_it_was_throttled_is_not_whole(tmp_path: Path, exported: Exported) -> None:
    narrow = [{k: v for k, v in made.mail_row(each).items() if k != "OperationProperties"} for each in made.mail()]
    store, file = one(tmp_path, exported(narrow))
    assert (file.complete, counts(store)["kept"]) == (False, 60)
    assert "so mailboxes that were no longer recorded are unknown" in file.trouble[0]


BAD = {
    "not JSON": '{"time": }',
    "NaN": changed(time=None).replace("null", "NaN", 1),
    "a number that is no time": changed(time=1e300),
    "no time": changed(time=None),
    "NaN as text": changed(time="NaN"),
    "month 13": changed(time="2026-13-01T00:00:00Z"),
    "30 February": changed(time="2026-02-30T00:00:00Z"),
    "25 o'clock": changed(time="2026-02-03T25:00:00Z"),
    "year 1": changed(time="0001-01-01T00:00:00Z"),
    "year 9999": changed(time="9999-12-31T23:59:59.9999999Z"),
    "the day first, perhaps": changed(time="02/01/2026, 03:04:05.678"),
    "Arabic digits": changed(time="\u0662\u0660\u0662\u0666-01-01T00:00:00Z"),
    "no target": changed(properties={"httpStatusCode": 200}),
    "a target elsewhere": changed(properties={"id": "https://evil.example/x", "httpStatusCode": 200}),
    "properties that are none": changed(properties=[1]),
    "a lone surrogate": changed().replace("Name-1", "\\ud800"),
    "deep nesting": '{"category":"AuditEvent","operationName":"KeySign","a":' + "[" * 100_000 + "]" * 100_000 + "}",
    "a long text": changed(callerIpAddress="1" * 5_000),
    "from an unknown log": '{"a": 1}',
    "a list": "[1]",
    "a number of 5,000 digits": changed(durationMs=0).replace('"durationMs": 0', f'"durationMs": {"9" * 5_000}'),
}


@pytest.mark.parametrize("line", BAD.values(), ids=BAD)
def test_a_bad_line_costs_itself_alone(tmp_path: Path, line: str) -> None:
    store, file = one(tmp_path, f"{lines(many(2))}{line}\n{lines(many(4)[2:])}")
    assert counts(store) == {"received": 5, "kept": 4, "duplicate": 0, "quarantined": 1, "ignored": 0}
    [trouble] = file.trouble
    assert trouble.startswith("line 3: ")
    assert trouble.isascii()
    assert len(trouble) < 400
    assert file.complete


@pytest.mark.parametrize(
    "line", [line for name, line in BAD.items() if name != "not JSON"], ids=[n for n in BAD if n != "not JSON"]
)
def test_a_bad_record_in_a_list_costs_itself_alone(tmp_path: Path, line: str) -> None:
    records = [json.dumps(each) for each in many(4)]
    store, file = one(tmp_path, "[" + ",\n".join([*records[:2], line, *records[2:]]) + "]")
    assert counts(store) == {"received": 5, "kept": 4, "duplicate": 0, "quarantined": 1, "ignored": 0}
    assert file.trouble[0].startswith("record 3: ")
    assert file.complete


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    good = lines(many(1)).encode()
    store, file = one(
        tmp_path, good + b'{"time":"\xff\xfe"}\n' + b"\0" * 99 + b"\n" + changed(callerIpAddress="1\0002").encode()
    )
    assert counts(store) == {"received": 4, "kept": 2, "duplicate": 0, "quarantined": 2, "ignored": 0}
    assert {row["network"] for row in rows(store)} == {KV["callerIpAddress"], "1\0002"}
    assert file.complete


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("exported", "shape"), [(lines, made.kv_record), (forms.exported, made.kv_row)])
def test_utf_16_that_is_damaged_costs_its_record(
    tmp_path: Path,
    encoding: str,
    exported: Exported,
    shape: Callable[[made.Event], made.Event],
) -> None:
    text = exported([shape({**made.requests()[1], "ip": each}) for each in ("192.0.2.1", "@", "192.0.2.3")])
    half = "\ud83d".encode(encoding, "surrogatepass")
    content = "\ufeff".encode(encoding) + half.join(part.encode(encoding) for part in text.split("@"))
    store, file = one(tmp_path, content)
    assert counts(store) == {"received": 3, "kept": 2, "duplicate": 0, "quarantined": 1, "ignored": 0}
    assert {row["network"] for row in rows(store)} == {"192.0.2.1", "192.0.2.3"}
    assert file.complete
    store, file = one(tmp_path, content[:-1], "cut")
    assert (file.complete, counts(store)["quarantined"]) == (False, 2)


@pytest.mark.parametrize(
    "content", [b"\0" * 5_000, b"hello", b"\x89PNG\r\n\x1a\n" + bytes(99), b"a,b\n1,2\n", b"{", b"[[", b'"']
)
def test_what_is_no_log_is_said(tmp_path: Path, content: bytes) -> None:
    store, file = one(tmp_path, content)
    assert counts(store)["kept"] == 0
    assert file.trouble
    assert not file.complete or counts(store)["quarantined"]


def test_an_empty_file_is_whole(tmp_path: Path) -> None:
    store, file = one(tmp_path, b"\n\r\n ")
    assert (file.complete, file.trouble, counts(store)["received"]) == (True, (), 0)


def test_a_log_behind_more_space_than_is_looked_at_is_not_an_empty_one(tmp_path: Path) -> None:
    store, file = one(tmp_path, "\n" * 70_000 + lines(many(3)))
    assert (file.complete, counts(store)["kept"]) == (False, 0)
    assert file.trouble == ("at its beginning: nothing but space: the rest was not read",)


@pytest.mark.parametrize("tables", ["[]", '[{"name": "PrimaryResult"}]', '[{"name": "PrimaryResult", "rows": null}]'])
def test_an_answer_without_rows_is_not_an_empty_one(tmp_path: Path, tables: str) -> None:
    store, _ = one(tmp_path, f'{{"tables": {tables}}}')
    assert counts(store)["quarantined"] == 1


def test_an_answer_of_no_rows_is_whole(tmp_path: Path) -> None:
    store, file = one(tmp_path, '{"tables": [{"name": "PrimaryResult", "columns": [], "rows": []}]}')
    assert (file.complete, file.trouble, counts(store)["received"]) == (True, (), 0)


def test_a_line_that_is_too_long_costs_itself_alone(tmp_path: Path) -> None:
    long = changed(padding="x" * (2 * MOST))
    store, file = one(tmp_path, f"{lines(many(1))}{long}\n{lines(many(3)[1:])}")
    assert counts(store) == {"received": 4, "kept": 3, "duplicate": 0, "quarantined": 1, "ignored": 0}
    assert file.trouble == (f"line 2: a line of more than {MOST:,} bytes",)


def test_a_record_that_is_too_long_ends_a_list(tmp_path: Path) -> None:
    long = changed(padding="x" * (2 * MOST))
    store, file = one(tmp_path, f"[{json.dumps(KV)},{long},{json.dumps(KV)}]")
    assert (file.complete, counts(store)["kept"]) == (False, 1)
    assert file.trouble[0].startswith(f"after record 1: a record of more than {MOST:,} bytes")


def test_an_answer_that_is_partial_is_not_complete(tmp_path: Path) -> None:
    text = forms.table(map(made.kv_row, made.requests()))
    _, file = one(tmp_path, text[:-1] + ', "error": {"code": "PartialError"}}')
    assert not file.complete
    assert "its response is incomplete" in file.trouble[0]


def test_rows_of_csv_that_do_not_fit_their_header(tmp_path: Path) -> None:
    text = forms.exported(map(made.kv_row, made.requests()[:9])).splitlines(keepends=True)
    text.insert(3, "1,2,3\r\n")
    store, file = one(tmp_path, "".join(text))
    assert counts(store)["quarantined"] == 1
    assert file.trouble[0].startswith("line 4: a row that has not the 14 columns")
    whole = "".join(text)
    store, file = one(tmp_path, whole[: whole.rindex("quoted")], "cut")
    assert (file.complete, counts(store)["kept"]) == (False, 7)
    assert "ends inside a cell" in file.trouble[0]


@EXPORTED
def test_columns_that_were_not_exported_are_unknown_and_not_absent(tmp_path: Path, exported: Exported) -> None:
    narrow = [
        {k: v for k, v in made.kv_row(each).items() if k not in ("Identity", "CallerIpAddress")} for each in made.requests()
    ]
    store, _ = one(tmp_path, exported(narrow))
    reasons = {"actor_app_id": "not_supplied", "principal_id": "not_supplied", "network": "not_supplied"}
    assert {tuple(sorted(row["unknown"].items())) for row in rows(store)} == {tuple(sorted(reasons.items()))}


def test_hostile_text_is_kept_as_it_is_and_shown_on_one_line(tmp_path: Path) -> None:
    records = {name: made.kv_record({**made.requests()[1], "client": text, "ip": text}) for name, text in HOSTILE.items()}
    content = "".join(f"{json.dumps({**record, 'correlationId': name})}\n{HOSTILE[name]}\n" for name, record in records.items())
    store, file = stored(tmp_path, content, "a\x1b[2Jb")
    assert {row["name"]: row["client"] for row in rows(store)} == {name: text or None for name, text in HOSTILE.items()}
    assert all(each.isprintable() for each in file.trouble)
    assert "\x1b" not in file.file


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_in_place_of_a_record_is_told_on_one_line(tmp_path: Path, text: str) -> None:
    found, file = one(tmp_path, json.dumps(KV) + f"\n{text}\n", "a\x1b[2Jb")
    assert counts(found)["kept"] == 1
    assert all(each.isprintable() for each in file.trouble)
    assert "\x1b" not in file.file


def test_records_of_a_second_tenant_are_refused_in_any_order(tmp_path: Path) -> None:
    other = made.sign_in_record(made.sign_ins()[0]) | {"tenantId": "22222222-2222-4222-8222-222222222222"}
    for number, records in enumerate(
        ([other, *map(made.mail_audit, made.mail())], [*map(made.mail_audit, made.mail()), other])
    ):
        path = tmp_path / f"{number}"
        path.write_text(forms.listed(records))
        with pytest.raises(UnsafeError, match=r"is of tenant .* and others are of tenant"):
            imported(tmp_path / "store", path)
    assert [entry.name for entry in tmp_path.iterdir() if "store" in entry.name] == []


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "none", tmp_path / "empty", Path("/dev/zero"), Path("a\0b")):
        with pytest.raises(UsageError):
            imported(tmp_path / "store", path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["empty"]


def test_a_tenant_that_no_record_names(tmp_path: Path) -> None:
    store, _ = stored(tmp_path, lines(many(1)))
    assert store.tenant_id is None
    assert TENANT not in json.dumps([row["scope_id"] for row in rows(store)])


PIECES = (b'"', b"{", b"}", b"[", b"]", b",", b"\n", b"\\", b"\0", b"\xff", b"\xac", b"null", b"1e999", b'"a":', b"NaN")


@pytest.mark.parametrize("form", FORMS)
def test_whatever_is_changed_in_a_file_every_record_is_counted(tmp_path: Path, form: str) -> None:
    changer = random.Random(form)
    path = tmp_path / "log"
    for _ in range(60):
        text = bytearray(changer.choice(list(FORMS[form].values())).encode()[: changer.choice([3_000, 9_000])])
        for _ in range(changer.choice([1, 1, 3, 20])):
            place = changer.randrange(len(text))
            text[place : place + changer.randrange(5)] = changer.choice(PIECES)
        path.write_bytes(text)
        found = list(read_logs([path], Import()))
        file = found[-1]
        assert isinstance(file, FileRead)
        assert file.size == len(text)
        for each in file.sources.values():
            assert each.received == each.kept + each.duplicate + each.quarantined + each.ignored
        assert all(line(each, 0) for each in found if isinstance(each, Use))
        assert bool(file.trouble) == (not file.complete or any(read.quarantined for read in file.sources.values()))
