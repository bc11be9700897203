"""Flags that several commands share: each declared once, in a group, with default and help."""

import copy
import dataclasses
import inspect
import re
import typing
from collections.abc import Callable, Collection
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from keyaudit.inventory.disk.input_file import is_there
from keyaudit.model.errors import UsageError
from keyaudit.model.values import times
from keyaudit.model.values.shell import option
from keyaudit.model.values.text import one_line

DEFAULT_CONFIG = Path("keyaudit.toml")
"""The default configuration file, in the current folder."""

_LONGEST = 1_024

BOM = "Begin CSV with a byte order mark, so that Excel reads it as UTF-8."


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
    """Severities that a gate can fail on."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Ci(StrEnum):
    """Build agents that a gate writes annotations for."""

    AUTO = "auto"
    GITHUB = "github"
    AZURE = "azure"
    NONE = "none"


KEY_NAMES = (
    "The address, VAULT/NAME or own name of a key, certificate or secret; a thumbprint, SHA-1 or SHA-256; a key id; an "
    "application's id or exact name; a federated domain; or a finding's id. The first six digits of an id are enough."
)
"""What a command about a key takes as its argument."""
Output = Annotated[Format, typer.Option("--output", "-o", help="Format on stdout.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The file of settings. Default: keyaudit.toml in the current folder, if it exists.",
    ),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="The set of limits. Default: the one in keyaudit.toml, else default."),
]
OwnPolicies = Annotated[
    Path | None,
    typer.Option("--policies", metavar="DIR", help="A folder with your own policies, besides the shipped ones."),
]
Shrinkage = Annotated[
    Path | None,
    typer.Option(
        "--since",
        metavar="DIR",
        help="An earlier snapshot, to measure shrinkage for [expect] in keyaudit.toml. If --baseline was created from it, "
        "keyaudit distinguishes changes in the tenant from changes in the policies.",
    ),
]
Keep = Annotated[
    Path | None,
    typer.Option(
        "--keep",
        metavar="DIR",
        help="Store a new snapshot in this folder, and copy from the newest one there everything that cannot have changed. A "
        "run that was interrupted within the last day is resumed.",
    ),
]
"""Flags of several commands."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What to read, and how to sign in."""

    demo: Annotated[
        bool, typer.Option("--demo", help="Audit a simulated tenant, always as of the same day; needs no Azure.")
    ] = False
    estate: Annotated[
        str | None,
        typer.Option(
            "--estate",
            metavar="NAME",
            help="The simulated tenant of --demo: contoso (the default), blind-spots, hardened, ordinary or sized:20x50.",
        ),
    ] = None
    tenant: Annotated[
        list[str] | None,
        typer.Option(
            "--tenant",
            metavar="ID|DOMAIN",
            help="The tenant to audit; keyaudit refuses any other before it reads anything. Default: the tenant of the "
            "sign-in. Repeatable for collect, report and gate.",
        ),
    ] = None
    auth: Annotated[
        Auth | None,
        typer.Option("--auth", help="How to sign in. auto, the default, tries each way that the environment offers."),
    ] = None
    cloud: Annotated[
        str | None,
        typer.Option(
            "--cloud",
            metavar="NAME",
            help="The Azure cloud: public (the default), usgov, dod, china, or one described in keyaudit.toml.",
        ),
    ] = None
    config: ConfigFile = None
    subscription: Annotated[
        list[str] | None,
        typer.Option("--subscription", "-s", metavar="NAME|ID|GLOB", help="Only these subscriptions; repeatable."),
    ] = None
    resource_group: Annotated[
        list[str] | None,
        typer.Option("--resource-group", "-g", metavar="NAME|ID|GLOB", help="Only these resource groups; repeatable."),
    ] = None
    vault: Annotated[
        list[str] | None, typer.Option("--vault", metavar="NAME|ID|GLOB", help="Only these vaults; repeatable.")
    ] = None
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="NAME|GLOB", help="Only these kinds of objects, for example keys or applications; repeatable."
        ),
    ] = None
    share: Annotated[
        float,
        typer.Option(
            "--share",
            min=0.01,
            max=1.0,
            help="The share of each documented request limit to use, to avoid throttling production;  --demo has no limits.",
        ),
    ] = 0.5
    concurrency: Annotated[
        int,
        typer.Option("--concurrency", min=1, max=256, help="The maximum number of parallel requests; --demo makes at most 2."),
    ] = 64
    imports: Annotated[
        list[str] | None,
        typer.Option(
            "--import",
            metavar="NAME=PATH",
            help="Evidence that Azure's APIs do not return: ual=FILE, custody=FILE, relying-parties=PATH, "
            "repositories=FILE, logs=DIR, usage-baseline=DIR. Details: keyaudit explain evidence.",
        ),
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no hints.")] = False


def duration(name: str, text: str) -> int:
    """The seconds of a duration that somebody typed. Raises UsageError, with the name of the option or command."""
    days = re.fullmatch(r"(\d{1,6})([dw]?)", text.lower(), re.ASCII)
    if days:
        return int(days[1]) * (7 if days[2] == "w" else 1) * times.DAY
    try:
        return times.parse_duration(text)
    except ValueError as error:
        raise UsageError(name, f"not a duration: {text!r}", "use 30d, 12w or P90D") from error


def settings_file(live: Live) -> Path | None:
    """The file of settings of a run: the named one, or the default one if anything has that name, even if it is no file.

    A simulated tenant has only a named one, since the folder's file is about a real tenant.
    """
    if live.config is not None:
        return live.config
    return DEFAULT_CONFIG if not live.demo and is_there(DEFAULT_CONFIG) else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A snapshot instead of the live tenant."""

    from_: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="DIR",
            help="A snapshot that collect wrote; keyaudit does not use the network. Repeatable for report and gate, one per "
            "tenant.",
        ),
    ] = None
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="TIME",
            help="With --from: evaluate as of this day or time, for example 2026-11-24. Default: when it was collected.",
        ),
    ] = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Which part of what was read, besides --subscription and --vault."""

    environment: Annotated[
        list[str] | None,
        typer.Option("--environment", metavar="NAME|GLOB", help="Only resources in these environments; repeatable."),
    ] = None
    owner: Annotated[
        list[str] | None,
        typer.Option("--owner", metavar="NAME|ID|GLOB", help="Only resources that these people or teams own; repeatable."),
    ] = None
    area: Annotated[
        list[str] | None,
        typer.Option("--area", metavar="NAME|GLOB", help="Only these areas of the report, such as keys or access; repeatable."),
    ] = None
    resource: Annotated[
        list[str] | None,
        typer.Option("--resource", metavar="NAME|ID|GLOB", help="Only resources of these names or ids; repeatable."),
    ] = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which policies."""

    policies: OwnPolicies = None
    select: Annotated[
        list[str] | None, typer.Option("--select", metavar="ID|GLOB", help="Only these policies; repeatable.")
    ] = None
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="ID|GLOB", help="All but these policies; repeatable.")
    ] = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Selection):
    """Policies, limits, waivers and baseline."""

    profile: Profile = None
    require: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            metavar="NAME[,...]",
            help="Treat missing optional evidence as incomplete (exit 3): logs, custody, unified-audit, relying-parties, "
            "repositories, deleted-hsm-keys, conditional-access, identity-protection, environments, not-in-cloud (features "
            "this cloud lacks), every-resource (for a plan), publishers (facts that only another organization can see: "
            "publishers of agent blueprints, service providers), or all, which includes everything that --source and other "
            "filters left out.",
        ),
    ] = None
    waivers: Annotated[
        Path | None,
        typer.Option("--waivers", metavar="FILE", help="The file of waivers. Default: keyaudit.waivers.yaml, if it exists."),
    ] = None
    no_waivers: Annotated[bool, typer.Option("--no-waivers", help="Ignore waivers.")] = False
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            help="A file of keyaudit baseline create: mark the findings in it as known. They still fail a gate without "
            "--new-only.",
        ),
    ] = None
    allow_gap: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-gap",
            metavar="KEY=VALUE[,...]",
            help="Accept gaps that match all keys (scope, operation, reason, policy); repeatable, counted in the report.",
        ),
    ] = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What to print and to write."""

    output: Annotated[Format | None, typer.Option("--output", "-o", help="Format on stdout.")] = None
    export: Annotated[
        list[str] | None,
        typer.Option(
            "--export", metavar="FORMAT=PATH", help="Also write a file; repeatable. Formats: keyaudit explain exports."
        ),
    ] = None
    passes: Annotated[bool, typer.Option("--all", help="Also list passed checks.")] = False
    bom: Annotated[bool, typer.Option("--bom", help=BOM)] = False


class Redact(StrEnum):
    """What can be left out of a report."""

    NAMES = "names"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """Reports with pseudonyms, for readers outside the organisation."""

    redact: Annotated[
        Redact | None,
        typer.Option(
            "--redact",
            help="names: replace names of the tenant, its people and resources by pseudonyms. Details and limits: keyaudit "
            "explain redaction.",
        ),
    ] = None
    redact_salt: Annotated[
        Path | None,
        typer.Option(
            "--redact-salt",
            metavar="FILE",
            help="With --redact: a file with a secret of 16 bytes or more, so that nobody can test guessed names. Default: "
            "the tenant id.",
        ),
    ] = None


def flags(*groups: type, without: Collection[str] = ()) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add a flag to a command for each field of each group; the command gets the groups as positional arguments.

    Fields named in `without` get no flag and keep their defaults.
    """

    def wrap(command: Callable[..., int]) -> Callable[..., int]:
        own = [p for p in inspect.signature(command).parameters.values() if p.kind is p.KEYWORD_ONLY]
        fields = {group: [field for field in dataclasses.fields(group) if field.name not in without] for group in groups}
        hints = {group: typing.get_type_hints(group, include_extras=True) for group in groups}
        shared = [_parameter(field, hints[group][field.name], group) for group in groups for field in fields[group]]

        def run(**values: Any) -> int:
            filled = [group(**{f.name: values.pop(f.name) for f in fields[group]}) for group in groups]
            return command(*filled, **values)

        run.__doc__ = command.__doc__
        run.__annotations__ = {p.name: p.annotation for p in (*own, *shared)}
        run.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
        return run

    return wrap


def typed(*groups: Any, without: Collection[str] = ()) -> str:
    """The flags of these groups that differ from their defaults, as on a command line. Fields in `without` are left out."""
    found: list[str] = []
    for group in groups:
        hints = typing.get_type_hints(type(group), include_extras=True)
        for field in dataclasses.fields(group):
            value = getattr(group, field.name)
            if field.name in without or value == field.default:
                continue
            flag = hints[field.name].__metadata__[0].default
            values = value if isinstance(value, list) else [value]
            found += [flag] if value is True else [option(flag, one_line(str(each), _LONGEST)) for each in values]
    return " ".join(found)


def _parameter(field: "dataclasses.Field[Any]", annotation: Any, group: type) -> inspect.Parameter:
    """The parameter of a field, in the section of its group in the help."""
    title = (group.__doc__ or "").partition(".\n")[0].partition(".")[0]
    declared = copy.copy(annotation.__metadata__[0])
    declared.rich_help_panel = title
    annotation = Annotated[annotation.__origin__, declared]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=annotation)
