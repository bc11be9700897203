"""Stops a collection at each of its system calls in turn, and sees what the next run makes of the rest.

Run as a program, since it forks: `python -m tests.inventory.faults FOLDER [STEP]` tries every STEP-th call in each way.
It prints a line per way with the number of calls tried, and ends with 1 at the first difference from an undisturbed run.

Ways: `kill` ends the process before the call; `torn` lets half of a write through first; `once` fails one call with "no space
left"; `full` fails it and every one after it. `resumed` before one of them: of a run that goes on with one that was killed.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from keyaudit.inventory.snapshot import open_snapshot, write
from keyaudit.inventory.spool import Spool, Unit
from keyaudit.model.errors import OutputError, UsageError
from keyaudit.model.reasons import Reason
from tests.inventory.sample import KEY_OPERATIONS, RUN, TENANT, application, assessed, key, vault, vault_scope

CALLS = ("open", "write", "fsync", "rename", "unlink", "rmdir", "mkdir", "ftruncate", "fchmod", "pwrite",
         "replace", "link")  # fmt: skip
WAYS = ("kill", "torn", "once", "full", "resumed kill", "resumed full")
HALFWAY = 50
"""The call at which the run is killed that another one goes on with."""
KILLED, SURVIVED, REFUSED, FINISHED = 9, 7, 4, 0

_OPERATIONS = {"directory": ("application.list", "vault.list"), "put off": ()}


def _ask(unit: Unit, surface: str) -> None:
    """Three answers, more than is held in memory. Those that an earlier run left are whole."""
    for number in range(3):
        request, answer = f"{surface} {number}".encode(), bytes([number]) * 20_000
        found = unit.replies.recall(request)
        if found is None:
            unit.replies.keep(request, answer)
        elif found != answer:
            raise AssertionError(f"{surface}: answer {number} is damaged")


def collect(spool: Spool) -> None:
    """Four units, one of them larger than what is held in memory, as a collector would write them. The last one replaces rows
    that the first one put off.
    """
    scopes = [(TENANT, "directory"), (vault_scope("kv"), "keys"), (vault_scope("other"), "keys"), (TENANT, "put off")]
    for scope, surface in scopes:
        if spool.done(surface, scope):
            continue
        operations = _OPERATIONS.get(surface, KEY_OPERATIONS)
        unit = spool.unit(surface, scope, operations)
        _ask(unit, surface)
        if surface == "keys":
            for number in range(3):
                unit.row("key", key(str(number), vault=scope.name))
        elif surface == "put off":
            unit.settle("late", b"{}", [("application", application("late", name="read"))])
        else:
            unit.put_off("late", b"{}", [("application", application("late", name=Reason.INTERNAL_ERROR))])
            unit.row("vault", vault())
            for number in range(4):
                unit.row("application", application(str(number), identifier_uris=["x" * 100_000]))
        unit.close(assessed(scope, *operations))


def killed(folder: Path) -> None:
    """A run that ends half way."""
    disturb("kill", HALFWAY)
    attempt(folder)


def attempt(folder: Path) -> None:
    """A whole collection, begun or gone on with, whichever fits the folder."""
    try:
        spool = Spool.create(folder, RUN)
    except UsageError:
        if (folder / "manifest.json").exists():
            # Whole before it was stopped: there is only something to clear away.
            with suppress(UsageError):
                Spool.resume(folder)
            return
        spool = Spool.resume(folder)
    with spool:
        collect(spool)
        write(spool, spool.run)


def disturb(way: str, number: int) -> Iterator[int]:
    """From now on, the system call with this number comes to grief. Returns what counts the calls."""
    counter = count()

    def wrapped(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            # Readers are never refused, in any state of the disk.
            reads = name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR)
            if reads:
                return real(*arguments, **options)
            at = next(counter)
            if at == number or (way == "full" and at > number):
                if way == "torn" and name == "write":
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                if way in {"kill", "torn"}:
                    os._exit(KILLED)
                raise OSError(28, "No space left on device")
            return real(*arguments, **options)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(name, getattr(os, name)))
    return counter


def forked(work: Callable[[], None]) -> int:
    """Exit code of a child that does `work`; an OutputError is one, anything else that is raised shows and is 1."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        work()
        code = FINISHED
    except OutputError:
        code = REFUSED
    finally:
        if code == 1:
            sys.excepthook(*sys.exc_info())
        os._exit(code)


def content(folder: Path) -> str:
    """A digest over every byte of a snapshot that is whole and has nothing beside it."""
    open_snapshot(folder)
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(path.relative_to(folder).as_posix().encode() + (path.read_bytes() if path.is_file() else b""))
    return digest.hexdigest()


def trials(way: str, folder: Path, step: int, expected: str) -> Iterator[str]:
    """What went wrong, if anything; every `step`-th call until the run gets through."""
    resumed, way = way.startswith("resumed "), way.removeprefix("resumed ")
    for number in count(0, step):
        out = folder / f"{'resumed-' * resumed}{way}-{number}"
        if resumed:
            forked(lambda out=out: killed(out))  # type: ignore[misc]

        def disturbed(number: int = number, out: Path = out) -> None:
            counter = disturb(way, number)
            attempt(out)
            if next(counter) > number:
                os._exit(SURVIVED)

        code = forked(disturbed)
        if code not in {KILLED if way in {"kill", "torn"} else REFUSED, SURVIVED if way == "once" else FINISHED, FINISHED}:
            yield f"{way} at call {number}: exit {code}"
        again = forked(lambda out=out: attempt(out))  # type: ignore[misc]
        if again != FINISHED or content(out) != expected:
            yield f"{way} at call {number}: the next run ends with {again}, or elsewhere"
        if code == FINISHED:
            print(f"{'resumed ' * resumed}{way}: {number // step} calls")
            return


def main(folder: Path, step: int) -> int:
    forked(lambda: attempt(folder / "undisturbed"))
    expected = content(folder / "undisturbed")
    for way in WAYS:
        for wrong in trials(way, folder, step, expected):
            print(wrong)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
