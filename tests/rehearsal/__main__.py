"""Rehearse the slice, or the families that are named; show what each command did; and write what it showed."""

import asyncio
import json
import sys
from collections.abc import Sequence

from tests.rehearsal.rehearse import SLICE, Run, rehearse
from tests.rehearsal.results import FILE, problems, results, written
from tests.rehearsal.stage import staged, version


async def _rehearsed(families: Sequence[str]) -> list[Run]:
    runs = []
    async with staged() as stage:
        before = await stage.audit()
        for family in families:
            async for run in rehearse(stage, family, before):
                runs.append(run)
                _show(run)
    return runs


def _show(run: Run) -> None:
    print(f"\n{run.command}", *(f"   then {each}" for each in run.then), sep="\n")
    print(f"   printed by {', '.join(run.policies)}; closed of these: {', '.join(run.own) or 'none'}")
    if run.errors:
        print(f"   refused: {run.errors.splitlines()[0]}")
    for name, part in (
        ("closed", run.change.closed),
        ("now unknown", run.change.unknown),
        ("opened", run.change.opened),
        ("left of the cause", run.left),
    ):
        if part:
            print(f"   {name}: {', '.join(sorted({each['policy'] for each in part}))}")
    sys.stdout.flush()


def main(families: Sequence[str]) -> int:
    """The exit code: 1 if a command did more than its fix says, or less than is declared of it."""
    runs = asyncio.run(_rehearsed(families))
    made = results(runs)
    kept = json.loads(FILE.read_text()) if FILE.exists() else {"commands": []}
    others = [each for each in kept["commands"] if not _covers(families, str(each["command"]))]
    FILE.write_text(written(version(), [*others, *made]))
    wrong = problems(runs)
    print("", *wrong, sep="\n")
    return 1 if wrong else 0


def _covers(families: Sequence[str], command: str) -> bool:
    return next((each for each in SLICE if command.startswith(each)), "") in {*families, ""}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or SLICE))
