"""`keyaudit waivers`: exceptions in a file that people read, review and own. Editing keeps the comments."""

import datetime
import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyaudit.cli.options import Choice, Live, OwnPolicies, Stored, flags
from keyaudit.cli.streams import printing
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.extras import installing

if TYPE_CHECKING:
    from keyaudit.model.run import Report
    from keyaudit.model.waivers import Waiver

app = typer.Typer(help="Manage exceptions, each with an owner and an end date.", rich_markup_mode=None)

File = Annotated[Path, typer.Option("--file", metavar="FILE", help="The file of waivers.")]
_FILE = Path("keyaudit.waivers.yaml")
_NEW = "version: 1\nwaivers: []\n"


@app.command("list")
def list_(*, policies: OwnPolicies = None, file: File = _FILE) -> int:
    """List the waivers, with what each covers, owner and last day."""
    from tabulate import tabulate

    from keyaudit.cli.clock import SystemClock
    from keyaudit.model.text import one_line

    now = SystemClock().now()
    rows = [
        (
            waiver.id,
            waiver.policy.text,
            one_line(waiver.resource.text),
            one_line(waiver.owner),
            f"{waiver.last_day} (expired)" if waiver.expired(now) else waiver.last_day,
        )
        for waiver in _loaded(file, policies)
    ]
    with printing() as out:
        out.write(tabulate(rows, headers=("Waiver", "Policy", "Resource", "Owner", "Last day"), disable_numparse=True) + "\n")
    return Exit.CLEAN


@flags(Live, Stored)
def check(live: Live, stored: Stored, *, policies: OwnPolicies = None, file: File = _FILE) -> int:
    """List waivers that have expired or cover nothing.

    Those that cover nothing need --from, --demo or --tenant. Exit 1 if there are any.
    """
    from keyaudit.report.lines import plural
    from keyaudit.report.missing import waiver_lines

    waivers = _loaded(file, policies)
    if not _looked_at(live, stored):
        now = _today()
        lines = [f"waiver {each.id} expired after {each.last_day}" for each in waivers if each.expired(now)]
    else:
        with _uses(live, stored, file, policies) as report:
            lines = waiver_lines(report)
    with printing() as out:
        out.writelines(f"{file}: {line}\n" for line in lines)
        out.write(f"{plural(len(waivers), 'waiver')}: {len(lines) or 'none'} to be looked at\n")
    return Exit.FINDINGS if lines else Exit.CLEAN


@app.command("add")
def add(
    *,
    policy: Annotated[str, typer.Option("--policy", metavar="ID|GLOB", help="The policy to make an exception to.")],
    resource: Annotated[str, typer.Option("--resource", metavar="ID|GLOB", help="The resource; `*` stands for any text.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the risk is accepted.")],
    owner: Annotated[str, typer.Option("--owner", metavar="WHO", help="Who is responsible for it.")],
    approved_by: Annotated[str, typer.Option("--approved-by", metavar="WHO", help="Who approved it.")],
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="The last day on which it is valid.")],
    id_: Annotated[str | None, typer.Option("--id", metavar="ID", help="The id of the waiver. Default: W-YEAR-NUMBER.")] = None,
    ticket: Annotated[str | None, typer.Option("--ticket", metavar="TEXT", help="The ticket in which it was decided.")] = None,
    covers: Annotated[
        str | None, typer.Option("--covers", metavar="coverage", help="Accept a gap in what was read, for 30 days at most.")
    ] = None,
    policies: OwnPolicies = None,
    file: File = _FILE,
) -> int:
    """Add a waiver to the file, and keep its comments."""
    from msgspec import structs

    from keyaudit.model.times import iso_date
    from keyaudit.policy.problems import PolicyError

    today = iso_date(_today())
    known = {waiver.id for waiver in _loaded(file, policies)} if file.exists() else set()
    entry: dict[str, Any] = {
        "id": id_ or _next(known, today[:4]),
        "match": {"policy": policy, "resource": resource},
        "reason": reason,
        "owner": owner,
        "approved_by": approved_by,
        **({"ticket": ticket} if ticket else {}),
        "created": _plain(today),
        "expires": _plain(expires),
        **({"covers": covers} if covers else {}),
    }
    try:
        with _edited(file, policies) as document:
            document["waivers"].append(entry)
    except PolicyError as error:
        # The file was valid before, so the entry is at fault, which is in no file yet.
        raise PolicyError([structs.replace(each, file="waivers add", line=0) for each in error.problems]) from None
    with printing() as out:
        out.write(f"{file}: added {entry['id']}\n")
    return Exit.CLEAN


@flags(Live, Stored)
def prune(live: Live, stored: Stored, *, policies: OwnPolicies = None, file: File = _FILE) -> int:
    """Remove waivers that have expired or cover nothing.

    Those that cover nothing need --from, --demo or --tenant.
    """
    from keyaudit.model.waivers import State

    waivers = _loaded(file, policies)
    if not _looked_at(live, stored):
        now = _today()
        gone = {waiver.id for waiver in waivers if waiver.expired(now)}
    else:
        with _uses(live, stored, file, policies) as report:
            if not report.verdict.complete:
                raise UsageError(
                    "waivers prune", "the run is incomplete: a waiver may cover what was not read", "close its gaps"
                )
            gone = {use.waiver.id for use in report.verdict.waivers if use.state is not State.ACTIVE}
    if gone:
        with _edited(file, policies) as document:
            for index in reversed(range(len(document["waivers"]))):
                if document["waivers"][index]["id"] in gone:
                    del document["waivers"][index]
    with printing() as out:
        out.write(f"{file}: removed {', '.join(sorted(gone)) or 'nothing'}\n")
    return Exit.CLEAN


app.command("check")(check)
app.command("prune")(prune)


def _loaded(file: Path, own: Path | None) -> "tuple[Waiver, ...]":
    from keyaudit.policy.waivers import load_waivers

    if not file.exists():
        raise UsageError(str(file), "does not exist", "keyaudit waivers add begins one")
    return load_waivers(file, policies=_known(own), today=_today())


def _known(own: Path | None) -> list[str]:
    from keyaudit.policy.load import load

    return [policy.text.id for policy in load(besides=own)]


def _today() -> int:
    from keyaudit.cli.clock import SystemClock

    return SystemClock().now()


@contextmanager
def _uses(live: Live, stored: Stored, file: Path, own: Path | None) -> "Iterator[Report]":
    """A report of all policies, with these waivers."""
    from keyaudit.cli.judged import judged

    with judged(live, stored, Choice(waivers=file, policies=own)) as report:
        yield report


def _looked_at(live: Live, stored: Stored) -> bool:
    """Whether a tenant or snapshot is given to compare the waivers with."""
    return bool(stored.from_ or live.demo or live.tenant)


@contextmanager
def _edited(file: Path, own: Path | None) -> Iterator[Any]:
    """The file's content, to be changed in place. Raises, and writes nothing, if the result is not a valid file."""
    from keyaudit.policy.waivers import parse_waivers
    from keyaudit.report import files

    files.check(file)
    try:
        from ruamel.yaml import YAML
    except ImportError as error:
        remedy = f"{installing('waivers')}, or edit the file by hand"
        raise UsageError("waivers", "needs ruamel.yaml, which is not installed, to keep comments", remedy) from error
    editor = YAML()
    editor.preserve_quotes = True
    editor.indent(mapping=2, sequence=4, offset=2)
    editor.width = 120
    document = editor.load(file.read_text(encoding="utf-8") if file.exists() else _NEW)
    if document["waivers"] is None:
        document["waivers"] = []
    yield document
    # A list written as [] would otherwise stay on one line.
    getattr(document["waivers"], "fa", document.fa).set_block_style()
    text = io.StringIO()
    editor.dump(document, text)
    parse_waivers(text.getvalue().encode(), file=str(file), policies=_known(own), today=_today())
    with files.output_file(file) as out:
        out.write(text.getvalue())


def _plain(date: str) -> object:
    """A date as in YAML, without quotes; anything else stays text, and the reader of waivers rejects it."""
    try:
        return datetime.date.fromisoformat(date)
    except ValueError:
        return date


def _next(known: set[str], year: str) -> str:
    """The first free id of the year: W-2026-001."""
    return next(name for number in itertools.count(1) if (name := f"W-{year}-{number:03}") not in known)
