"""The one tenant that all plans are applied to, collected and judged once."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tests.estates import made_once
from tests.plan.judged import Staged, audited, collected
from tests.plan.plans.staged import every_plan
from tests.shared import of_this_run


class Tenant(Struct, frozen=True):
    """The plans, every finding after they were applied, and the snapshot of before."""

    staged: Staged
    findings: Sequence[Mapping[str, Any]]
    before: Path


@pytest.fixture(scope="session")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    """The tenant, made by whichever worker comes first."""
    folder = of_this_run(tmp_path_factory)
    all_plans = every_plan()
    after = made_once(folder / "planned-after", functools.partial(collected, all_plans.after))
    before = made_once(folder / "planned-before", functools.partial(collected, all_plans.before))
    return Tenant(all_plans, audited(after), before / "snapshot")
