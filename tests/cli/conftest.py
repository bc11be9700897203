"""Commands run in this process, and the simulated tenants collected once for all tests that only read them."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from keyaudit.__main__ import main
from tests.estates import made_once, of_this_code, snapshot
from tests.shared import Opened


class Ran(Struct, frozen=True):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout, as JSON."""
        return json.loads(self.out)


Keyaudit = Callable[..., Ran]


@pytest.fixture
def keyaudit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Keyaudit:
    """Runs a command line."""

    def run(*arguments: str | Path) -> Ran:
        monkeypatch.setattr("sys.argv", ["keyaudit", *(str(argument) for argument in arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        assert isinstance(stopped.value.code, int)
        printed = capsys.readouterr()
        return Ran(stopped.value.code, printed.out, printed.err)

    return run


@pytest.fixture
def without_pyspark(monkeypatch: pytest.MonkeyPatch) -> str:
    """Nothing finds pyspark; what a command with --engine spark says of that, as a pattern."""
    for name in [name for name in sys.modules if name.startswith("keyaudit.") and name.endswith("spark")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("py4j", "py4j.protocol", "pyspark", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, name, None)
    return r"keyaudit: --engine spark: needs \S+, which is not installed; run pip install '.\[spark\]' in .*\n"


def once(*arguments: str | Path) -> None:
    """Runs a command line for several tests, which look at what it wrote."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["keyaudit", *(str(argument) for argument in arguments)])
        with pytest.raises(SystemExit):
            main()


def collected(folder: Path, estate: str, *more: str) -> Path:
    once("collect", "--demo", "--estate", estate, "--out", folder, "--quiet", *more)
    return folder


@pytest.fixture(scope="session")
def _opened() -> Iterator[Opened]:
    kept = Opened()
    yield kept
    kept.close()


@pytest.fixture(scope="module", autouse=True)
def _worked_out_once(_opened: Opened) -> Iterator[None]:
    """Snapshots are read once, for the tests of commands."""
    with pytest.MonkeyPatch.context() as patch:
        _opened.install(patch)
        # Pages are as wide as in a pipe, also where a terminal started the tests.
        patch.delenv("COLUMNS", raising=False)
        yield


@pytest.fixture
def narrow_views(_opened: Opened) -> Iterator[None]:
    """Views have the columns alone that the command needs."""
    _opened.narrow = True
    yield
    _opened.narrow = False


@pytest.fixture(scope="session")
def contoso() -> Path:
    """A snapshot of the tenant that can be read whole."""
    return snapshot("contoso")


@pytest.fixture(scope="session")
def hardened() -> Path:
    """A snapshot of the tenant in which all is as it should be."""
    return snapshot("hardened")


@pytest.fixture(scope="session")
def blind_spots() -> Path:
    """A snapshot of the tenant with six blind spots."""
    return snapshot("blind-spots")


class Reported:
    """The JSON report of a shared snapshot by all policies, passes included; no test may change it."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8")
        self.json: Any = json.loads(self.text)

    def findings(self, *outcomes: str) -> list[dict[str, Any]]:
        """Those of these outcomes."""
        return [each for each in self.json["findings"] if each["outcome"] in outcomes]


def reported(stored: Path) -> Reported:
    """What is reported of a shared snapshot."""

    def make(path: Path) -> None:
        once("report", "--from", stored, "--all", "--quiet", "--export", f"json={path}")

    return Reported(made_once(of_this_code() / f"{stored.parent.name}.json", make))


@pytest.fixture(scope="session")
def contoso_report(contoso: Path) -> Reported:
    """What is reported of the tenant that can be read whole."""
    return reported(contoso)


@pytest.fixture(scope="session")
def blind_report(blind_spots: Path) -> Reported:
    """What is reported of the tenant with six blind spots."""
    return reported(blind_spots)
