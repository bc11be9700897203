"""What tests only read of the simulated tenants, made once for all tests, workers and runs of the same code."""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import duckdb

from keyaudit.__main__ import main
from keyaudit.cli.clock import SystemClock
from keyaudit.model.values.times import DAY
from tests.cli.tenants import running
from tests.clock import COLLECTED
from tests.simulator.estates import ESTATES

_ROOT = Path(__file__).parent.parent
_CACHE = _ROOT / ".pytest_cache" / "d" / "estates"


@functools.cache
def snapshot(name: str, *more: str) -> Path:
    """The folder of a snapshot of a simulated tenant, to be read only. `more` is added to the command line of `collect`.

    It is collected by the command, in a process of its own with the clock of the tests, unless another worker or an earlier
    run has done so with the same code and policies.
    """

    def collect(folder: Path) -> None:
        command = [sys.executable, "-m", "tests.estates", "collect", "--out", "snapshot", "--quiet"]
        paths = {"PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))}
        folder.mkdir()
        with _tenant(name) as (flags, environ):
            ended = subprocess.run(
                [*command, *flags, *more],
                cwd=folder,
                env={**os.environ, **paths, **environ},
                capture_output=True,
                text=True,
                check=False,
            )
        # 3: the tenant has gaps.
        assert ended.returncode in (0, 3), ended.stderr

    label = hashlib.sha256("\0".join((name, *more)).encode()).hexdigest()[:16]
    return made_once(of_this_code() / label, collect) / "snapshot"


@contextmanager
def _tenant(name: str) -> Iterator[tuple[list[str], Mapping[str, str]]]:
    """The flags and the environment with which a command reads a tenant: of `--demo`, or one that only tests serve."""
    if name not in ESTATES:
        yield ["--demo", "--estate", name], {}
        return
    with running(ESTATES[name](COLLECTED - COLLECTED % DAY), now=lambda: float(COLLECTED)) as simulated:
        yield ["--auth", "env"], simulated.environ


def made_once(path: Path, make: Callable[[Path], object]) -> Path:
    """The file or folder, made by whichever worker comes first."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            building = path.with_name(f"{path.name}.building")
            shutil.rmtree(building, ignore_errors=True)
            building.unlink(missing_ok=True)
            make(building)
            building.rename(path)
    return path


@functools.cache
def of_this_code() -> Path:
    """A folder that all workers and runs of the same code and policies have in common."""
    folder = _CACHE / _content()
    folder.mkdir(parents=True, exist_ok=True)
    # Another run may be reading those of the run before.
    others = sorted((each for each in _CACHE.iterdir() if each != folder), key=lambda each: each.stat().st_mtime)
    for each in others[:-1]:
        shutil.rmtree(each, ignore_errors=True)
    return folder


def _content() -> str:
    """A digest of everything that a snapshot depends on."""
    digest = hashlib.sha256(f"all at {COLLECTED} {sys.version} {duckdb.__version__}".encode())
    parts = ("keyaudit", "policies", "tests/simulator/estates")
    for path in sorted(path for part in parts for path in (_ROOT / part).rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path.relative_to(_ROOT)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    # It stands still, so that no snapshot is earlier than another.
    with patch.object(SystemClock, "now", return_value=COLLECTED):
        main()
