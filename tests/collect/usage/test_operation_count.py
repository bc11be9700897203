"""A record of MailItemsAccessed counts reads of one mailbox: each is a use, and the record is one record.

The member is that of the sample of RecordType 50 at https://prophecyinternational.atlassian.net/wiki/spaces/SCV8/pages/2250768678,
and of Microsoft's page on compromised accounts.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.logs import LogStore
from keyaudit.logs.files.read import read_logs
from keyaudit.logs.storing.write import Import, write_logs
from tests.collect.usage import made

MAIL = next(made.mail_audit(event) for event in made.mail() if event["operation"] == "MailItemsAccessed")


def of(folder: Path, *records: made.Event) -> LogStore:
    folder.mkdir()
    (folder / "mail.json").write_text("".join(json.dumps(record) + "\n" for record in records))
    known = Import()
    return write_logs(folder / "logs", read_logs([folder / "mail.json"], known), known)


@pytest.mark.parametrize(
    ("told", "uses"),
    [(7, 7), ("7", 7), (1, 1), (None, 1), (0, 1), (-3, 1), ("many", 1), (10**15, 1), (9_999_999, 1_000_000)],
)
def test_a_record_stands_for_as_many_reads(tmp_path: Path, told: Any, uses: int) -> None:
    store = of(tmp_path / "a", {**MAIL, "OperationCount": told})
    with store.connect() as connection:
        assert connection.execute("SELECT uses FROM usage").fetchall() == [(uses,)]
        [(reads,)] = connection.execute("SELECT reads FROM mailboxes WHERE facet = 'app'").fetchall()
    assert reads == uses
    assert store.files[0].sources["OfficeActivity"].kept == 1


def test_the_same_record_twice_is_one_duplicate(tmp_path: Path) -> None:
    store = of(tmp_path / "a", {**MAIL, "OperationCount": 7}, {**MAIL, "OperationCount": 7})
    read = store.files[0].sources["OfficeActivity"]
    assert (read.kept, read.duplicate) == (1, 1)
    with store.connect() as connection:
        assert connection.execute("SELECT sum(uses) FROM usage").fetchall() == [(7,)]
