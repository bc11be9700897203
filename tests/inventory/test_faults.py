"""Whatever call of the system fails or is the last one, the next run comes to the same snapshot."""

import subprocess
import sys
from pathlib import Path

# A prime, so that the four ways together meet calls of every kind; `python -m tests.inventory.faults FOLDER` tries them all.
STEP = 31


def test_a_collection_stopped_anywhere_is_gone_on_with_to_the_same_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.inventory.faults", str(tmp_path), str(STEP)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tried = dict(line.split(": ") for line in done.stdout.splitlines())
    assert list(tried) == ["kill", "torn", "once", "full"]
    assert all(int(calls.partition(" ")[0]) >= 3 for calls in tried.values())
