"""`keyaudit notify`: tells people what changed since the last snapshot."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit.cli.options import Choice, FailOn, Live, Stored, flags

if TYPE_CHECKING:
    from keyaudit.cli.channels import Channel
    from keyaudit.model.digest import Digest


@flags(Live, Stored, Choice)
def notify(
    live: Live,
    stored: Stored,
    choice: Choice,
    *,
    since: Annotated[
        Path, typer.Option("--since", metavar="DIR", help="The previous snapshot: changes since then are reported.")
    ],
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="URL", help="A destination without a secret, for example json://HOST:PORT; repeatable."),
    ] = None,
    to_file: Annotated[
        Path | None,
        typer.Option(
            "--to-file",
            metavar="FILE",
            help="A file of apprise addresses, one per line. Default: KEYAUDIT_NOTIFY_URLS, separated by spaces.",
        ),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Report when a gate with this --fail-on failed before and passes now.")
    ] = FailOn.HIGH,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the messages, and send none.")] = False,
) -> int:
    """Tell each owner what changed, by chat, mail or ticket.

    New critical and high findings, what is no longer readable, what expires within 30 and 7 days, and that a gate passes again.
    Addresses contain secrets: they come from a file or the environment and are never printed. Exit 70: a message could not be
    delivered.
    """
    from keyaudit import ask
    from keyaudit.cli.channels import channels
    from keyaudit.cli.judged import judged
    from keyaudit.cli.source import check_since, snapshot
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.model.findings import Severity
    from keyaudit.report.digest import LOOK_AHEAD, digests, ends_soon

    told = [] if dry_run else channels(to or (), to_file)
    offline = Live(config=live.config)
    earlier = open_snapshot(since)
    with judged(offline, Stored(from_=[since]), choice) as before:
        with ask.expiring(earlier, as_of=earlier.run.as_of, within=LOOK_AHEAD) as found:
            ended = ends_soon(found)
        with (
            snapshot(live, stored) as (taken, as_of),
            judged(offline, Stored(from_=[taken.folder], as_of=stored.as_of), choice, since=since) as after,
            ask.expiring(taken, as_of=as_of, within=LOOK_AHEAD) as ending,
        ):
            check_since(earlier, after.run)
            messages = digests(before, after, ended, ending, Severity(fail_on))
            return _deliver(messages, told, before.run.as_of, after.verdict.exit, dry_run=dry_run)


def _deliver(messages: "list[Digest]", told: "list[Channel]", since: int, code: int, *, dry_run: bool) -> int:
    from keyaudit.cli.streams import printing, tell
    from keyaudit.model.errors import PRECEDENCE, Exit
    from keyaudit.model.times import iso_time
    from keyaudit.report.lines import plural

    failed = [(channel, message) for message in messages for channel in told if not channel.send(message)]
    for channel, message in failed:
        tell(
            f"keyaudit: {channel.called}: could not deliver the message {message.title!r}; check the address, and send it again"
        )
    with printing() as out:
        if not messages:
            out.write(f"Nothing to report: no change since {iso_time(since)} that owners are told about.\n")
        elif dry_run:
            out.write("\n\n".join(f"{message.title}\n\n{message.body}" for message in messages) + "\n")
        else:
            sent = len(messages) * len(told) - len(failed)
            of = f"{plural(len(messages), 'message')} for {plural(len(told), 'address', 'addresses')}"
            out.write(f"{of}: {sent:,} delivered, {len(failed):,} not.\n")
            out.writelines(f"  {message.title}\n" for message in messages)
    held = {code, *([Exit.BUG] if failed else [])}
    return next(each for each in PRECEDENCE if each in held)
