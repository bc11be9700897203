"""Commands run in this process, and the simulated tenants collected once for all tests that only read them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keyaudit.__main__ import main


@dataclass(frozen=True, slots=True)
class Ran:
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
def contoso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the tenant that can be read whole."""
    return collected(tmp_path_factory.mktemp("contoso") / "snapshot", "contoso")


@pytest.fixture(scope="session")
def hardened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the tenant in which all is as it should be."""
    return collected(tmp_path_factory.mktemp("hardened") / "snapshot", "hardened")


@pytest.fixture(scope="session")
def blind_spots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the tenant with six blind spots."""
    return collected(tmp_path_factory.mktemp("blind") / "snapshot", "blind-spots")
