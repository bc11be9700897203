"""`keyaudit send notifications`: tells people what changed since the last snapshot."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit.cli.options import Choice, FailOn, Live, Stored, duration, flags, settings_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keyaudit.cli.settings.channels import Channel
    from keyaudit.cli.settings.recipients import Recipients
    from keyaudit.send.digest import Digest


@flags(Live, Stored, Choice)
def notify(
    live: Live,
    stored: Stored,
    choice: Choice,
    *,
    since: Annotated[
        Path | None, typer.Option("--since", metavar="DIR", help="The previous snapshot: owners get the changes since then.")
    ] = None,
    kept: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            "--kept",
            metavar="DIR",
            help="Instead of --from and --since: the two newest snapshots in the folder of gate --keep.",
        ),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="URL", help="A destination without a secret, for example json://HOST:PORT; repeatable."),
    ] = None,
    to_file: Annotated[
        Path | None,
        typer.Option(
            "--to-file",
            metavar="FILE",
            help="A file of apprise addresses, one per line, for owners without an entry in [notify]. "
            "Default: KEYAUDIT_NOTIFY_URLS, separated by spaces.",
        ),
    ] = None,
    within: Annotated[
        str, typer.Option("--within", metavar="DAYS", help="How far to look ahead for expiration dates.")
    ] = "30d",
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Report when a gate with this --fail-on failed before and passes now.")
    ] = FailOn.HIGH,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print each message and its recipient, and send nothing.")] = False,
) -> int:
    """Tell each owner what changed, by chat, mail or ticket.

    New critical and high findings, what is no longer readable, what expires soon, and that a gate passes again.
    [notify] in keyaudit.toml says which owner's messages go to which addresses; all others go to its default, --to, --to-file
    or the variable. Addresses contain secrets and are never printed. Exit 70: a message could not be delivered.
    """
    from keyaudit import ask
    from keyaudit.cli.settings.channels import channels
    from keyaudit.cli.sources.judged import judged
    from keyaudit.cli.sources.snapshot_folder import last_two
    from keyaudit.cli.sources.source import check_since, snapshot, with_owners
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.model.errors import Exit, UsageError
    from keyaudit.model.severity import Severity
    from keyaudit.send.digest import digests, ends_soon

    if kept is not None:
        if since is not None or stored.from_:
            raise UsageError("--keep", "cannot be combined with --from and --since", "remove one of them")
        newest = last_two(kept)
        if len(newest) < 2:
            _first(kept)
            return Exit.CLEAN
        since, stored = newest[0], Stored(from_=[newest[1]], as_of=stored.as_of)
    if since is None:
        raise UsageError(
            "send notifications", "no earlier snapshot to compare with", "name one with --since, or a folder with --keep"
        )
    ahead = duration("--within", within)
    to_whom = _recipients(live, to or (), to_file, sending=not dry_run)
    told = None if dry_run else channels(to_whom)
    offline = Live(config=live.config)
    earlier = with_owners(open_snapshot(since), live)
    with judged(offline, Stored(from_=[since]), choice) as before:
        with ask.expiring(earlier, as_of=earlier.run.as_of, within=ahead) as found:
            ended = ends_soon(found)
        with (
            snapshot(live, stored) as (taken, as_of),
            judged(offline, Stored(from_=[taken.folder], as_of=stored.as_of), choice, since=since) as after,
            ask.expiring(taken, as_of=as_of, within=ahead) as ending,
        ):
            check_since(earlier, after.run)
            messages = digests(before, after, ended, ending, Severity(fail_on), has_address=to_whom.has)
            if not messages:
                _nothing(before.run.as_of)
            elif told is None:
                _print(messages, to_whom)
            elif not _send(messages, to_whom, told):
                return _with_failure(after.verdict.exit)
            return after.verdict.exit


def _recipients(live: Live, to: "Sequence[str]", to_file: Path | None, *, sending: bool) -> "Recipients":
    """The recipients from the settings and flags. A simulated tenant's are only those of a named file, as all settings."""
    from keyaudit.cli.settings.channels import recipients, warn_if_readable
    from keyaudit.cli.settings.config import read_config
    from keyaudit.cli.settings.recipients import Recipients

    file = settings_file(live)
    given = read_config(file).recipients if file else Recipients()
    if file:
        warn_if_readable(file, given)
    return recipients(given, to, to_file, sending=sending)


def _first(kept: Path) -> None:
    from keyaudit.cli.terminal.streams import printing
    from keyaudit.model.values.text import one_line

    with printing() as out:
        out.write(f"Nothing to compare with: {one_line(str(kept))} has one snapshot.\n")


def _nothing(since: int) -> None:
    from keyaudit.cli.terminal.streams import printing
    from keyaudit.model.values.times import iso_time

    with printing() as out:
        out.write(f"No changes to report to owners since {iso_time(since)}.\n")


def _print(messages: "list[Digest]", to_whom: "Recipients") -> None:
    """The messages, each with its recipients."""
    from keyaudit.cli.terminal.streams import printing
    from keyaudit.model.values.text import one_line

    with printing() as out:
        for number, message in enumerate(messages):
            named = "; ".join(one_line(address.place) for address in to_whom.addresses_of(message.owners))
            out.write("\n\n" if number else "")
            out.write(f"{message.title}\nTo: {named or 'nobody, because no default destination is set'}\n\n{message.body}")
        out.write("\n")


def _send(messages: "list[Digest]", to_whom: "Recipients", told: "Mapping[str, Channel]") -> bool:
    """Sends each message to its recipients, and says to whom. False if one could not be delivered."""
    from keyaudit.cli.terminal.streams import printing, tell
    from keyaudit.report.lines import plural

    sent = [(message, told[address.text]) for message in messages for address in to_whom.addresses_of(message.owners)]
    failed = [(message, channel) for message, channel in sent if not channel.send(message)]
    for message, channel in failed:
        what = f"could not deliver the message {message.title!r}; check the address, and send it again"
        tell(f"keyaudit: {channel.called}: {what}")
    with printing() as out:
        addresses = {channel.called for _, channel in sent}
        of = f"{plural(len(messages), 'message')} for {plural(len(addresses), 'address', 'addresses')}"
        out.write(f"{of}: {len(sent) - len(failed):,} delivered, {len(failed):,} not.\n")
        for message in messages:
            named = "; ".join(told[address.text].called for address in to_whom.addresses_of(message.owners))
            out.write(f"  {message.title}\n    to {named}\n")
    return not failed


def _with_failure(code: int) -> int:
    from keyaudit.model.errors import PRECEDENCE, Exit

    return next(each for each in PRECEDENCE if each in {code, Exit.BUG})
