"""README and the topics cannot lie: their generated parts are as the code is now, and README can be read in three minutes."""

import re
from pathlib import Path

import pytest

from keyaudit.cli.app import app
from keyaudit.cli.every_command import commands, every_command
from keyaudit.model.operations import OPERATIONS, Rights
from keyaudit.report.topics import FILES
from tests.docs import FOUND, README, TOPICS, filled

TEXT = README.read_text(encoding="utf-8")
PICTURE = README.parent / ".github" / "report.png"


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_the_generated_parts_are_current(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == filled(text, FOUND[path]), "run: python -m tests.docs"


def test_the_two_commands_for_a_bare_machine_are_there() -> None:
    assert "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/keyaudit report --demo\n" in TEXT
    assert "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/pytest\n" in TEXT


def test_the_readme_is_short_and_leads_to_every_topic() -> None:
    assert len(TEXT.splitlines()) <= 256
    linked = set(re.findall(r"`keyaudit explain ([a-z-]+)`", TEXT))
    assert set(FILES) <= linked
    assert {path.stem for path in TOPICS.glob("*.md")} == set(FILES)


def test_the_permissions_on_graph_are_exactly_those_that_are_asked_for() -> None:
    asked = {each.right.name for each in OPERATIONS.values() if each.right.rights is Rights.GRAPH}
    assert set(re.findall(r"\b[A-Z][\w-]+\.Read\.(?:All|Directory)\b", TEXT)) == asked


def test_the_picture_is_there_and_small() -> None:
    assert f"({PICTURE.relative_to(README.parent)})" in TEXT
    data = PICTURE.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) < 150_000


def test_every_path_in_the_guide_for_contributors_is_there() -> None:
    root = README.parent
    text = (root / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(r"(?:`|pytest -n 0 )((?:keyaudit|policies|tests|\.ci)/[\w./-]*)", text)
    assert len(set(paths)) > 25
    assert [path for path in paths if not (root / path).exists()] == []
    assert len(text.splitlines()) <= 60
    assert ".github/CONTRIBUTING.md" in TEXT


def test_every_command_is_in_the_topic_of_commands() -> None:
    text, names = every_command(app()), list(commands(app()))
    assert {"report", "policies docs", "usage learn", "policies guardrails", "doctor", "doctor config"} <= set(names)
    assert all(f"\n$ keyaudit {name} --help\n" in text for name in names)


def test_nobody_is_told_to_install_it_from_a_registry() -> None:
    """keyaudit is in no registry: somebody else could put a package of its name there."""
    root = README.parent
    places = [README, *TOPICS.glob("*.md"), *(root / ".github").rglob("*.yml"), *(root / "keyaudit").rglob("*.py")]
    told = re.compile(r"pip3? install (?:-\S+ )*[\"']?keyaudit(?:\[|[=~<>]=|[\"'\s]|$)", re.MULTILINE)
    assert len(places) > 200
    assert all(
        told.search(f"pip install {text}\n") for text in ("keyaudit", "--quiet keyaudit", "'keyaudit[xlsx]'", "keyaudit==1")
    )
    for path in places:
        assert told.findall(path.read_text(encoding="utf-8")) == [], path


def test_the_text_for_the_picture_has_no_number_that_becomes_wrong() -> None:
    (text,) = re.findall(r"!\[([^\]]*)\]\(\.github/report\.png\)", TEXT)
    assert re.search(r"\d", text) is None
