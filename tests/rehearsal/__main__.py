"""Rehearse the slice and write what it showed, or show what the commands of the named families do.

    python -m tests.rehearsal [FAMILY...]
    python -m tests.rehearsal --causes

The second prints by cause the one action that closes it, and which findings it closed in the rehearsal that was kept.
"""

import asyncio
import sys
from collections.abc import Sequence

from tests.rehearsal import causes
from tests.rehearsal.acted import by_actions, in_ordinary, with_logs
from tests.rehearsal.causes import Closed, measured, merged
from tests.rehearsal.rehearse import SLICE, Run, half_done, of, rehearse
from tests.rehearsal.results import FILE, problems, results, written
from tests.rehearsal.stage import staged, version


async def _rehearsed(families: Sequence[str], *, whole: bool) -> tuple[list[Run], list[Closed]]:
    """What the commands of the families did. As a `whole`: those with logs and those of an ordinary tenant, too, and what the
    actions of causes did in the tenants themselves.
    """
    runs: list[Run] = []
    async with staged() as stage:
        before = await stage.audit()
        for family in families:
            runs += [_shown(run) async for run in rehearse(stage, of(family, before), before)]
        if not whole:
            return runs, []
        runs.append(_shown(await half_done(stage, before)))
        in_contoso = await by_actions(stage, before)
        logged, by_logs = await with_logs(stage)
    others, in_others = await in_ordinary(before)
    for run in (*logged, *others):
        _show(run)
    # With logs a command closes more than without: that is no second measurement of the same.
    return [*runs, *logged, *others], merged([*measured([*runs, *others]), *in_contoso, *by_logs, *in_others])


def _shown(run: Run) -> Run:
    _show(run)
    return run


def _show(run: Run) -> None:
    first, *then = run.commands
    print(f"\n{first}", *(f"   then {each}" for each in then), sep="\n")
    print(f"   printed by {', '.join(run.policies)}; closed of these: {', '.join(run.closing) or 'none'}")
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
    if run.unsaid:
        print(f"   cut off: {', '.join(run.unsaid)}")
    sys.stdout.flush()


def main(families: Sequence[str]) -> int:
    """The exit code: 1 if a command did more than its fix says, or less than is declared of it."""
    whole = tuple(families) == SLICE
    runs, closed = asyncio.run(_rehearsed(families, whole=whole))
    if whole:
        FILE.write_text(written(version(), results(runs)))
        causes.FILE.write_text(causes.written(closed))
    wrong = problems(runs)
    print("", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--causes"]:
        print(*causes.table(), sep="\n")
    else:
        sys.exit(main(sys.argv[1:] or SLICE))
