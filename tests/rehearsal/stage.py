"""The simulated tenant, the Azure CLI that is signed in to it, and the audit of what the CLI left."""

import asyncio
import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from keyaudit.collect.evidence import Evidence
from keyaudit.inventory.logs import open_logs
from keyaudit.model.results.causes import fingerprint
from keyaudit.model.results.findings import Outcome
from keyaudit.simulator.estates import estate
from keyaudit.simulator.serve import Simulator, serve
from tests import needs
from tests.cli.detections import planted as planted_logs
from tests.clock import COLLECTED
from tests.demo_logs import KEYS, read
from tests.rehearsal import az_server
from tests.rehearsal.at_work import callers
from tests.rehearsal.plants import planted
from tests.simulator.writes.served import EVERY_RIGHT, permit
from tests.sweep.audited import Auditor
from tests.sweep.tenant import Answers

ROOT = Path(__file__).parent.parent.parent
Finding = Mapping[str, Any]
"""A finding as `report -o json` has it."""
Audit = Mapping[str, Finding]
"""The findings that are no pass, by id."""
_QUIET = {
    "AZURE_CORE_COLLECT_TELEMETRY": "false",
    "AZURE_CORE_NO_COLOR": "true",
    "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
}


_AS_JSON = ("-o", "json", "--quiet")


class Ran(Struct, frozen=True):
    """How a command ended."""

    status: int
    out: str
    errors: str


class Change(Struct, frozen=True):
    """The difference of two audits. A finding that became unknown is not closed."""

    closed: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    opened: tuple[Finding, ...]


def compared(before: Audit, after: Audit) -> Change:
    """What an action did: a finding is closed if it is gone, which means that its row passes or is no more."""
    gone = [finding for id_, finding in before.items() if finding["outcome"] == "fail" and id_ not in after]
    unsure = [after[id_] for id_, one in before.items() if one["outcome"] == "fail" and _outcome(after, id_) == "unknown"]
    new = [finding for id_, finding in after.items() if _outcome(before, id_) not in ("fail", finding["outcome"])]
    return Change(tuple(gone), tuple(one for one in unsure), tuple(one for one in new if one not in unsure))


def _outcome(audit: Audit, id_: str) -> str:
    return str(audit[id_]["outcome"]) if id_ in audit else ""


class Stage:
    """One served tenant with one sign-in."""

    def __init__(self, simulator: Simulator, folder: Path, auditor: Auditor) -> None:
        self.simulator = simulator
        self.folder = folder
        """Where commands run, with the files that they name."""
        self._first = simulator.estate
        self._auditor = auditor
        self._logs: tuple[str, ...] = ()
        """Flags that give an audit the logs."""
        self.called: set[tuple[str, str]] = set()
        """The vaults that these logs show in use, each with an address that it is called from."""

    @property
    def _environ(self) -> dict[str, str]:
        machine = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        path = os.pathsep.join((str(self.folder / "az" / "bin"), str(needs.tool("az/bin/az").parent), machine.get("PATH", "")))
        state = {"AZURE_CONFIG_DIR": str(self.folder / "az"), "PATH": path}
        return {**machine, **self.simulator.environ, **_QUIET, **state}

    def reset(self) -> None:
        """The tenant as it was, and no file of an earlier command."""
        self.simulator.restore(self._first)
        for path in self.folder.iterdir():
            if path.name not in ("az", "logs"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    async def run(self, command: str) -> Ran:
        """Run a command in bash, as somebody pastes it who answers a question with yes."""
        asked, answers = pty.openpty()
        try:
            os.write(asked, b"y\n")
            process = await asyncio.create_subprocess_exec(
                *(needs.program("bash"), "-c", command),
                cwd=self.folder,
                env=self._environ,
                stdin=answers,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, errors = await process.communicate()
        finally:
            os.close(asked)
            os.close(answers)
        return Ran(process.returncode or 0, out.decode(), errors.decode())

    @contextlib.asynccontextmanager
    async def az(self) -> AsyncIterator[None]:
        """Inside, `az` is the unmodified CLI with its modules loaded: else most of a command's time is their import."""
        client, server = self.folder / "az" / "bin" / "az", self.folder / "az" / "server"
        client.parent.mkdir(parents=True)
        client.write_text(f"#!{sys.executable} -ISs\n{az_server.CLIENT.format(path=str(server))}")
        client.chmod(0o700)
        program = (needs.tool("az/bin/python"), Path(az_server.__file__), server)
        process = await asyncio.create_subprocess_exec(*program, env={**self._environ, "AZ_INSTALLER": "PIP"})
        try:
            while not server.exists():
                assert process.returncode is None
                await asyncio.sleep(0.01)
            yield
        finally:
            process.terminate()
            await process.wait()

    async def sign_in(self) -> None:
        """Sign az in as the identity of the tenant."""
        signed_in = self.simulator.environ
        ran = await self.run(
            "az login --service-principal --allow-no-subscriptions --output none --tenant "
            f"{signed_in['AZURE_TENANT_ID']} --username {signed_in['AZURE_CLIENT_ID']} "
            f"--password {signed_in['AZURE_CLIENT_SECRET']}"
        )
        assert ran.status == 0, ran.errors

    async def audit(self) -> Audit:
        """Audit the tenant with the command, in a process of its own whose clock is that of the tenant."""
        return _findings(await self._keyaudit("report", "--auth", "env", *_AS_JSON, *self._logs))

    async def keep(self) -> None:
        """Read the tenant into a snapshot, for `audit_since`."""
        await self._keyaudit("collect", "--auth", "env", "--out", "kept", "--quiet")

    async def audit_since(self) -> Audit:
        """Audit the tenant with what the kept snapshot knows of it."""
        await self._keyaudit("collect", "--auth", "env", "--since", "kept", "--out", "now", "--quiet")
        found = await self._keyaudit("report", "--from", "now", *_AS_JSON)
        shutil.rmtree(self.folder / "now")
        return _findings(found)

    @contextlib.asynccontextmanager
    async def with_logs(self) -> AsyncIterator[None]:
        """Inside, audits have logs of the tenant with everything in them that a detection looks for."""
        self.reset()
        await self.keep()
        logs = planted_logs(read(self.folder / "kept"))
        logs.write(self.folder / "logs" / "files")
        await self._keyaudit("usage", "import", "logs/files", "--out", "logs/uses")
        with Auditor(Answers(self._first), Evidence(logs=open_logs(self.folder / "logs" / "uses"))) as auditor:
            without = self._auditor
            self._auditor, self._logs = auditor, ("--import", "logs=logs/uses")
            self.called = callers(logs.records[KEYS], COLLECTED)
            try:
                yield
            finally:
                self._auditor, self._logs, self.called = without, (), set()

    async def _keyaudit(self, *arguments: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.estates", *arguments),
            cwd=self.folder,
            env={**self._environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await process.communicate()
        assert process.returncode in (0, 3), errors.decode()
        return out

    async def left(self) -> Audit:
        """The tenant as it is now, audited by the same program, which here works out again only what changed. Of a finding no
        more than id, policy, subject and outcome."""
        results = await asyncio.to_thread(self._auditor.results_of, Answers(self.simulator.estate))
        return {
            fingerprint(policy, subject): {"policy": policy, "subject": subject, "outcome": outcome.value}
            for (policy, subject), outcome in results.items()
            if outcome is not Outcome.PASS
        }


def _findings(report: bytes) -> Audit:
    return {finding["id"]: finding for finding in json.loads(report)["findings"] if finding["outcome"] != "pass"}


@contextlib.asynccontextmanager
async def staged(name: str = "contoso", *, writable: bool = True, az: bool = True) -> AsyncIterator[Stage]:
    """Serve an estate at the hour at which the tests' snapshots are collected, with az signed in if it is wanted."""
    writes = permit(EVERY_RIGHT) if writable else None
    made = planted(estate(name, COLLECTED))
    async with serve(made, now=lambda: float(COLLECTED), writes=writes) as simulator:
        with tempfile.TemporaryDirectory(prefix="keyaudit-rehearsal-") as folder, Auditor(Answers(made), Evidence()) as auditor:
            stage = Stage(simulator, Path(folder), auditor)
            if not az:
                yield stage
                return
            async with stage.az():
                await stage.sign_in()
                yield stage


def version() -> str:
    """The version of the Azure CLI."""
    ran = subprocess.run([needs.tool("az/bin/az"), "version", "--output", "json"], capture_output=True, text=True, check=True)
    return str(json.loads(ran.stdout)["azure-cli"])
