"""`keyaudit access`: who can use a key, certificate, vault or HSM, and how; or what a principal can use."""

from typing import Annotated

import typer

from keyaudit.cli.options import Format, Live, Output, Stored, flags


@flags(Live, Stored)
def access(
    live: Live,
    stored: Stored,
    *,
    asked: Annotated[
        str,
        typer.Argument(
            metavar="RESOURCE|PRINCIPAL|FINDING",
            help="A vault; VAULT/NAME, an address, a resource id or the object's name; an object id, client id, sign-in name "
            "or exact name; or a finding's id. The first six digits of an id are enough.",
        ),
    ],
    output: Output = Format.TEXT,
) -> int:
    """Show who can use a key or vault, or what someone can use.

    Nested groups, inherited roles and access policies are resolved, and each way in is named.
    """
    from keyaudit import ask
    from keyaudit.cli.output import show
    from keyaudit.cli.sources.source import snapshot, unmet
    from keyaudit.cli.terminal.progress import told_if_long
    from keyaudit.questions.access import FORMATS

    with snapshot(live, stored) as (taken, as_of):
        with told_if_long("resolving who has access", quiet=live.quiet):
            found = ask.access(taken, asked, as_of=as_of, unmet=unmet(taken, live))
        return show(FORMATS[output], found, found.verdict)
