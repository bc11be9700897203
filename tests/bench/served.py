"""A simulated tenant in a process of its own, and how to lead a command to it and report what it was asked."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PYTHON = sys.executable
KEYAUDIT = [str(Path(PYTHON).parent / "keyaudit")]


@contextmanager
def served(estate: str, latency: float, said: float | None = None) -> Iterator[tuple[dict[str, Any], "subprocess.Popen[str]"]]:
    """The tenant's access data, and its process. `said`: it has the documented limits, and this share of its refusals has a
    Retry-After; None: no limits.
    """
    command = [PYTHON, "-m", "tests.bench.server", estate, str(latency), *(() if said is None else (str(said),))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield json.loads(server.stdout.readline()), server
        finally:
            server.stdin.close()
            server.wait(timeout=10)


def asked(server: "subprocess.Popen[str]", path: Path) -> dict[str, Any]:
    """What it was asked since the last call, also in the file `path`: requests, calls by operation, charged units, refusals."""
    assert server.stdout is not None
    assert server.stdin is not None
    server.stdin.write(f"{path}\n")
    server.stdin.flush()
    server.stdout.readline()
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def environ(access: dict[str, Any]) -> dict[str, str]:
    """The environment variables that lead a command to the tenant."""
    return {
        "HTTPS_PROXY": access["proxy"],
        "SSL_CERT_FILE": access["ca_file"],
        "AZURE_TENANT_ID": access["tenant"],
        "AZURE_CLIENT_ID": access["client"],
        "AZURE_CLIENT_SECRET": access["secret"],
    }


def say(what: str, figure: str, bar: str) -> None:
    """Print one measurement, with its bar."""
    print(f"{what:<58} {figure:>22}   {bar}", flush=True)
