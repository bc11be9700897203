"""The rotation as Markdown. Names from tenants and logs are escaped."""

from typing import TextIO

from keyaudit.model.reasons import ADVICE
from keyaudit.model.rotation import Consumer, Rotation, Stage
from keyaudit.model.times import iso_time
from keyaudit.report.markdown import safe
from keyaudit.report.rotation.plan import plan
from keyaudit.report.rotation.words import (
    MARKS,
    STAGES,
    conclusion,
    consumer,
    evidence,
    limits,
    meaning,
    moved,
    owner,
    since,
    stage,
    state,
    subject,
)
from keyaudit.report.summary import SIMULATED


def render(found: Rotation, out: TextIO) -> None:
    """Write it."""
    run = found.run
    out.write(f"# {safe(subject(found))}\n\n")
    if run.simulated:
        out.write(f"{SIMULATED}\n\n")
    out.write(f"Tenant {safe(run.tenant_name or run.tenant_id)}, as of {iso_time(run.as_of)}.\n\n{safe(conclusion(found))}\n\n")
    out.write("| stage | reached | |\n| --- | --- | --- |\n")
    out.writelines(f"| {STAGES[each]} | {MARKS[found.reached(each)]} | {safe(stage(found, each))} |\n" for each in Stage)
    if found.earlier is not None:
        out.write(f"\n## {safe(since(found))}\n\n")
        out.writelines(f"- {safe(each)}\n" for each in moved(found))
    out.write("\n## Consumers\n\n")
    if not found.consumers:
        out.write("No consumer was found in what was read.\n")
    out.writelines(f"- **{safe(state(each, found))}**: {safe(_consumer(each, found))}\n" for each in found.consumers)
    out.writelines(
        f"- **not read**: {safe(each.what)}: {safe(ADVICE[each.reason].meaning)} ({each.reason})\n" for each in found.unread
    )
    out.write("\n## Limits\n\n")
    out.writelines(f"- {safe(each)}\n" for each in limits(found))
    steps = plan(found)
    if steps:
        out.write("\n## Steps\n\nkeyaudit prints these commands and runs none of them.\n\n")
    for number, step in enumerate(steps, 1):
        out.write(f"{number}. **{step.phase}**: {safe(step.title)}\n")
        lines = (step.text, f"To go back: {step.back}." if step.back else "")
        out.writelines(f"   {safe(line)}\n" for line in lines if line)
        out.writelines(f"\n   ```cli\n   {command}\n   ```\n" for command in step.commands)
    out.write(f"\nExit {found.verdict.exit:d}: {safe(meaning(found))}.\n")


def _consumer(each: Consumer, found: Rotation) -> str:
    owned = f"; owner {owner(each)}" if each.owners else ""
    return f"{consumer(each)}: {evidence(each, found)}{owned}"
