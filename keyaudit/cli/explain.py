"""`keyaudit explain`: a policy in full, the exit codes, or what a redaction keeps from whom."""

from typing import Annotated

import typer

from keyaudit.cli.policies import Own, details, named
from keyaudit.cli.streams import printing
from keyaudit.model.errors import MEANINGS, Exit


def explain(
    topic: Annotated[str, typer.Argument(metavar="ID", help="A policy's id, or: exit-codes, redaction.")],
    *,
    policies: Own = None,
) -> int:
    """Explain a policy (why it exists, what it reads, how to mend what it finds), or exit-codes, or redaction."""
    if topic.lower() == "exit-codes":
        with printing() as out:
            out.writelines(f"{int(code):>4}  {meaning}\n" for code, meaning in MEANINGS.items())
        return Exit.CLEAN
    if topic.lower() == "redaction":
        from keyaudit.report.redact import LIMITS  # noqa: PLC0415 - heavy

        with printing() as out:
            out.write(LIMITS)
        return Exit.CLEAN
    from keyaudit.report.explain import render_policy  # noqa: PLC0415 - heavy

    policy = named(topic, policies, "explain")
    with printing() as out:
        out.write(render_policy(policy.text, details(policy)))
    return Exit.CLEAN
