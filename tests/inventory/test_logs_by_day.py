"""The log store by day: what is in which file, what is verified when it is read, and what it takes to add a day."""

import itertools
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest
from msgspec import structs

from keyaudit.inventory.logs import FileRead, LogStore, SourceRead, Use, open_logs
from keyaudit.inventory.logs.groups import GROUP, MAILBOXES, ORDER, grouped, mailboxes
from keyaudit.inventory.usage.baseline import open_baseline
from keyaudit.inventory.usage.learn import learn
from keyaudit.logs.check.check import check
from keyaudit.logs.storing import days, parts
from keyaudit.logs.storing.write import Import, write_logs
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY, iso_date
from tests.inventory.faults import FINISHED, KILLED, REFUSED, SURVIVED, disturb, forked
from tests.logs import START, TENANT, mail, use

FEW = 40


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Months with more uses than this are stored by day."""
    monkeypatch.setattr(parts, "FEW", FEW)


def uses(*days: int, each: int = 3) -> list[Use]:
    """Uses of two logs on these days from START, a Monday, the 6th of January."""
    found = [use(day, "signer", network=f"10.0.{number}.1") for day in days for number in range(each)]
    return found + [mail(day, "reader", f"m{number}@contoso.example") for day in days for number in range(each - 1)]


def stored(folder: Path, found: Sequence[Use], earlier: LogStore | None = None, name: str = "a", **read: object) -> LogStore:
    known = Import(earlier.tenant_id if earlier else TENANT)

    def records() -> Iterator[Use | FileRead]:
        sources: dict[str, SourceRead] = {}
        for each in found:
            known.days[each.source][each.resource_id or ""].add(each.used_on - each.used_on % DAY)
            counts = sources.setdefault(each.source, SourceRead())
            counts.received, counts.kept = counts.received + 1, counts.kept + 1
            yield each
        whole = FileRead(file=name, size=1, sha256="0" * 64, form="x", complete=True, sources=sources)
        yield structs.replace(whole, **read)

    return write_logs(folder, records(), known, earlier)


def names(store: LogStore, table: str) -> list[str]:
    return sorted(path.name.removesuffix(".parquet") for path in (store.folder / table).iterdir())


def same(one: LogStore, other: LogStore) -> bool:
    """Whether two stores have the same files, by digest."""
    return list(one.manifest.stored()) == list(other.manifest.stored()) and one.manifest.days == other.manifest.days


def touch(path: Path) -> None:
    """Changes a byte of a file."""
    data = path.read_bytes()
    path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])


def window(first: int, last: int) -> Window:
    return Window(since=START + first * DAY, until=START + (last + 1) * DAY)


def test_a_month_with_few_uses_is_in_one_file_for_each_log_and_another_month_in_one_for_each_day(tmp_path: Path) -> None:
    store = stored(tmp_path / "logs", [*uses(0, 1, 2), *uses(30, 31, each=15)])
    assert names(store, "usage") == [
        "2025-01.AZKVAuditLogs.00000",
        "2025-01.OfficeActivity.00000",
        "2025-02-05.AZKVAuditLogs.00000",
        "2025-02-05.OfficeActivity.00000",
        "2025-02-06.AZKVAuditLogs.00000",
        "2025-02-06.OfficeActivity.00000",
    ]
    assert names(store, "groups") == names(store, "mailboxes") == ["2025-01", "2025-02-05", "2025-02-06"]


def test_its_groups_are_those_of_its_uses(tmp_path: Path) -> None:
    untold = use(3, "signer", target_id=None, unknown={"target_id": "not_supplied"})
    refused = [mail(1, "reader", f"m{number}@contoso.example", succeeded=False) for number in (0, 9)]
    store = stored(tmp_path / "logs", [*uses(0, 1), *uses(1, each=30), untold, *refused])
    with store.connect() as connection:
        for table, columns, reduced in (("groups", GROUP, grouped("usage")), ("mailboxes", MAILBOXES, mailboxes("usage"))):
            found = connection.execute(f"FROM {table} ORDER BY ALL").fetchall()
            assert found == connection.execute(f"SELECT {', '.join(columns)} FROM ({reduced}) ORDER BY ALL").fetchall()
        [untold_group] = connection.execute("SELECT target, app, lacking, uses FROM groups WHERE NOT told").fetchall()
        assert untold_group == ("", "", ["target_id"], 1)
        [(boxes, let_in)] = connection.execute(
            f"SELECT boxes, let_in FROM mailboxes WHERE day = {START // DAY + 1} AND facet = 'app'"
        ).fetchall()
        assert (boxes, let_in) == (29, 29)


def test_the_files_of_many_days_are_in_order(tmp_path: Path) -> None:
    store = stored(tmp_path / "logs", uses(*range(40), each=30))
    paths = dict.fromkeys((store.folder / "usage").iterdir(), "used_on, id")
    paths |= dict.fromkeys((store.folder / "groups").iterdir(), ORDER)
    assert len(paths) > 100
    with duckdb.connect() as connection:
        for path, order in paths.items():
            found = connection.execute(f"FROM '{path}'").fetchall()
            assert found == connection.execute(f"FROM '{path}' ORDER BY {order}").fetchall()


def test_many_uses_of_a_day_are_grouped_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [*uses(*range(4), each=20), *(use(1, f"app-{number}") for number in range(50))]
    whole = stored(tmp_path / "whole", found)
    monkeypatch.setattr(days, "AT_ONCE", 7)
    assert same(stored(tmp_path / "parts", found), whole)


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_records_makes_no_difference(tmp_path: Path, seed: int) -> None:
    found = [*uses(0, 1, 2), *uses(30, 31, each=15)]
    # The same record with other columns, as another export has it.
    twice = [structs.replace(use(1, "signer", name="id", client=client), mark=None) for client in ("a/1", "b/2")]
    both = [*found, *twice, *found[:9]]
    shuffled = random.Random(seed).sample(both, len(both))
    one, other = stored(tmp_path / "one", both), stored(tmp_path / "other", shuffled)
    assert same(one, other)
    assert one.files[0].sources["AZKVAuditLogs"].duplicate == 1 + 9


@pytest.mark.parametrize(
    ("before", "then"),
    [
        pytest.param([0, 1], [2], id="the month still has few"),
        pytest.param([0, 1, 2, 3, 4, 5, 6], [7, 8], id="the month has too many now"),
        pytest.param(list(range(20)), [20, 21], id="the month had too many"),
        pytest.param([0, 1], [40], id="another month"),
        pytest.param([0, 1, 2], [1, 2, 3], id="days that are there, too"),
        pytest.param([], [1], id="after nothing"),
        pytest.param([1], [], id="nothing"),
    ],
)
def test_logs_that_are_added_give_what_all_at_once_give(tmp_path: Path, before: list[int], then: list[int]) -> None:
    whole = stored(tmp_path / "whole", uses(*before, *then))
    earlier = stored(tmp_path / "earlier", uses(*before))
    told = list(earlier.manifest.stored())
    merged = stored(tmp_path / "merged", uses(*then), earlier)
    assert same(merged, whole)
    assert [file.file for file in merged.files] == ["a", "a"]
    again = len({*before} & {*then})
    counts = merged.files[1].sources
    assert sum(each.duplicate for each in counts.values()) == 5 * again
    assert sum(each.kept for each in counts.values()) == 5 * (len(then) - again)
    earlier.verify(told)
    with merged.connect() as connection:
        assert connection.execute("SELECT count(*) FROM usage").fetchone() == (5 * len({*before, *then}),)


def test_one_log_may_be_added_to_a_day_of_another(tmp_path: Path) -> None:
    both = uses(*range(20))
    signed = [each for each in both if each.operation == "sign"]
    read = [each for each in both if each.operation != "sign"]
    merged = stored(tmp_path / "merged", read, stored(tmp_path / "earlier", signed))
    assert same(merged, stored(tmp_path / "whole", both))


def test_only_the_days_that_are_read_are_verified(tmp_path: Path) -> None:
    store = stored(tmp_path / "logs", [*uses(*range(20)), use(19, "stranger")])
    for table in ("usage", "groups", "mailboxes"):
        for path in (store.folder / table).iterdir():
            if iso_date(START + 10 * DAY) > path.name:
                touch(path)
    # Learning reads no rows but groups.
    touch(store.folder / "usage" / f"{iso_date(START + 12 * DAY)}.AZKVAuditLogs.00000.parquet")
    (tmp_path / "baseline").mkdir()
    opened = open_logs(store.folder)
    learn(opened, window(10, 17), into=tmp_path / "baseline")
    found = check(opened, window(18, 19), open_baseline(tmp_path / "baseline"))
    assert [(each.app_id, len(each.why[0].evidence)) for each in found.findings] == [("stranger", 1)]
    for read in (window(9, 17), None):
        with pytest.raises(UnsafeError, match="damaged or edited: its digest differs"):
            opened.connect(read).__enter__()
    touch(store.folder / "usage" / f"{iso_date(START + 19 * DAY)}.AZKVAuditLogs.00000.parquet")
    with pytest.raises(UnsafeError, match=r"2025-01-25.AZKVAuditLogs.*: damaged or edited"):
        check(opened, window(18, 19), open_baseline(tmp_path / "baseline"))


def test_what_is_cut_or_missing_is_refused_before_any_day_is_read(tmp_path: Path) -> None:
    store = stored(tmp_path / "logs", uses(0, 40))
    path = store.folder / "groups" / "2025-01.parquet"
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(UnsafeError, match=f"{len(data) - 1:,} bytes, where the manifest says {len(data):,}"):
        open_logs(store.folder)
    path.unlink()
    with pytest.raises(UnsafeError, match=r"2025-01.*: cannot be read"):
        open_logs(store.folder)


def test_an_earlier_store_is_verified_where_it_is_worked_on(tmp_path: Path) -> None:
    earlier = stored(tmp_path / "earlier", uses(*range(20)))
    touch(earlier.folder / "usage" / "2025-01-06.AZKVAuditLogs.00000.parquet")
    merged = stored(tmp_path / "merged", uses(20), earlier)
    with merged.connect(window(1, 20)):
        pass
    with pytest.raises(UnsafeError, match=r"2025-01-06.*digest differs"):
        merged.connect().__enter__()
    for log in uses(0)[0], uses(0)[-1]:
        with pytest.raises(UnsafeError, match=r"2025-01-06.*digest differs"):
            stored(tmp_path / "again", [log], earlier)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["earlier", "merged"]


def test_logs_of_another_tenant_are_not_added(tmp_path: Path) -> None:
    earlier = stored(tmp_path / "earlier", uses(0))
    for tenant, what in (("other", "the earlier logs are of tenant 7b8e1c52"), (None, "")):
        known = Import(tenant)
        with pytest.raises(UsageError, match=f"--merge: {what}"):
            write_logs(tmp_path / "merged", iter([]), known, earlier)
    assert [path.name for path in tmp_path.iterdir()] == ["earlier"]


def gaps(store: LogStore, of: Window) -> list[str]:
    return [each.subject for each in check(store, of, None).unseen if each.subject]


def test_a_place_that_was_not_read_hides_the_days_that_were_asked_for(tmp_path: Path) -> None:
    asked = (START, START + 3 * DAY)
    earlier = stored(tmp_path / "earlier", uses(0, 1, 2), name="place", complete=False, asked=asked)
    store = stored(tmp_path / "logs", uses(3, 4), earlier, name="place", asked=(START + 3 * DAY, START + 5 * DAY))
    assert (gaps(store, window(0, 4)), gaps(store, window(2, 2))) == (["place"], ["place"])
    assert gaps(store, window(3, 4)) == []


@pytest.mark.parametrize("way", ["once", "kill"])
def test_a_store_that_is_stopped_anywhere_is_not_there(tmp_path: Path, way: str) -> None:
    earlier = stored(tmp_path / "earlier", uses(0, 40))
    expected = stored(tmp_path / "expected", uses(1, 41), earlier)
    tried = 0
    for number in itertools.count(0, 23):
        out = tmp_path / f"out-{number}"

        def work(number: int = number, out: Path = out) -> None:
            counter = disturb(way, number)
            stored(out, uses(1, 41), earlier)
            if next(counter) > number:
                os._exit(SURVIVED)

        code = forked(work)
        assert code in {FINISHED, SURVIVED, REFUSED, KILLED}
        if out.exists():
            assert same(open_logs(out), expected)
        else:
            assert code in {REFUSED, KILLED}
        assert way == "kill" or not list(tmp_path.glob(".out*"))
        earlier.verify()
        tried += 1
        if code == FINISHED:
            break
    assert tried > 5
