"""`keyaudit explain`: a policy in full, a recipe, or what else is told in TOPICS."""

from typing import Annotated

import typer

from keyaudit.cli.policies import Own, details, named
from keyaudit.cli.streams import printing
from keyaudit.model.errors import Exit


def explain(
    topic: Annotated[
        str, typer.Argument(metavar="ID|TOPIC", help="A policy's id, or a topic. Without one: a list of the topics.")
    ] = "",
    *,
    policies: Own = None,
) -> int:
    """Explain a policy (why it exists, what it reads, how to mend what it finds), or a topic: admin, auditor, pipeline, ..."""
    from keyaudit.report import topics  # noqa: PLC0415 - heavy
    from keyaudit.report.explain import render_policy  # noqa: PLC0415 - heavy

    name = topic.lower()
    if not name:
        text = topics.overview()
    elif name in topics.TOPICS:
        text = topics.topic(name)
    else:
        policy = named(topic, policies, "explain")
        text = render_policy(policy.text, details(policy))
    with printing() as out:
        out.write(text)
    return Exit.CLEAN
