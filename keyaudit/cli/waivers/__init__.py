"""`keyaudit waivers`: exceptions in a file that people read, review and own. Editing keeps the comments."""

import datetime
import io
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keyaudit.cli.options import Choice, Live, OwnPolicies, Stored, flags
from keyaudit.cli.parameters import Command
from keyaudit.cli.terminal.streams import printing
from keyaudit.inventory.disk.input_file import is_there
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.extras import installing
from keyaudit.model.values.text import one_line

if TYPE_CHECKING:
    from keyaudit.model.gating.waivers import Waiver
    from keyaudit.model.results.run import Report

app = typer.Typer(help="Manage exceptions, each with an owner and an end date.", rich_markup_mode=None)

File = Annotated[Path, typer.Option("--waivers", "--file", metavar="FILE", help="The file of waivers.")]
_FILE = Path("keyaudit.waivers.yaml")
_NEW = "version: 1\nwaivers: []\n"


@app.command("list", cls=Command)
def list_(*, policies: OwnPolicies = None, file: File = _FILE) -> int:
    """List the waivers, with scope, owner and last day."""
    from tabulate import tabulate

    from keyaudit.cli.clock import SystemClock

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
        out.write(f"{plural(len(waivers), 'waiver')}: {len(lines) or 'none'} to look at\n")
    return Exit.FINDINGS if lines else Exit.CLEAN


@flags(Live, Stored)
def add(
    live: Live,
    stored: Stored,
    *,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            metavar="ID|GLOB",
            help="The policy to waive. Default: the policy of the finding if --resource is its id.",
        ),
    ] = None,
    resource: Annotated[
        str,
        typer.Option(
            "--resource",
            metavar="NAME|ID|GLOB",
            help="The resource: its name as in reports, its full id, or its finding's id or the first digits of that. In a "
            "pattern over full ids, `*` stands for any text.",
        ),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the risk is accepted.")],
    owner: Annotated[str, typer.Option("--owner", metavar="WHO", help="The person or team responsible for it.")],
    approved_by: Annotated[str, typer.Option("--approved-by", metavar="WHO", help="Who approved it.")],
    expires: Annotated[str, typer.Option("--expires", metavar="DATE", help="The last day on which it is valid.")],
    id_: Annotated[str | None, typer.Option("--id", metavar="ID", help="The id of the waiver. Default: W-YEAR-NUMBER.")] = None,
    ticket: Annotated[str | None, typer.Option("--ticket", metavar="TEXT", help="The ticket with the decision.")] = None,
    allow_critical: Annotated[bool, typer.Option("--allow-critical", help="Also cover critical findings.")] = False,
    covers: Annotated[
        str | None, typer.Option("--covers", metavar="coverage", help="Accept a gap in coverage, for at most 30 days.")
    ] = None,
    policies: OwnPolicies = None,
    file: File = _FILE,
) -> int:
    """Add a waiver to the file, and keep its comments.

    The resource is looked up in --from DIR, --demo or the live tenant, and its full id is written. A waiver that would cover
    nothing is refused.
    """
    from keyaudit.model.values.times import iso_date

    today = iso_date(_today())
    known = {waiver.id for waiver in _loaded(file, policies)} if is_there(file) else set()
    match = {"policy": policy or _policy_of(resource, live, stored, policies), "resource": resource}
    entry: dict[str, Any] = {
        "id": id_ or _next(known, today[:4]),
        "match": match,
        "reason": reason,
        "owner": owner,
        "approved_by": approved_by,
        **({"ticket": ticket} if ticket else {}),
        "created": _plain(today),
        "expires": _plain(expires),
        **({"covers": covers} if covers else {}),
        **({"allow_critical": True} if allow_critical else {}),
    }
    # Errors in the other fields are told before a tenant is read.
    _, asked = _with_entry(file, policies, entry)
    resource_id, covered = _looked_up(asked, live, stored, policies)
    match["resource"] = resource_id
    text, _ = _with_entry(file, policies, entry)
    _write(file, text)
    with printing() as out:
        out.write(f"{file}: added {entry['id']} for {one_line(resource_id, 1_024)}: {covered}\n")
    return Exit.CLEAN


@flags(Live, Stored)
def prune(live: Live, stored: Stored, *, policies: OwnPolicies = None, file: File = _FILE) -> int:
    """Remove waivers that have expired or cover nothing.

    Those that cover nothing need --from, --demo or --tenant.
    """
    from keyaudit.model.gating.waivers import State

    waivers = _loaded(file, policies)
    if not _looked_at(live, stored):
        now = _today()
        gone = {waiver.id for waiver in waivers if waiver.expired(now)}
    else:
        with _uses(live, stored, file, policies) as report:
            if not report.verdict.complete:
                raise UsageError(
                    "waivers prune", "the run is incomplete: a waiver may cover unread resources", "close its gaps"
                )
            gone = {use.waiver.id for use in report.verdict.waivers if use.state is not State.ACTIVE}
    if gone:

        def remove(entries: Any) -> None:
            for index in reversed(range(len(entries))):
                if entries[index]["id"] in gone:
                    del entries[index]

        _write(file, _revised(file, policies, remove)[0])
    with printing() as out:
        out.write(f"{file}: removed {', '.join(sorted(gone)) or 'nothing'}\n")
    return Exit.CLEAN


app.command("add", cls=Command)(add)
app.command("check", cls=Command)(check)
app.command("prune", cls=Command)(prune)


def _loaded(file: Path, own: Path | None) -> "tuple[Waiver, ...]":
    from keyaudit.policy.waivers import load_waivers

    if not is_there(file):
        raise UsageError(str(file), "does not exist", "create one with keyaudit waivers add")
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
    from keyaudit.cli.sources.judged import judged

    with judged(live, stored, Choice(waivers=file, policies=own)) as report:
        yield report


def _looked_at(live: Live, stored: Stored) -> bool:
    """Whether a tenant or snapshot is given to compare the waivers with."""
    return bool(stored.from_ or live.demo or live.tenant)


def _with_entry(file: Path, own: Path | None, entry: Mapping[str, Any]) -> "tuple[str, Waiver]":
    """The file's content with this entry, and its waiver. Nothing is written. Raises DocumentError if the entry is invalid."""
    from msgspec import structs

    from keyaudit.model.documents.problems import DocumentError

    try:
        text, waivers = _revised(file, own, lambda entries: entries.append(entry))
    except DocumentError as error:
        # The file was valid before, so the entry is at fault, which is in no file yet.
        raise DocumentError([structs.replace(each, file="waivers add", line=0) for each in error.problems]) from None
    return text, waivers[-1]


def _policy_of(resource: str, live: Live, stored: Stored, own: Path | None) -> str:
    """The policy of the finding with this id, or this beginning of an id. Raises UsageError if it is the id of none."""
    from keyaudit.cli.sources.judged import judged
    from keyaudit.cli.waivers.target import policy_of

    with judged(live, stored, Choice(policies=own, no_waivers=True)) as report:
        return policy_of(report, resource)


def _looked_up(asked: "Waiver", live: Live, stored: Stored, own: Path | None) -> tuple[str, str]:
    """The full id or pattern that the waiver is for, and what it covers in words.

    Raises UsageError if it names no resource or several, or covers nothing.
    """
    from msgspec import structs

    from keyaudit.cli.sources.judged import judged
    from keyaudit.cli.sources.source import snapshot
    from keyaudit.cli.waivers.target import coverage_of, resolved
    from keyaudit.model.gating.waivers import Glob

    choice = Choice(policies=own, no_waivers=True, select=[each for each in _known(own) if asked.policy.matches(each)])
    with snapshot(live, stored) as taken:
        with judged(live, stored, choice, taken=taken) as report:
            resource = resolved(report, asked)
        waiver = structs.replace(asked, resource=Glob(resource))
        with judged(live, stored, choice, taken=taken, trying=waiver) as report:
            return resource, coverage_of(report, waiver)


def _revised(file: Path, own: Path | None, change: Callable[[Any], None]) -> "tuple[str, tuple[Waiver, ...]]":
    """The file's content after a change to its list of entries, and its waivers. Nothing is written.

    Raises DocumentError if the result is not valid.
    """
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
    document = editor.load(file.read_text(encoding="utf-8") if is_there(file) else _NEW)
    if document["waivers"] is None:
        document["waivers"] = []
    change(document["waivers"])
    # A list written as [] would otherwise stay on one line.
    getattr(document["waivers"], "fa", document.fa).set_block_style()
    text = io.StringIO()
    editor.dump(document, text)
    waivers = parse_waivers(text.getvalue().encode(), file=str(file), policies=_known(own), today=_today())
    return text.getvalue(), waivers


def _write(file: Path, text: str) -> None:
    from keyaudit.report import files

    with files.output_file(file) as out:
        out.write(text)


def _plain(date: str) -> object:
    """A date as in YAML, without quotes; anything else stays text, and the reader of waivers rejects it."""
    try:
        return datetime.date.fromisoformat(date)
    except ValueError:
        return date


def _next(known: set[str], year: str) -> str:
    """The first free id of the year: W-2026-001."""
    return next(name for number in itertools.count(1) if (name := f"W-{year}-{number:03}") not in known)
