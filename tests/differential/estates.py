"""The snapshots that are compared."""

import subprocess
import sys
from pathlib import Path

from keyaudit.model.values.times import DAY, iso_date
from tests.cli.detections import planted
from tests.demo_logs import read
from tests.estates import snapshot

EVERY = ("contoso", "blind-spots", "evidence", "sized:20x50", "rows:200000")
"""The simulated tenants, the first again with logs and other evidence; a larger one; generated keys, credentials and grants."""
_REPOSITORIES = "host,path,id,owner_id\ngithub.com,contoso-retail/orders,70814240,999\n"
_CUSTODY = """\
version: 1
records:
  - of: {of}
    kept_in: hsm
    owner: PKI
    recorded_on: {today}
    valid_until: {later}
    evidence: ticket 7
"""


def made(name: str, work: Path) -> Path:
    """The folder of the snapshot of that name, which may be made in `work`."""
    kind, _, size = name.partition(":")
    if kind == "rows":
        # Each grant applies to many vaults.
        keys, grants = int(size) * 8 // 10, int(size) // 100
        _run("tests.bench.rows", work / "rows", keys, int(size) - keys - grants, grants)
        return work / "rows"
    return _with_evidence(work) if kind == "evidence" else snapshot(name)


def _with_evidence(work: Path) -> Path:
    tenant = read(snapshot("contoso"))
    uses, usual = work / "uses", work / "usual"
    _run("keyaudit", "usage", "import", planted(tenant).write(work / "files"), "--out", uses)
    first, last = (iso_date(tenant.today - days * DAY) for days in (70, 8))
    _run("keyaudit", "usage", "learn", uses, "--first-day", first, "--last-day", last, "--out", usual)
    custody, repositories = work / "custody.yaml", work / "repositories.csv"
    digest = next(key["id"] for key in tenant.keys)
    days = {"today": iso_date(tenant.today), "later": iso_date(tenant.today + 365 * DAY)}
    custody.write_text(_CUSTODY.format(of=digest, **days), encoding="utf-8")
    repositories.write_text(_REPOSITORIES, encoding="utf-8")
    given = {"logs": uses, "usage-baseline": usual, "custody": custody, "repositories": repositories}
    imports = [argument for kind, path in given.items() for argument in ("--import", f"{kind}={path}")]
    _run("keyaudit", "collect", "--demo", "--quiet", "--out", work / "snapshot", *imports)
    return work / "snapshot"


def _run(module: str, *arguments: object) -> None:
    ended = subprocess.run([sys.executable, "-m", module, *map(str, arguments)], capture_output=True, text=True, check=False)
    # 3: something was not read, or not understood.
    assert ended.returncode in (0, 3), ended.stderr
