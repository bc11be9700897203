"""The tiers of the suite, and what all tests share: the shipped policies, which each process reads from disk once."""

import functools
import gc
import hashlib
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from keyaudit.cli.terminal import progress
from keyaudit.cloud import session
from keyaudit.policy import load
from tests import clock
from tests.shared import remember_sql

TESTS = Path(__file__).parent
MEASURED = (
    *(
        "model/",
        "policy/",
        "policies/",
        "inventory/",
        "cloud/",
        "plan/",
        "test_assess.py",
        "test_gate.py",
        "test_left_out.py",
        "test_history.py",
    ),
    "report/test_difference.py",
    *(
        f"cli/test_{name}.py"
        for name in (
            "authoring",
            "baseline",
            "blast_radius",
            "incident",
            "parameters",
            "part",
            "settings",
            "trust",
            "waivers_add",
        )
    ),
)
"""The tests that are traced, which takes half as long again: those of the floors that have a bar for coverage, and of the
commands that put together what no test below them does.
"""
UNMEASURED = (
    "inventory/facts/test_groups.py",
    "inventory/usage/test_intrusions.py",
)
"""Generators among them, which take long: a line that only they run counts as not run."""
LONG = (
    "rehearsal/test_rehearsal.py",
    "cli/test_report_spark.py",
    "cli/test_documents.py",
    "cli/test_usage_spark.py",
    "cli/test_export.py",
    "test_package.py",
    "inventory/test_unread_cells.py",
    "sweep/test_sweep.py",
    "cli/test_redact.py",
    "cli/test_mcp.py",
    "inventory/usage/test_on_spark.py",
    "policy/test_differential.py",
)
"""The files of the exhaustive tier that take longest, the longest first: they begin, so that no worker waits for another at the
end, and each fifth of the tier has its share of them.
"""
_TURN = (0, 1, 2, 3, 4, 4, 3, 2, 1, 0)
"""The fifths that get the long files, in turn: the shares take about as long."""
OF_EXHAUSTIVE = ("mark.exhaustive", "hypothesis", "each_with_each", "some_with_each", "first_of", "turning", "one_of_each_kind")
"""One of these is in every file that has a test of the exhaustive tier."""

settings.register_profile("default", max_examples=30, deadline=None)
settings.register_profile("exhaustive", max_examples=200, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    """Chooses how many examples a property is tried on, by the tier.

    A shell starts what runs in the background with Ctrl-C ignored, and the commands that tests start would inherit it.
    """
    # Nothing that collecting makes is garbage, and looking for some takes a quarter of its time.
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.load_profile("exhaustive" if _exhaustive(config) else "default")
    pytest.MonkeyPatch().setattr(load, "_shipped", functools.cache(load._shipped))
    remember_sql(pytest.MonkeyPatch())
    clock.begin()
    # What a command says when a step takes long, and what it reads, must not depend on how busy the machine is.
    pytest.MonkeyPatch().setattr(progress, "LONG", 3_600.0)
    pytest.MonkeyPatch().setattr(session, "CONNECT_TIMEOUT", 300.0)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The exhaustive tier loads no files without a test of it, and of a commit only those of the fifth that it chooses."""
    if not _exhaustive(config) or not collection_path.name.startswith("test_"):
        return None
    commit = os.environ.get("KEYAUDIT_FIFTH", "")
    name = collection_path.relative_to(TESTS).as_posix()
    return None if _has_exhaustive(collection_path) and (not commit or chosen(name, commit)) else True


def chosen(name: str, commit: str) -> bool:
    """Whether a file is in the fifth of the exhaustive tier that a commit chooses."""
    return fifth(name) == _digest(commit) % 5


def fifth(name: str) -> int:
    """The fifth of the exhaustive tier that a file is in, from 0 to 4."""
    return _TURN[LONG.index(name) % len(_TURN)] if name in LONG else _digest(name) % 5


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Coverage is traced in the tests of floors that have a bar for it.

    A property is in both tiers: in the exhaustive one it is tried on more examples.
    """
    for item in items:
        path = item.path.relative_to(TESTS).as_posix()
        if not path.startswith(MEASURED) or path in UNMEASURED:
            item.add_marker(pytest.mark.no_cover)
    if _exhaustive(config):
        for item in items:
            if isinstance(item, pytest.Function) and getattr(item.obj, "is_hypothesis_test", False):
                item.add_marker(pytest.mark.exhaustive)
        items.sort(key=lambda item: item.path.relative_to(TESTS).as_posix() not in LONG)
    else:
        marked = {item.path for item in items if item.get_closest_marker("exhaustive")}
        if unseen := [str(path) for path in marked if not _has_exhaustive(path)]:
            raise pytest.UsageError(f"{', '.join(unseen)}: -m exhaustive does not load it; add a word of it to OF_EXHAUSTIVE")


def pytest_collection_finish() -> None:
    """From here on garbage is collected, but for what all tests have in common."""
    gc.freeze()
    gc.enable()


def _exhaustive(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr") == "exhaustive")


def _has_exhaustive(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return any(word in text for word in OF_EXHAUSTIVE)
