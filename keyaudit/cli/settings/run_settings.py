"""What a run reads, and how it signs in: flags first, then `keyaudit.toml`, then defaults."""

from difflib import get_close_matches

from msgspec import Struct

from keyaudit.cli.options import Auth, Live, settings_file
from keyaudit.cli.settings.config import Config, read_config
from keyaudit.cloud.environment import ENVIRONMENTS, Environment
from keyaudit.collect.scope_filters import check_sources
from keyaudit.collect.surfaces import SURFACES
from keyaudit.model.errors import UsageError
from keyaudit.model.gating.expectations import Expectations
from keyaudit.model.scope.environments import EnvironmentRule
from keyaudit.model.scope.filters import Filters
from keyaudit.model.values.text import one_line


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of a run, complete before the first request."""

    environment: Environment
    auth: Auth
    tenant: str | None
    filters: Filters
    environment_rules: tuple[EnvironmentRule, ...]
    expected: Expectations


def settle(live: Live, *, resume: bool) -> Settings:
    """The settings of a run. Raises UsageError if flags contradict each other.

    For a simulated tenant the folder's file, which is about a real one, is not read unless --config names it. A resumed run
    keeps its filters; those of the file are ignored.
    """
    config = read_config(settings_file(live))
    given = Filters(
        subscriptions=tuple(live.subscription or ()),
        resource_groups=tuple(live.resource_group or ()),
        vaults=tuple(live.vault or ()),
        sources=tuple(live.source or ()),
    )
    usual = Filters() if resume else config.filters
    filters = Filters(
        subscriptions=given.subscriptions or usual.subscriptions,
        resource_groups=given.resource_groups or usual.resource_groups,
        vaults=given.vaults or usual.vaults,
        sources=given.sources or usual.sources,
    )
    check_sources(filters, SURFACES.operations)
    cloud = live.cloud or config.cloud or "public"
    if live.demo and cloud != "public":
        raise UsageError("--cloud", "the simulated tenant is in the public cloud", "leave it out")
    return Settings(
        environment=_environment(cloud, config),
        auth=live.auth or config.auth or Auth.AUTO,
        tenant=live.tenant[0] if live.tenant else config.tenant,
        filters=filters,
        environment_rules=config.environment_rules,
        expected=config.expected,
    )


def _environment(cloud: str, config: Config) -> Environment:
    known = {**ENVIRONMENTS, **config.clouds}
    if cloud not in known:
        near = get_close_matches(cloud, known, 1)
        remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}, or describe it in keyaudit.toml"
        raise UsageError("--cloud", f"no such cloud: {one_line(cloud)!r}", remedy)
    return known[cloud]
