"""What is released: the sdist and the checkout make the same wheel, and that runs where there is no checkout."""

import hashlib
import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest

import keyaudit
from keyaudit.report.formats import FORMATS

pytestmark = pytest.mark.exhaustive

ROOT = Path(keyaudit.__file__).parents[1]
_EPOCH = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}


def _build(source: Path, out: Path, *kinds: str) -> None:
    subprocess.run([sys.executable, "-m", "build", *kinds, "--outdir", str(out), str(source)], check=True, env=_EPOCH)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the checkout makes, after it was seen that the sdist makes the same."""
    folder = tmp_path_factory.mktemp("package")
    _build(ROOT, folder / "checkout", "--sdist", "--wheel")
    (sdist,) = (folder / "checkout").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    _build(source, folder / "sdist", "--wheel")
    made = [next((folder / name).glob("*.whl")) for name in ("checkout", "sdist")]
    assert hashlib.sha256(made[0].read_bytes()).digest() == hashlib.sha256(made[1].read_bytes()).digest()
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(made[0])], check=True)
    return made[0]


def test_the_wheel_runs_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", f"{wheel}[xlsx]"], check=True)

    def ran(*arguments: str | Path) -> str:
        command = [python, "-P", "-m", "keyaudit", *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "open findings" in ran("report", "--demo")
    ran("policies", "test")
    ran("collect", "--demo", "--estate", "sized:2x3", "--out", tmp_path / "snapshot")
    ran("export", "--from", tmp_path / "snapshot", *(f"{name}={tmp_path / name}" for name in FORMATS))
    assert all((tmp_path / name).stat().st_size for name in FORMATS)
