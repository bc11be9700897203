"""Runs tests on one mutant after the other."""

import functools
import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutants.changes import Mutant
from tests.mutants.guards import guards
from tests.needs import ROOT

LEAST, PATIENCE = 10, 4
"""A mutant is noticed if its tests take four times as long, and more than ten seconds longer: it may never end."""

_OPTIONS = ["-x", "-q", "-n0", "--no-cov", "-pno:cacheprovider", "--hypothesis-seed=1", "-Wignore:Module already imported"]
_PRELOADED = (
    "aiohttp",
    "azure.identity.aio",
    "azure.keyvault.keys.aio",
    "cryptography.x509",
    "duckdb",
    "httpx_aiohttp",
    "hypothesis.strategies",
    "jinja2",
    "kiota_http.httpx_request_adapter",
    "msgraph_core",
    "msgspec",
    "rich.console",
    "yaml",
)


class Trials:
    """A copy of the tree in `folder`, in which mutants are tried one after the other."""

    def __init__(self, folder: Path) -> None:
        self._tree = folder / "tree"
        ignored = shutil.ignore_patterns("__pycache__", ".*_cache", ".venv", ".git", ".hypothesis", "node_modules")
        shutil.copytree(ROOT, self._tree, ignore=ignored)
        # Compiled files are compared with the text, not the time, so none outlives a mutant.
        compiled = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "keyaudit"]
        subprocess.run(compiled, cwd=self._tree, check=True)
        os.environ |= {"PYTHONPATH": str(self._tree), "XDG_CACHE_HOME": str(folder / "cache")}
        for name in _PRELOADED:
            importlib.import_module(name)
        self._taken = functools.cache(self._measured)

    def survives(self, mutant: Mutant, *, nearest: bool) -> bool:
        """Whether all tests that guard its file, or the nearest of them, pass with the mutant in it."""
        file = self._tree / mutant.file
        source = file.read_bytes()
        stages = guards(mutant.file)[0]
        for tests in stages[:1] if nearest else stages:
            taken = self._taken(tests)
            file.write_bytes(mutant.applied(source))
            try:
                if not self._passes(tests, *taken):
                    return False
            finally:
                file.write_bytes(source)
        return True

    def _measured(self, tests: tuple[str, ...]) -> tuple[float, float]:
        """The seconds and CPU seconds that these tests take. They must pass without a mutant."""
        begun, used = time.monotonic(), _used()
        assert self._passes(tests, 3_600, 3_600), f"without a mutant, these fail: {' '.join(tests)}"
        return time.monotonic() - begun, _used() - used

    def _passes(self, tests: Sequence[str], seconds: float, of_cpu: float) -> bool:
        child = os.fork()
        if not child:
            self._run(tests, LEAST + PATIENCE * int(of_cpu))
        until = time.monotonic() + LEAST + PATIENCE * seconds
        while time.monotonic() < until:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status) == 0
            time.sleep(0.02)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return False

    def _run(self, tests: Sequence[str], of_cpu: int) -> None:
        """In the child: runs the tests of the copied tree, and ends."""
        code = 70
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (of_cpu, of_cpu))
            os.setsid()
            silent = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(silent, stream)
            os.chdir(self._tree)
            sys.path.insert(0, str(self._tree))
            for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "keyaudit")]:
                del sys.modules[name]
            code = pytest.main([*_OPTIONS, *tests])
        finally:
            os._exit(code)


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime
