"""Flags that several commands share: each is declared once, in a group, with its default and its help."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Collection
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

DEFAULT_CONFIG = Path("keyaudit.toml")
"""The configuration of the folder that a command is run in."""

BOM = "Begin CSV with a byte order mark, by which Excel knows UTF-8."


class Auth(StrEnum):
    """Ways to sign in."""

    AUTO = "auto"
    CLI = "cli"
    ENV = "env"
    MANAGED_IDENTITY = "managed-identity"
    WORKLOAD_IDENTITY = "workload-identity"
    AZURE_PIPELINES = "azure-pipelines"
    DEVICE_CODE = "device-code"


class Format(StrEnum):
    """Formats of a report."""

    TEXT = "text"
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class FailOn(StrEnum):
    """Severities at which a gate can be set."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Ci(StrEnum):
    """Build agents that a gate speaks to."""

    AUTO = "auto"
    GITHUB = "github"
    AZURE = "azure"
    NONE = "none"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Where to read, and how to sign in."""

    demo: Annotated[bool, typer.Option("--demo", help="Audit a simulated tenant: no Azure needed.")] = False
    estate: Annotated[
        str | None,
        typer.Option(
            "--estate",
            metavar="NAME",
            help="With --demo: which tenant; contoso (the default), blind-spots, hardened or sized:20x50.",
        ),
    ] = None
    tenant: Annotated[
        list[str] | None,
        typer.Option(
            "--tenant",
            metavar="ID|DOMAIN",
            help="The tenant to audit; any other is refused before it is read. Default: the identity's own. "
            "collect, report and gate take several.",
        ),
    ] = None
    auth: Annotated[
        Auth | None, typer.Option("--auth", help="How to sign in; auto, the default, tries what the environment offers.")
    ] = None
    cloud: Annotated[
        str | None,
        typer.Option(
            "--cloud",
            metavar="NAME",
            help="Which Azure cloud: public (the default), usgov, dod, china, or one that keyaudit.toml describes.",
        ),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Settings. Default: keyaudit.toml in this folder, if it is there."),
    ] = None
    subscription: Annotated[
        list[str] | None,
        typer.Option("--subscription", "-s", metavar="NAME|ID|GLOB", help="Only these subscriptions; repeatable."),
    ] = None
    resource_group: Annotated[
        list[str] | None,
        typer.Option("--resource-group", "-g", metavar="NAME|ID|GLOB", help="Only what is in these groups; repeatable."),
    ] = None
    vault: Annotated[
        list[str] | None, typer.Option("--vault", metavar="NAME|ID|GLOB", help="Only these vaults; repeatable.")
    ] = None
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="NAME|GLOB", help="Only these things to read, as in keys or applications; repeatable."
        ),
    ] = None
    share: Annotated[
        float,
        typer.Option(
            "--share", min=0.01, max=1.0, help="The part of each documented limit to use, so as never to throttle production."
        ),
    ] = 0.5
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=256, help="Requests in flight, at most.")] = 64
    imports: Annotated[
        list[str] | None,
        typer.Option(
            "--import",
            metavar="NAME=PATH",
            help="Evidence that Azure does not hold. ual=FILE: the JSON of Get-AdminAuditLogConfig and Get-OrganizationConfig. "
            "relying-parties=PATH: keys and settings that services check tokens by; a key set says in fetched_on when it "
            "was fetched, and every certificate there (.pem, .crt, .cer) counts as such a key: leave others out. "
            "logs=DIR: what usage import wrote; with usage-baseline=DIR, what usage learn wrote. "
            "custody=FILE: custody records in YAML, which init --custody begins.",
        ),
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints.")] = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A snapshot instead of the live tenant."""

    from_: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="DIR",
            help="Judge a snapshot that collect made; the network is not used. report and gate take several, one a tenant.",
        ),
    ] = None
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="TIME",
            help="With --from: judge as of this day or time, as in 2026-11-24. Default: when it was collected.",
        ),
    ] = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which policies."""

    policies: Annotated[
        Path | None,
        typer.Option("--policies", metavar="DIR", help="A folder with policies of your own, besides the shipped ones."),
    ] = None
    select: Annotated[
        list[str] | None, typer.Option("--select", metavar="ID|GLOB", help="Only these policies; repeatable.")
    ] = None
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="ID|GLOB", help="Without these policies; repeatable.")
    ] = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Selection):
    """What to judge by, and what to accept."""

    profile: Annotated[
        str | None,
        typer.Option(
            "--profile", metavar="NAME", help="The set of limits to judge by. Default: that of keyaudit.toml, else default."
        ),
    ] = None
    require: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            metavar="NAME[,...]",
            help="Take for incomplete what is otherwise only not judged: evidence that was not supplied (logs, custody, "
            "unified-audit, relying-parties, environments), and what this cloud lacks (not-in-cloud).",
        ),
    ] = None
    waivers: Annotated[
        Path | None,
        typer.Option(
            "--waivers", metavar="FILE", help="Exceptions, each with an end. Default: keyaudit.waivers.yaml, if here."
        ),
    ] = None
    no_waivers: Annotated[bool, typer.Option("--no-waivers", help="Read no waivers.")] = False
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="Mark what keyaudit baseline create found on an earlier day."),
    ] = None
    allow_gap: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-gap",
            metavar="KEY=VALUE[,...]",
            help="Accept a gap where all keys match (scope, operation, reason, policy); repeatable, and counted.",
        ),
    ] = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What to print and to write."""

    output: Annotated[Format | None, typer.Option("--output", "-o", help="Format on stdout.")] = None
    export: Annotated[
        list[str] | None,
        typer.Option("--export", metavar="FORMAT=PATH", help="Also write this format to a file; repeatable."),
    ] = None
    passes: Annotated[bool, typer.Option("--all", help="List what passes, too.")] = False
    bom: Annotated[bool, typer.Option("--bom", help=BOM)] = False


class Redact(StrEnum):
    """What a report can go without."""

    NAMES = "names"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What strangers are not told."""

    redact: Annotated[
        Redact | None,
        typer.Option(
            "--redact",
            help="names: pseudonyms for all that names the tenant, its people and its things. "
            "What can be guessed all the same: keyaudit explain redaction.",
        ),
    ] = None
    redact_salt: Annotated[
        Path | None,
        typer.Option(
            "--redact-salt",
            metavar="FILE",
            help="With --redact: a secret of 16 bytes or more that pseudonyms are made with. Default: the tenant's id, "
            "with which anybody can try names.",
        ),
    ] = None


def flags(*groups: type, without: Collection[str] = ()) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Gives a command one flag for each field of each group; it is called with the groups, filled in, by position.

    The fields `without` a flag keep their defaults.
    """

    def wrap(command: Callable[..., int]) -> Callable[..., int]:
        own = [p for p in inspect.signature(command).parameters.values() if p.kind is p.KEYWORD_ONLY]
        fields = {group: [field for field in dataclasses.fields(group) if field.name not in without] for group in groups}
        shared = [_parameter(group, field) for group in groups for field in fields[group]]

        def run(**values: Any) -> int:
            filled = [group(**{f.name: values.pop(f.name) for f in fields[group]}) for group in groups]
            return command(*filled, **values)

        run.__doc__ = command.__doc__
        run.__annotations__ = {p.name: p.annotation for p in (*own, *shared)}
        run.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
        return run

    return wrap


def _parameter(group: type, field: "dataclasses.Field[Any]") -> inspect.Parameter:
    annotation = typing.get_type_hints(group, include_extras=True)[field.name]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=annotation)
