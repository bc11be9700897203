"""One folder has one writer, and a writer that is gone holds nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.spool import Spool
from keyaudit.model.errors import UsageError
from tests.inventory.sample import RUN, vault_scope

KV = vault_scope("kv")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_one_folder_has_one_writer(out: Path) -> None:
    with Spool.create(out, RUN):
        with pytest.raises(UsageError, match=f"another run \\(pid {os.getpid()}\\) is writing here; wait for it to end"):
            Spool.resume(out)
        with pytest.raises(UsageError, match="another run"):
            Spool.create(out, RUN)
        # A run that has the lock, and has not got to its first file.
        (out / "spool" / "run.json").unlink()
        with pytest.raises(UsageError, match="another run"):
            Spool.create(out, RUN)


_HOLDER = """
import sys, time
from pathlib import Path
from typing import Any
from keyaudit.inventory.spool import Spool
from tests.inventory.sample import RUN, KEY_OPERATIONS, vault_scope
spool = Spool.create(Path(sys.argv[1]), RUN)
spool.unit("keys", vault_scope("kv"), KEY_OPERATIONS)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_killed_writer_holds_nothing(out: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=f"another run \\(pid {holder.pid}\\)"):
            Spool.resume(out)
        holder.send_signal(signal.SIGKILL)
    with Spool.resume(out) as spool:
        assert not spool.done("keys", KV)


def test_who_opened_a_lock_file_that_is_gone_by_now_holds_nothing(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open
    with Spool.create(out, RUN):
        pass

    def opened_just_before_the_holder_ended(path: Path, flags: int, mode: int = 0o777, **options: Any) -> int:
        descriptor = real(path, flags, mode, **options)
        if Path(path).name == "lock":
            Path(path).unlink()
        return descriptor

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", opened_just_before_the_holder_ended)
        with pytest.raises(UsageError, match="another run is writing here"):
            Spool.resume(out)


def test_a_lock_that_names_nobody_is_still_a_lock(out: Path) -> None:
    with Spool.create(out, RUN):
        (out / "lock").write_bytes(b"")
        with pytest.raises(UsageError, match="another run is writing here"):
            Spool.resume(out)
