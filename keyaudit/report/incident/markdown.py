"""The page as Markdown. Names from tenants and logs are escaped."""

from typing import TextIO

from keyaudit.model.incident import Incident
from keyaudit.model.times import iso_time
from keyaudit.report.incident.plan import left_open, plan
from keyaudit.report.incident.words import plan_title, sections, title, verdict
from keyaudit.report.markdown import safe
from keyaudit.report.summary import SIMULATED


def render(found: Incident, out: TextIO) -> None:
    """Write it."""
    run = found.radius.run
    out.write(f"# {safe(title(found))}\n\n**{safe(verdict(found))}**\n\n")
    if run.simulated:
        out.write(f"{SIMULATED}\n\n")
    out.write(f"Tenant {safe(run.tenant_name or run.tenant_id)}, as of {iso_time(run.as_of)}.\n")
    for section in sections(found):
        out.write(f"\n## {section.title}\n\n")
        out.writelines(f"{'  ' * each.depth}- {safe(each.text)} *({each.confidence})*\n" for each in section.statements)
    steps, left = plan(found), left_open(found)
    if steps:
        out.write(f"\n## {plan_title(found)}\n\nkeyaudit prints these commands and runs none of them.\n\n")
    for number, step in enumerate(steps, 1):
        out.write(f"{number}. **{step.phase}**: {safe(step.title)}\n")
        out.writelines(f"   {safe(line)}\n" for line in (step.text, f"Breaks: {step.breaks}." if step.breaks else "") if line)
        out.writelines(f"\n   ```{step.language}\n   {command}\n   ```\n" for command in step.commands)
    out.write("\n## What stays open\n\n" if left else "")
    out.writelines(f"- {safe(each)}\n" for each in left)
