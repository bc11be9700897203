"""Tries every fault and tells what came of it. See `--help`."""

import argparse
import itertools
import random
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from msgspec import Struct

from tests.sweep.compare import Effect
from tests.sweep.faults import Fault
from tests.sweep.sources import ALONE, PAIRS, violations
from tests.sweep.sweep import Sweep, distant

_SHOWN = 6
"""Results that are shown of each violation."""


class Tried(Struct, frozen=True):
    """One fault, or several at once, and what came of it."""

    kind: str
    operation: str
    again: str
    single: bool
    effect: Effect


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 unless there is no silent pass and no loss."""
    asked = _asked(arguments)
    if asked.sources:
        return _of_sources(asked.sources)
    return _at_once(asked) if asked.together else summed_up(_all(asked))


def summed_up(found: Sequence[Tried]) -> int:
    """Prints the table and the last line; gives the exit code."""
    for line in _table(found):
        print(line)
    silent = sum(bool(tried.effect.silent) for tried in found)
    losses = sum(bool(tried.effect.losses) for tried in found)
    print(f"{len(found):,} faults tried, {silent:,} silent passes, {losses:,} losses")
    bugs = any(tried.effect.bugs for tried in found)
    return 1 if silent or losses or bugs else 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep", description=__doc__)
    parser.add_argument("--sample", type=int, metavar="N", help="only N faults, chosen by --seed")
    parser.add_argument("--pairs", type=int, metavar="N", help="N pairs of faults, chosen by --seed, instead of single ones")
    parser.add_argument("--together", type=int, metavar="N", help="only faults of single objects, about N at once")
    parser.add_argument("--sources", choices=("alone", "pairs"), help="no faults: audits of one source, or of two, alone")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1, metavar="N")
    parser.add_argument("--operation", action="append", metavar="ID", help="only faults of this operation; may be repeated")
    parser.add_argument("--fault", action="append", metavar="NAME", help="only faults of this name; may be repeated")
    return parser.parse_args(arguments)


def _all(asked: argparse.Namespace) -> list[Tried]:
    parts = max(1, asked.processes)
    if parts == 1:
        return _part(asked, 0, 1)
    with ProcessPoolExecutor(parts) as pool:
        waiting = [pool.submit(_part, asked, number, parts) for number in range(parts)]
        return [tried for part in waiting for tried in part.result()]


def _part(asked: argparse.Namespace, number: int, parts: int) -> list[Tried]:
    """What one process tries; violations are printed as they are found."""
    found: list[Tried] = []
    with Sweep() as sweep:
        for faults in _share(chosen(sweep.faults, asked), number, parts):
            effect = sweep.tried(*faults)
            first = faults[0]
            pair = "--pairs 1 " if len(faults) > 1 else ""
            again = f"python -m tests.sweep {pair}{' '.join(fault.again for fault in faults)}"
            kind = first.kind if len(faults) == 1 else "pair"
            found.append(Tried(kind, first.operation, again, first.single and len(faults) == 1, effect))
            for line in _violations(found[-1]):
                print(line, flush=True)
    return found


def _at_once(asked: argparse.Namespace) -> int:
    """Tries faults of distant objects at once; what is wrong is told of each fault alone."""
    with Sweep() as sweep:
        groups = distant([fault for faults in chosen(sweep.faults, asked) for fault in faults], asked.together)
        found = [
            Tried(fault.kind, fault.operation, f"python -m tests.sweep {fault.again}", fault.single, effect)
            for group in groups
            for fault, effect in sweep.wrong(group)
        ]
    for line in (line for tried in found for line in _violations(tried)):
        print(line)
    silent = sum(bool(tried.effect.silent) for tried in found)
    losses = sum(bool(tried.effect.losses) for tried in found)
    print(f"{sum(map(len, groups)):,} faults tried in {len(groups):,} groups, {silent:,} silent passes, {losses:,} losses")
    return 1 if found else 0


def _of_sources(chosen: str) -> int:
    """Audits each source, or each pair of them, alone; gives the exit code."""
    parts = {"alone": ALONE, "pairs": PAIRS}[chosen]
    wrong = 0
    with Sweep() as sweep:
        for sources in parts:
            found = list(violations(sweep.base.audited, sweep.auditor.of_sources(*sources)))
            wrong += bool(found)
            for line in found:
                print(f"{' '.join(sources)}: {line}", flush=True)
    print(f"{len(parts):,} parts audited, {wrong:,} wrong")
    return 1 if wrong else 0


def _share(all_: Sequence[tuple[Fault, ...]], number: int, parts: int) -> Iterator[tuple[Fault, ...]]:
    """One process's part: faults of one member stay together."""
    groups = itertools.groupby(all_, key=lambda faults: (faults[0].operation, faults[0].member))
    for index, (_, group) in enumerate(groups):
        if index % parts == number:
            yield from group


def chosen(faults: Sequence[Fault], asked: argparse.Namespace) -> list[tuple[Fault, ...]]:
    """What is to be tried."""
    left = [
        fault
        for fault in faults
        if (not asked.operation or fault.operation in asked.operation) and (not asked.fault or fault.name in asked.fault)
    ]
    chance = random.Random(asked.seed)
    if asked.pairs and len(asked.operation or ()) == len(asked.fault or ()) == 2:
        named = {(fault.operation, fault.name): fault for fault in left}
        return [tuple(named[each] for each in zip(asked.operation, asked.fault, strict=True))]
    if asked.pairs:
        return [(chance.choice(left), chance.choice(left)) for _ in range(asked.pairs)]
    if asked.sample is not None and asked.sample < len(left):
        kept = set(chance.sample(range(len(left)), asked.sample))
        left = [fault for number, fault in enumerate(left) if number in kept]
    return [(fault,) for fault in left]


def _violations(tried: Tried) -> Iterator[str]:
    effect = tried.effect
    for what, results in (("SILENT", effect.silent), ("LOSS", effect.losses)):
        if results:
            yield f"{what} {len(results)} by: {tried.again}"
            yield from (f"    {wrong.text}" for wrong in results[:_SHOWN])
    if effect.bugs:
        yield f"BUG by: {tried.again}"
        yield from (f"    {bug}" for bug in effect.bugs[:_SHOWN])


def _table(found: Sequence[Tried]) -> Iterator[str]:
    kinds: dict[str, list[Tried]] = defaultdict(list)
    for tried in found:
        kinds[tried.kind].append(tried)
    yield ""
    yield f"{'fault':<22} {'tried':>6} {'unknown: median':>16} {'maximum':>8}   {'elsewhere: median':>17} {'maximum':>8}  by"
    for kind, of_kind in sorted(kinds.items()):
        yield _line(kind, of_kind)
    yield _line("all", found)


def _line(kind: str, tried: Sequence[Tried]) -> str:
    unknown = [each.effect.unknown for each in tried]
    single = [each for each in tried if each.single and not each.effect.stopped]
    line = f"{kind:<22} {len(tried):>6,} {statistics.median(unknown):>16,.0f} {max(unknown):>8,}"
    if single:
        worst = max(single, key=lambda each: each.effect.others)
        others = statistics.median(each.effect.others for each in single)
        line += f"   {others:>17,.0f} {worst.effect.others:>8,}  {worst.operation}"
    return line


if __name__ == "__main__":
    sys.exit(main())
