"""`keyaudit policies`: the policies and their limits, checks and tests for policy files."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyaudit.cli.guardrails import guardrails
from keyaudit.cli.options import ConfigFile, OwnPolicies, Profile
from keyaudit.cli.parameters import Command
from keyaudit.cli.terminal.streams import printing
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.values.text import one_line

if TYPE_CHECKING:
    from keyaudit.policy.load import Policy

app = typer.Typer(help="List, check, test and write policies; print guardrails.", rich_markup_mode=None)

Place = Annotated[
    Path | None, typer.Argument(metavar="[PATH]", help="A policy file or a folder of them. Default: the shipped ones.")
]


@app.command("list")
def list_(*, policies: OwnPolicies = None) -> int:
    """List the policies, with severity and requirement."""
    from keyaudit.cli.output import options
    from keyaudit.policy.load import load
    from keyaudit.report.tabular.grid import grid

    rows = [(policy.text.id, policy.text.severity, policy.text.title) for policy in load(besides=policies)]
    with printing() as out:
        out.writelines(f"{line}\n" for line in grid(("Policy", "Severity", "Requirement"), rows, options(out).width))
    return Exit.CLEAN


@app.command("show")
def show(
    policy: Annotated[str, typer.Argument(metavar="ID", help="A policy's id.")],
    *,
    profile: Profile = None,
    config: ConfigFile = None,
    policies: OwnPolicies = None,
) -> int:
    """Show a policy's current limits, and the source of each."""
    from tabulate import tabulate

    from keyaudit.cli.options import Choice, Live
    from keyaudit.cli.settings.limits import settled
    from keyaudit.policy.load import load

    found = named(policy, policies, "policies show")
    how = settled(Live(config=config), Choice(profile=profile), load(besides=policies))
    [bound] = how.bound([found])
    rows = [(name, one_line(bound.shown(name)), one_line(bound.origins[name])) for name in found.parameters]
    without = []
    for each in bound.classes:
        name = f"class {one_line(each.declared.name)}"
        place = f"{name} ({one_line(each.declared.place)}: {one_line(each.declared.match)})"
        rows += [(key, one_line(bound.worded(key, value)), place) for key, value in each.values.items()]
        if not each.applies:
            without.append(f"Not applicable to {place}.\n")
    with printing() as out:
        if rows:
            out.write(tabulate(rows, headers=("Parameter", "Value", "From"), disable_numparse=True) + "\n")
        else:
            out.write(f"{found.text.id} has no parameters.\n")
        out.writelines(without)
    return Exit.CLEAN


@app.command("check")
def check(path: Place = None) -> int:
    """Check policy files, and list all their errors at once.

    The examples are not run: keyaudit policies test does that.
    """
    from keyaudit.policy.load import load

    count = len(load(path))
    with printing() as out:
        out.write(f"{'1 policy' if count == 1 else f'{count} policies'}: no errors\n")
    return Exit.CLEAN


@app.command("test")
def run_examples(path: Place = None) -> int:
    """Run the examples of policies, and test the examples.

    keyaudit also makes every small change to each policy; the test fails if no example notices one.
    """
    from keyaudit.policy.examples import test_policies

    outcome = test_policies(path)
    with printing() as out:
        out.writelines(f"{line}\n" for line in (*outcome.failures, *outcome.warnings, outcome.summary))
    return Exit.CLEAN if not outcome.failures else Exit.FINDINGS


@app.command("new")
def new(
    policy: Annotated[str, typer.Argument(metavar="ID", help="The id of the policy, and the name of its file.")],
    *,
    table: Annotated[
        str, typer.Option("--table", metavar="TABLE", help="The table that it evaluates: key, vault, credential, ...")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder to write to; created if missing. Default: the current one.")
    ] = Path(),
) -> int:
    """Write a new policy to edit, with examples.

    It passes keyaudit policies test as it is.
    """
    from keyaudit.policy.reading.scaffold import scaffold
    from keyaudit.report.files import output_file, output_folder

    text = scaffold(policy, table)
    path = out / f"{policy}.yaml"
    if path.exists():
        raise UsageError(str(path), "already exists", "choose another id, or move it")
    output_folder(out)
    with output_file(path) as file:
        file.write(text)
    with printing() as stdout:
        stdout.write(f"{path}: edit it, then run keyaudit policies test {path}\n")
    return Exit.CLEAN


@app.command("schema")
def schema() -> int:
    """Print the JSON Schema of policy files, for editors."""
    from keyaudit.policy.reading.json_schema import json_schema

    with printing() as out:
        out.write(json.dumps(json_schema(), indent=2) + "\n")
    return Exit.CLEAN


@app.command("docs")
def docs(
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write to; created if missing.")],
    policies: OwnPolicies = None,
) -> int:
    """Write a Markdown page for each policy and each table."""
    from keyaudit.inventory.reads import operations_of
    from keyaudit.model.tables import TABLES
    from keyaudit.policy.load import load
    from keyaudit.questions.explain.pages import index_page, policy_page, table_page
    from keyaudit.report.files import output_file, output_folder

    found = load(besides=policies)
    pages = {Path("README.md"): index_page([policy.text for policy in found], TABLES.values())}
    for policy in found:
        examples = [(example.why, str(example.expect), example.shown) for example in policy.examples]
        pages[Path("policies", f"{policy.text.id}.md")] = policy_page(policy.text, details(policy), examples)
    for table in TABLES.values():
        filled_by = {column.name: operations_of(table.name, column.name) for column in table.columns}
        pages[Path("tables", f"{table.name}.md")] = table_page(table, filled_by)
    for folder in sorted({out / path.parent for path in pages}):
        output_folder(folder)
    for path, page in pages.items():
        with output_file(out / path) as file:
            file.write(page)
    with printing() as stdout:
        stdout.write(f"{out / 'README.md'}: {len(found)} policies, {len(TABLES)} tables\n")
    return Exit.CLEAN


def named(name: str, own: Path | None, place: str, besides: Collection[str] = ()) -> "Policy":
    """The policy with this id, in any case. Raises UsageError if there is none, with the nearest id, or topic in `besides`."""
    from keyaudit.model.documents.problems import nearest, shown
    from keyaudit.policy.load import load

    policies = {policy.text.id: policy for policy in load(besides=own)}
    found = policies.get(name.lower())
    if found is None:
        what = f"no policy or topic {shown(name)}" if besides else f"no policy {shown(name)}"
        more = "see keyaudit explain and keyaudit policies list" if besides else "see keyaudit policies list"
        raise UsageError(place, what, nearest(name, [*policies, *besides]) or more)
    return found


def _opens(table: str) -> Iterator[str]:
    """What a row of the table opens, in words."""
    from keyaudit.model.schema.opens import ALWAYS
    from keyaudit.model.severity import Opens
    from keyaudit.model.tables import TABLES

    for opens, condition in TABLES[table].opens.items():
        yield f"{opens} when {condition}" if condition != ALWAYS else f"else {opens}"
        if condition == ALWAYS:
            return
    yield f"else {Opens.LITTLE}"


def details(policy: "Policy") -> dict[str, str]:
    """The policy's condition, and its limits by profile."""
    from keyaudit.policy.conditions.parameters import PROFILES
    from keyaudit.policy.evaluation.binding import bind

    conditions = {"Applies to": policy.applies_to, "Violated when": policy.violated_when}
    asked = {name: " ".join(condition.text.split()) for name, condition in conditions.items() if condition}
    rungs = [f"{rung.weakness} when {' '.join(rung.condition.text.split())}" for rung in policy.weakness_when]
    otherwise = f"{'else ' if rungs else ''}{policy.trees.weakness}"
    asked["Weakness" if policy.text.weakness else "Severity"] = "\n".join([*rungs, otherwise])
    asked |= {"Opens": "\n".join(_opens(policy.text.table))} if policy.text.weakness else {}
    limits: dict[str, list[str]] = {}
    for profile in PROFILES:
        [bound] = bind([policy], profile, {})
        for name in policy.parameters:
            limits.setdefault(f"{name} {bound.shown(name)}", []).append(profile)
    if limits:
        asked["Parameters"] = "\n".join(f"{limit} ({', '.join(profiles)})" for limit, profiles in limits.items())
    return asked


app.command("guardrails", cls=Command)(guardrails)
