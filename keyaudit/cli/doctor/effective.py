"""The settings in force, each with where it comes from: a flag, a variable, a line of `keyaudit.toml`, or the default."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from keyaudit.cli.options import Choice, Live, settings_file
from keyaudit.cli.settings.channels import VARIABLE
from keyaudit.cli.settings.config import Config, parsed, read_config
from keyaudit.cli.settings.limits import Limits, settled
from keyaudit.cli.settings.run_settings import Settings, settle
from keyaudit.cli.sources.judged import WAIVERS
from keyaudit.cli.terminal.streams import colour_variable
from keyaudit.cloud.network import Network, variables
from keyaudit.inventory.disk.input_file import is_there
from keyaudit.model.documents.nodes import find
from keyaudit.model.documents.reader import Keys, dotted
from keyaudit.model.scope.environments import EnvironmentRule
from keyaudit.model.values.times import duration_text
from keyaudit.policy.evaluation.binding import bind
from keyaudit.policy.load import Policy, load

_HIDDEN = "set, and not shown"
_DEFAULTS = Live()


class EffectiveSetting(Struct, frozen=True):
    """`value` is None if nothing is set; `unset` then says what that means. `origin`: flag, variable, file or default."""

    name: str
    value: str | float | Sequence[str] | None
    origin: str
    place: str
    """Which flag or variable, or `file:line`; empty for a default."""
    unset: str = ""


def in_force(live: Live, choice: Choice, environ: Mapping[str, str] = os.environ) -> list[EffectiveSetting]:
    """Every setting of a run with these flags. Raises UsageError if the run itself would."""
    known = load(besides=choice.policies)
    limits = settled(live, choice, known)
    found = _Resolver(settings_file(live))
    return [
        *_scope(found, live, settle(live, resume=False)),
        *_written(found, live),
        *_policy(found, choice, limits, known),
        *_flags(live, choice),
        *_environment(environ),
    ]


class _Resolver:
    """Decides between a flag and the file."""

    def __init__(self, path: Path | None) -> None:
        self._file = parsed(path) if path else None

    def setting(self, path: Keys, value: Any, flag: str, given: object, unset: str = "") -> EffectiveSetting:
        """The value of the flag if it was given, or else of the file at `path`."""
        name = dotted(path)
        if given:
            return EffectiveSetting(name, value, "flag", flag, unset)
        place = self.place(path)
        return EffectiveSetting(name, value, "file" if place else "default", place, unset)

    def place(self, path: Keys) -> str:
        """`file:line` of a setting, or empty if the file does not contain it."""
        if self._file is None:
            return ""
        reader, document = self._file
        node = find(document, path)
        return reader.place(node) if node is not None else ""


def _scope(found: _Resolver, live: Live, how: Settings) -> Iterator[EffectiveSetting]:
    yield found.setting(("scope", "tenant"), how.tenant, "--tenant", live.tenant, "the identity's own")
    given = {
        "subscriptions": ("--subscription", live.subscription),
        "resource_groups": ("--resource-group", live.resource_group),
        "vaults": ("--vault", live.vault),
        "sources": ("--source", live.source),
    }
    for name, (flag, values) in given.items():
        value = getattr(how.filters, name)
        yield found.setting(("scope", name), value or None, flag, values, "all")
    yield found.setting(("auth", "method"), str(how.auth), "--auth", live.auth)
    yield found.setting(("auth", "cloud"), how.environment.name, "--cloud", live.cloud)


def _written(found: _Resolver, live: Live) -> Iterator[EffectiveSetting]:
    """Settings that only a file can contain."""
    config = read_config(settings_file(live))
    for name, cloud in config.clouds.items():
        path: Keys = ("clouds", name)
        yield EffectiveSetting(dotted(path), cloud.arm, "file", found.place(path))
    yield from _environments(found, config.environment_rules)
    yield from _people(found, config)
    expected = config.expected
    shrinkage = None if expected.shrinkage is None else f"{expected.shrinkage}%"
    least = tuple(f"{table} {number:,}" for table, number in expected.at_least.items())
    for name, value in (
        ("subscriptions", expected.subscriptions),
        ("vaults", expected.vaults),
        ("no_subscriptions", expected.no_subscriptions),
        ("shrinkage", shrinkage),
        ("at_least", least),
    ):
        if value:
            yield EffectiveSetting(f"expect.{name}", value, "file", found.place(("expect", name)))


def _environments(found: _Resolver, rules: Sequence[EnvironmentRule]) -> Iterator[EffectiveSetting]:
    names = [(rule.pattern, rule.environment) for rule in rules if rule.of == "name"]
    for rule in rules:
        if rule.of != "name":
            path: Keys = ("environments", f"{rule.of}s", rule.pattern)
            yield EffectiveSetting(dotted(path), rule.environment, "file", found.place(path))
    for environment in sorted({name for _, name in names}):
        path = ("environments", "same", environment)
        others = tuple(other for other, name in names if other != name == environment)
        yield EffectiveSetting(dotted(path), others, "file", found.place(path))


def _people(found: _Resolver, config: Config) -> Iterator[EffectiveSetting]:
    recipients = config.recipients
    if recipients.default:
        yield EffectiveSetting("notify.default", _HIDDEN, "file", found.place(("notify", "default")))
    if recipients.owners:
        yield EffectiveSetting("notify.owners", _HIDDEN, "file", found.place(("notify", "owners")))
    for number, owning in enumerate(config.owners.rules, 1):
        yield EffectiveSetting(f"owners.rules.{number}", f"{owning.match}: {', '.join(owning.owners)}", "file", owning.place)
    if config.owners.fallback:
        yield EffectiveSetting("owners.fallback", config.owners.fallback, "file", found.place(("owners", "fallback")))
    for severity, seconds in config.deadlines.items():
        yield EffectiveSetting(f"deadlines.{severity}", duration_text(seconds), "file", found.place(("deadlines", severity)))
    if config.tag_labels:
        yield EffectiveSetting("prometheus.tags", ", ".join(config.tag_labels), "file", found.place(("prometheus", "tags")))


def _policy(found: _Resolver, choice: Choice, limits: Limits, known: Sequence[Policy]) -> Iterator[EffectiveSetting]:
    yield found.setting(("policy", "profile"), limits.profile, "--profile", choice.profile)
    for policy in known:
        if policy.text.id in limits.parameters:
            given = limits.parameters[policy.text.id]
            [bound] = bind([policy], limits.profile, {policy.text.id: given})
            for name in given:
                path: Keys = ("policy", "parameters", policy.text.id, name)
                yield EffectiveSetting(dotted(path), bound.shown(name), "file", found.place(path))
    for each in limits.classes:
        yield EffectiveSetting(f"policy.classes.{each.name}", each.match, "file", each.place)
    wanted: Keys = ("require", "evidence")
    yield found.setting(wanted, limits.require or None, "--require", choice.require, "only Azure's responses")


def _flags(live: Live, choice: Choice) -> Iterator[EffectiveSetting]:
    """Settings that a file cannot contain."""
    none = _Resolver(None)
    yield none.setting(
        ("policies",), str(choice.policies) if choice.policies else None, "--policies", choice.policies, "shipped"
    )
    yield none.setting(("select",), choice.select or None, "--select", choice.select, "all policies")
    yield none.setting(("ignore",), choice.ignore or None, "--ignore", choice.ignore, "none")
    if choice.no_waivers:
        yield EffectiveSetting("waivers", None, "flag", "--no-waivers", "none")
    else:
        usual = str(WAIVERS) if is_there(WAIVERS) else None
        value = str(choice.waivers) if choice.waivers else usual
        yield none.setting(("waivers",), value, "--waivers", choice.waivers, f"none: no {WAIVERS} here")
    yield none.setting(("baseline",), str(choice.baseline) if choice.baseline else None, "--baseline", choice.baseline, "none")
    yield none.setting(("allow_gap",), choice.allow_gap or None, "--allow-gap", choice.allow_gap, "none")
    yield none.setting(("share",), live.share, "--share", live.share != _DEFAULTS.share)
    yield none.setting(("concurrency",), live.concurrency, "--concurrency", live.concurrency != _DEFAULTS.concurrency)


def _environment(environ: Mapping[str, str]) -> Iterator[EffectiveSetting]:
    shown, named = Network.from_environ(environ).shown(), variables(environ)
    for name, unset in (("proxy", "none"), ("no_proxy", "none"), ("ca_file", "the system's")):
        there = name in shown
        yield EffectiveSetting(
            f"network.{name}", shown.get(name), "variable" if there else "default", named[name] if there else "", unset
        )
    variable, colour = colour_variable(environ)
    yield EffectiveSetting("colour", colour, "variable" if variable else "default", variable)
    urls = bool(environ.get(VARIABLE))
    yield EffectiveSetting(
        "notify", _HIDDEN if urls else None, "variable" if urls else "default", VARIABLE if urls else "", "no URLs"
    )
