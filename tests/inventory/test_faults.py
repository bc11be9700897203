"""If any system call fails or is the last one, the next run creates the same snapshot."""

import subprocess
import sys
from pathlib import Path

import pytest

# Primes, so that the ways together meet calls of every kind. `python -m tests.inventory.faults FOLDER` tries every call.
STEP, CLOSER = 37, 5


@pytest.mark.parametrize("step", [STEP, pytest.param(CLOSER, marks=pytest.mark.exhaustive)])
def test_a_collection_stopped_anywhere_is_gone_on_with_to_the_same_end(tmp_path: Path, step: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.inventory.faults", str(tmp_path), str(step)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tried = dict(line.split(": ") for line in done.stdout.splitlines())
    assert list(tried) == ["kill", "torn", "once", "full", "resumed kill", "resumed full"]
    assert all(int(calls.partition(" ")[0]) >= 48 // step for calls in tried.values())
