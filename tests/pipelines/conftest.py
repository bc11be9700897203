"""A build agent's machine for each test."""

from pathlib import Path

import pytest

from tests.pipelines.agent import Agent


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    """A machine with nothing on it."""
    for name in ("temp", "workspace"):
        (tmp_path / name).mkdir()
    return Agent(tmp_path / "temp", tmp_path / "workspace")
