"""`keyaudit explain`: a policy in full, or the exit codes."""

import difflib
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit.cli.streams import printing
from keyaudit.model.errors import MEANINGS, Exit, UsageError

if TYPE_CHECKING:
    from keyaudit.policy.load import Policy


def explain(
    topic: Annotated[str, typer.Argument(metavar="ID", help="A policy's id, or: exit-codes.")],
) -> int:
    """Explain a policy (why it exists, what it reads, how to mend what it finds), or exit-codes."""
    if topic.lower() == "exit-codes":
        with printing() as out:
            out.writelines(f"{int(code):>4}  {meaning}\n" for code, meaning in MEANINGS.items())
        return Exit.CLEAN
    from keyaudit.policy.load import load  # noqa: PLC0415 - heavy
    from keyaudit.report.explain import render_policy  # noqa: PLC0415 - heavy

    policies = {policy.text.id: policy for policy in load()}
    policy = policies.get(topic.lower())
    if policy is None:
        near = difflib.get_close_matches(topic.lower(), policies, n=1)
        remedy = f"did you mean {near[0]}?" if near else "see keyaudit policies list"
        raise UsageError("explain", f"no policy {topic!r}", remedy)
    with printing() as out:
        out.write(render_policy(policy.text, _details(policy)))
    return Exit.CLEAN


def _details(policy: "Policy") -> dict[str, str]:
    """What the policy asks, and its limits by profile."""
    from keyaudit.policy.bind import bind  # noqa: PLC0415 - heavy
    from keyaudit.policy.parameters import PROFILES  # noqa: PLC0415 - heavy

    conditions = {"Applies to": policy.applies_to, "Violated when": policy.violated_when}
    asked = {name: " ".join(condition.text.split()) for name, condition in conditions.items() if condition}
    limits: dict[str, list[str]] = {}
    for profile in PROFILES:
        [bound] = bind([policy], profile, {})
        for name in policy.parameters:
            limits.setdefault(f"{name} {bound.shown(name)}", []).append(profile)
    if limits:
        asked["Parameters"] = "\n".join(f"{limit} ({', '.join(profiles)})" for limit, profiles in limits.items())
    return asked
