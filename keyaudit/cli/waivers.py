"""`keyaudit waivers`: exceptions in a file that people read, review and own. Editing it keeps their comments."""

import datetime
import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyaudit.cli.options import Choice, Live, Stored, flags
from keyaudit.cli.policies import Own
from keyaudit.cli.streams import printing
from keyaudit.model.errors import Exit, UsageError

if TYPE_CHECKING:
    from keyaudit.model.run import Report
    from keyaudit.model.waivers import Waiver

app = typer.Typer(help="Exceptions that somebody owns, and that end by themselves.", rich_markup_mode=None)

File = Annotated[Path, typer.Option("--file", metavar="FILE", help="The file of waivers.")]
_FILE = Path("keyaudit.waivers.yaml")
_NEW = "version: 1\nwaivers: []\n"


@app.command("list")
def list_(*, policies: Own = None, file: File = _FILE) -> int:
    """List the waivers: what each covers, whose it is, and when it ends."""
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
def check(live: Live, stored: Stored, *, policies: Own = None, file: File = _FILE) -> int:
    """Say which waivers have expired; with --from, --demo or a tenant to read also which cover nothing. Exit 1 if any."""
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
    policy: Annotated[str, typer.Option("--policy", metavar="ID|GLOB", help="The policy that it is an exception to.")],
    resource: Annotated[str, typer.Option("--resource", metavar="ID|GLOB", help="What is excepted: `*` stands for any text.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    owner: Annotated[str, typer.Option("--owner", metavar="WHO", help="Who answers for it.")],
    approved_by: Annotated[str, typer.Option("--approved-by", metavar="WHO", help="Who allowed it.")],
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="The last day on which it holds.")],
    id_: Annotated[str | None, typer.Option("--id", metavar="ID", help="Its id. Default: W-YEAR-NUMBER.")] = None,
    ticket: Annotated[str | None, typer.Option("--ticket", metavar="TEXT", help="Where it was decided.")] = None,
    covers: Annotated[
        str | None, typer.Option("--covers", metavar="coverage", help="It accepts what was not read, for 30 days at most.")
    ] = None,
    policies: Own = None,
    file: File = _FILE,
) -> int:
    """Add a waiver to the file, and keep what people wrote there."""
    from keyaudit.model.times import iso_date

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
    with _edited(file, policies) as document:
        document["waivers"].append(entry)
    with printing() as out:
        out.write(f"{file}: added {entry['id']}\n")
    return Exit.CLEAN


@flags(Live, Stored)
def prune(live: Live, stored: Stored, *, policies: Own = None, file: File = _FILE) -> int:
    """Remove the waivers that have expired; with --from, --demo or a tenant to read also those that cover nothing."""
    from keyaudit.model.waivers import State

    waivers = _loaded(file, policies)
    if not _looked_at(live, stored):
        now = _today()
        gone = {waiver.id for waiver in waivers if waiver.expired(now)}
    else:
        with _uses(live, stored, file, policies) as report:
            if not report.verdict.complete:
                raise UsageError("waivers prune", "the run is incomplete: what it did not see may be covered", "close its gaps")
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

    return load_waivers(file, policies=_known(own), today=_today())


def _known(own: Path | None) -> list[str]:
    from keyaudit.policy.load import load

    return [policy.text.id for policy in load(besides=own)]


def _today() -> int:
    from keyaudit.cli.clock import SystemClock

    return SystemClock().now()


@contextmanager
def _uses(live: Live, stored: Stored, file: Path, own: Path | None) -> "Iterator[Report]":
    """A report by every policy, with these waivers."""
    from keyaudit.cli.judged import judged

    with judged(live, stored, Choice(waivers=file, policies=own), fail_on=None) as report:
        yield report


def _looked_at(live: Live, stored: Stored) -> bool:
    """Whether there is a tenant to hold the waivers against."""
    return bool(stored.from_ or live.demo or live.tenant)


@contextmanager
def _edited(file: Path, own: Path | None) -> Iterator[Any]:
    """The file's content to be changed in place. What is not a file of waivers afterwards is refused, and nothing written."""
    from keyaudit.policy.waivers import parse_waivers
    from keyaudit.report.files import output_file

    try:
        from ruamel.yaml import YAML
    except ImportError as error:
        remedy = "pip install 'keyaudit[waivers]', or edit the file by hand"
        raise UsageError("keyaudit waivers", "ruamel.yaml is not installed, which keeps comments", remedy) from error
    editor = YAML()
    editor.preserve_quotes = True
    editor.indent(mapping=2, sequence=4, offset=2)
    editor.width = 120
    document = editor.load(file.read_text(encoding="utf-8") if file.exists() else _NEW)
    if document["waivers"] is None:
        document["waivers"] = []
    yield document
    # A list that was written as [] would go on in one line.
    getattr(document["waivers"], "fa", document.fa).set_block_style()
    text = io.StringIO()
    editor.dump(document, text)
    parse_waivers(text.getvalue().encode(), file=str(file), policies=_known(own), today=_today())
    with output_file(file) as out:
        out.write(text.getvalue())


def _plain(date: str) -> object:
    """A date as YAML writes one, without quotes; what is none stays text, for the reader of waivers to refuse."""
    try:
        return datetime.date.fromisoformat(date)
    except ValueError:
        return date


def _next(known: set[str], year: str) -> str:
    """The first free id of the year: W-2026-001."""
    return next(name for number in itertools.count(1) if (name := f"W-{year}-{number:03}") not in known)
