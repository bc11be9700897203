"""Makes large files of logs, and imports them as `usage import` does; run as a process of its own."""

import datetime
import json
import sys
from pathlib import Path

from keyaudit.logs.files.read import read_logs
from keyaudit.logs.storing.write import Import, write_logs
from tests.collect.usage import made

KINDS = {
    "key-vault": (made.requests, made.kv_record),
    "sign-ins": (made.sign_ins, made.sign_in_record),
    "mail": (made.mail, made.mail_audit),
}


def make(folder: Path, rows: int) -> None:
    """A file of each of three logs, as diagnostic settings and the Management API write them: two by line, one in a list."""
    folder.mkdir()
    for kind, (events, shape) in KINDS.items():
        records = [shape(event) for event in events() if event.get("operation") not in ("Authentication", "Send")]
        listed = kind == "mail"
        with (folder / f"{kind}.json").open("w", encoding="utf-8") as file:
            for number in range(rows // len(KINDS)):
                record = _numbered(records[number % len(records)], number)
                file.write(("" if not listed else "," if number else "[") + json.dumps(record, separators=(",", ":")) + "\n")
            file.write("]" if listed else "")


def _numbered(record: made.Event, number: int) -> made.Event:
    """It again, at another time and with another id."""
    time, id_ = made.iso(made.START + number * datetime.timedelta(seconds=30)), made.guid(99, number)
    if "Id" in record:
        return {**record, "CreationTime": time[:19], "Id": id_}
    if record["category"] == "AuditEvent":
        return {**record, "time": time, "correlationId": id_}
    return {**record, "time": time, "properties": {**record["properties"], "id": id_, "createdDateTime": time}}


def main(folder: Path, out: Path) -> None:
    """Import them, and print how many uses were kept."""
    known = Import()
    store = write_logs(out, read_logs([folder], known), known)
    print(json.dumps({"kept": sum(read.kept for file in store.files for read in file.sources.values())}))


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
