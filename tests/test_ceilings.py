"""The size of the code is counted, and what grows is named."""

from pathlib import Path

import pytest

from tests.ceilings import ROOT, Ceiling, Ceilings, exceeded, read


def ceilings(*, wheel: int = 100, tests: int = 100, folder: int = 2) -> Ceilings:
    return Ceilings(wheel=Ceiling(wheel, "Why."), tests=Ceiling(tests, "Why."), folder=Ceiling(folder, "Why."))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with 3 modules in one folder, 6 shipped lines and 1 line of tests."""
    for name in ("keyaudit/model/a.py", "keyaudit/model/b.py", "keyaudit/model/c.py", "policies/p.yaml", "tests/test_a.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1\n")
    (tmp_path / "keyaudit" / "page.md").write_text("1\n2\n")
    (tmp_path / "tests" / "answer.json").write_text("{\n}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (ceilings(folder=3), []),
        (ceilings(), ["keyaudit/model: 3 modules; at most 2"]),
        (ceilings(folder=3, wheel=5), ["wheel: 6 lines; at most 5"]),
        (ceilings(folder=3, tests=0), ["tests: 1 lines; at most 0"]),
    ],
)
def test_what_is_above_its_ceiling_is_named(checkout: Path, given: Ceilings, says: list[str]) -> None:
    assert list(exceeded(checkout, given)) == says


def test_a_ceiling_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ceilings.toml"
    path.write_text((ROOT / "tests" / "ceilings.toml").read_text(encoding="utf-8").replace('why = "', 'why = "" # "', 1))
    with pytest.raises(ValueError, match="every ceiling has its reason"):
        read(path)


def test_the_check_counts() -> None:
    assert ".venv/bin/python -m tests.ceilings\n" in (ROOT / ".ci" / "check").read_text(encoding="utf-8")
    assert read().folder.most == 25
