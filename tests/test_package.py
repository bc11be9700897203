"""What is released: the sdist and the checkout make the same wheel, and that runs where there is no checkout."""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import keyaudit
from keyaudit.report.formats import FORMATS
from tests.needs import program, tool
from tests.pipelines.agent import plant

pytestmark = pytest.mark.exhaustive

ROOT = Path(keyaudit.__file__).parents[1]
CONTAINER = ROOT / ".github" / "container"
RECIPE = (CONTAINER / "Dockerfile").read_text(encoding="utf-8")
_EPOCH = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}


def _build(source: Path, out: Path, *kinds: str) -> None:
    # uv makes the environment that a build is done in, at a tenth of pip's time.
    environ = {**_EPOCH, "PATH": f"{tool('bin/uv').parent}{os.pathsep}{_EPOCH.get('PATH', '')}"}
    command = [sys.executable, "-m", "build", "--installer", "uv", *kinds, "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, env=environ)


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


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an empty environment with the wheel, made by the commands of the container's first layers."""
    folder = tmp_path_factory.mktemp("container")
    _base, build, _run = RECIPE.split("\n\n")
    here = {"/opt/keyaudit": folder / "keyaudit", "/wheels": folder / "wheels", "/dist": folder / "dist", "/src": ROOT}
    commands = re.findall(r"^RUN (.+)$", build, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        mapped = re.sub("/(opt/keyaudit|wheels|dist|src)", lambda path: str(here[path[0]]), command)
        mapped = re.sub("^python ", f"{sys.executable} ", mapped)
        # A command that another test ran in this process made every new file private.
        subprocess.run(mapped, shell=True, check=True, cwd=folder, umask=0o022)
    [made] = (folder / "dist").iterdir()
    assert made.name == wheel.name
    assert _members(made) == _members(wheel)
    return folder / "keyaudit"


def _members(wheel: Path) -> dict[str, int]:
    """The checksum of each file of keyaudit; what else is in a wheel names the program that built it."""
    with zipfile.ZipFile(wheel) as archive:
        return {each.filename: each.CRC for each in archive.infolist() if each.filename.startswith("keyaudit/")}


def test_the_container_takes_what_the_build_needs_and_runs_as_nobody() -> None:
    _base, _build, run = RECIPE.split("\n\n")
    assert "USER 65532:65532\n" in run
    # The console script imports nothing from the mounted folder.
    assert 'ENTRYPOINT ["keyaudit"]\n' in run
    assert " PYTHONSAFEPATH=1\n" in run
    assert "RUN" not in run
    kept = (CONTAINER / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert kept[0] == "*"
    assert all((ROOT / line.removeprefix("!")).exists() for line in kept if line.startswith("!"))


def test_the_container_runs_without_root_on_a_read_only_file_system(installed: Path) -> None:
    """In a mount namespace, with nothing to write to but a small file system in memory, as `docker run` makes it."""
    mounts = (
        "mount --make-rprivate / && mount -t tmpfs -o mode=755 none /mnt && mkdir /mnt/python /mnt/keyaudit /mnt/tmp",
        # Where python itself is, only root may be able to look.
        f"mount --bind {sys.base_prefix} /mnt/python && mount --bind {installed} /mnt/keyaudit",
        "mount -o remount,ro,bind /mnt/python && mount -o remount,ro,bind /mnt/keyaudit && mount -o remount,ro,bind /mnt",
        "mount -t tmpfs -o mode=1777 none /mnt/tmp && mount -o remount,ro,bind / && cd /",
    )
    nobody = "setpriv --reuid 65532 --regid 65532 --clear-groups --bounding-set=-all --no-new-privs --"
    [packages] = (installed / "lib").glob("*/site-packages")
    environ = {
        "PATH": "/mnt/python/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LD_LIBRARY_PATH": "/mnt/python/lib",
        "PYTHONPATH": f"/mnt/keyaudit/{packages.relative_to(installed)}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/mnt/tmp",
        "TMPDIR": "/mnt/tmp",
    }

    def ran(command: str) -> subprocess.CompletedProcess[str]:
        inside = [program("unshare"), "--mount", "sh", "-ec", f"{' && '.join(mounts)}; exec {nobody} {command}"]
        return subprocess.run(inside, env=environ, capture_output=True, text=True, check=False)

    if os.geteuid() != 0 or ran("true").returncode != 0:
        pytest.skip("nothing may be mounted here")
    installed.chmod(0o755)
    assert ran("touch /root-is-read-only").returncode != 0
    assert ran("touch /mnt/keyaudit/here-too").returncode != 0
    assert ran("touch /mnt/tmp/here").returncode == 0
    report = ran("python3 -m keyaudit report --demo --estate sized:2x3")
    assert report.returncode == 0, report.stderr
    assert "open findings" in report.stdout
    assert ran("python3 -m keyaudit gate --demo --fail-on critical").returncode == 1


def test_the_readme_says_what_an_installation_weighs(installed: Path) -> None:
    bytes_ = sum(path.stat().st_blocks * 512 for path in installed.rglob("*") if not path.is_symlink())
    said = re.search(r"The installation takes about\s+(\d+) MB", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert said is not None
    assert int(said[1]) == pytest.approx(bytes_ / 1_000_000, rel=0.15)


def test_the_wheel_runs_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    subprocess.run([str(installed / "bin" / "python"), "-m", "pip", "install", "-q", "XlsxWriter"], check=True)
    witness = plant(tmp_path)

    def ran(*arguments: str | Path) -> str:
        command = [str(installed / "bin" / "keyaudit"), *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "open findings" in ran("report", "--demo")
    ran("policies", "test")
    ran("collect", "--demo", "--estate", "sized:2x3", "--out", tmp_path / "snapshot")
    ran("export", "--from", tmp_path / "snapshot", *(f"{name}={tmp_path / name}" for name in FORMATS))
    assert all((tmp_path / name).stat().st_size for name in FORMATS)
    assert not witness.exists()
