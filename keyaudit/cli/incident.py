"""`keyaudit incident`: one page about a stolen key; with --verify, what still accepts it."""

import contextlib
import dataclasses
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from keyaudit.cli.options import KEY_NAMES, Live, Stored, flags

if TYPE_CHECKING:
    from keyaudit.inventory.logs import LogStore
    from keyaudit.inventory.usage.baseline import Baseline

_DEMO_DAYS, _DEMO_LEARNED = 90, 60
"""How many days of the simulated tenant's logs are read, and how many of them the baseline is learned from."""


class Page(StrEnum):
    """Formats of the page."""

    TEXT = "text"
    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"
    DOT = "dot"


_SUFFIXES = {
    **{f".{page}": page for page in (Page.HTML, Page.JSON, Page.DOT)},
    ".htm": Page.HTML,
    ".md": Page.MARKDOWN,
    ".txt": Page.TEXT,
}


@flags(Live, Stored)
def incident(
    live: Live,
    stored: Stored,
    *,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="KEY|THUMBPRINT|KID|APP|FINDING",
            help=KEY_NAMES,
        ),
    ],
    logs: Annotated[
        Path | None,
        typer.Option("--logs", metavar="STORE", help="The folder that usage import or usage collect wrote."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="DIR", help="The folder that usage learn wrote: the usual uses of each key."),
    ] = None,
    first_day: Annotated[
        str | None,
        typer.Option(
            "--first-day",
            metavar="DATE",
            help="The first day to examine. Default: the day after the baseline ends; without a baseline, the first day of "
            "the logs. Without --baseline, the earlier days of the logs are the baseline.",
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Only check whether anything still accepts it; exit 0 if nothing does, 1 if something does, 3 if unknown.",
        ),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DIR",
            help="With --verify: an earlier snapshot, to recognize deletions since then. Without it, they are unknown.",
        ),
    ] = None,
    reach: Annotated[
        bool, typer.Option("--reach", hidden=True, help="Leave the logs out, so that the page is complete without them.")
    ] = False,
    output: Annotated[Page, typer.Option("--output", "-o", help="Format on stdout.")] = Page.TEXT,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write it to a file instead, in the format of its extension: html, md, json, txt, dot.",
        ),
    ] = None,
) -> int:
    """Show who trusts and who used a stolen key, and what to do.

    One page: what trusts the key and what its holder reaches, who used it and what they did next, what cannot be known, and a
    plan, which is printed and never run. Without logs, who used it is unknown (exit 3).
    """
    from keyaudit import ask
    from keyaudit.cli.output import options, show
    from keyaudit.cli.sources.source import check_since, snapshot, unmet
    from keyaudit.cli.terminal.progress import told_if_long
    from keyaudit.cli.usage.baselines import day
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.model.errors import UsageError
    from keyaudit.questions.incident import FORMATS
    from keyaudit.report.files import check, output_file

    page = output
    if out is not None:
        if out.suffix.lower() not in _SUFFIXES:
            raise UsageError(
                "--out", f"has none of the extensions {', '.join(_SUFFIXES)}", "name a file with one of these extensions"
            )
        page = _SUFFIXES[out.suffix.lower()]
        check(out)
    if reach and not verify and since is not None:
        raise UsageError("--since", "only works with --verify", "add --verify, or leave it out")
    if verify and (logs or baseline or first_day):
        raise UsageError("--verify", "reads no logs", "leave out --logs, --baseline and --first-day")
    # Without --verify, --since is the former name of --first-day.
    earlier = open_snapshot(Path(since)) if since is not None and verify else None
    first = None if verify else day(first_day or since, "--first-day")
    reach = reach or verify
    imports = [*(live.imports or ())]
    imports += [f"logs={logs}"] if logs is not None else []
    imports += [f"usage-baseline={baseline}"] if baseline is not None else []
    with contextlib.ExitStack() as opened:
        if reach:
            taken, as_of = opened.enter_context(snapshot(live, stored))
            store, usual, missing = None, None, unmet(taken, live)
        else:
            taken, as_of = opened.enter_context(snapshot(dataclasses.replace(live, imports=None), stored, about=asked))
            store, usual, first = opened.enter_context(_evidence(live, imports, taken.run.tenant_id, first))
            as_of, missing = max(as_of, min(store.until, _now())) if store and stored.as_of is None else as_of, None
        if earlier is not None:
            check_since(earlier, taken.run)
        with told_if_long("following what the key opens", quiet=live.quiet):
            found = ask.incident(
                taken,
                asked,
                as_of=as_of,
                logs=store,
                usual=usual,
                first=first,
                reach=reach,
                verify=verify,
                since=earlier,
                unmet=missing,
            )
        if stored.from_:
            found = replace(found, radius=replace(found.radius, kept_in=str(stored.from_[0])))
        if out is None:
            return show(FORMATS[page], found, found.verdict)
        with output_file(out) as file:
            FORMATS[page](found, file, options(file))
        return int(found.verdict.exit)


@contextlib.contextmanager
def _evidence(
    live: Live, imports: list[str], tenant_id: str, first: int | None
) -> Iterator[tuple["LogStore | None", "Baseline | None", int | None]]:
    """The logs, their baseline and the first day to check, inside a context.

    Without named logs, those of the simulated tenant. Without a baseline, it is learned from the days before the first.
    """
    from keyaudit.collect.evidence import supplied
    from keyaudit.inventory.disk.temporary import temporary_folder
    from keyaudit.inventory.usage.learn import learn, window_of
    from keyaudit.model.values.times import DAY

    evidence = supplied(imports)
    evidence.belongs_to(tenant_id)
    store, usual = evidence.logs, evidence.usual
    with temporary_folder() as folder:
        if store is None and live.demo:
            made = _of_demo(live, folder / "logs")
            # Not every simulated tenant logs anything.
            if made.until:
                store = made
                first = made.until - _DEMO_DAYS * DAY + _DEMO_LEARNED * DAY if first is None else first
        if store is not None and usual is None and first is not None:
            window = window_of(store, None, None)
            if window.since < first < window.until:
                into = folder / "usual"
                into.mkdir()
                usual = learn(store, replace(window, until=first), into=into)
        yield store, usual, first


def _of_demo(live: Live, folder: Path) -> "LogStore":
    """The logs of the simulated tenant, collected as by `usage collect`."""
    from keyaudit.cli.clock import clock_of
    from keyaudit.cli.usage.collection import records
    from keyaudit.logs.live.place import Outcome
    from keyaudit.logs.live.run import Wanted
    from keyaudit.logs.live.sources import chosen
    from keyaudit.logs.storing.write import Import, write_logs
    from keyaudit.model.usage import Window
    from keyaudit.model.values.times import DAY

    clock = clock_of(demo=live.demo)
    today = clock.now() - clock.now() % DAY
    window = Window(since=today - _DEMO_DAYS * DAY, until=today)
    wanted = Wanted(window=window, sources=chosen(()), search=False, simulated=True)
    known = Import()
    with contextlib.closing(records(live, clock, wanted, known, Outcome())) as found:
        return write_logs(folder, found, known)


def _now() -> int:
    from keyaudit.cli.clock import SystemClock

    return SystemClock().now()
