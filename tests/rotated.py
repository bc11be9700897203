"""Common to the tests of rotations over a simulated tenant: the views are worked out once, and asked of many times."""

import contextlib
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.tables import TABLES
from tests.collect.estate import AS_OF


@contextlib.contextmanager
def read_once(taken: Snapshot) -> Iterator[None]:
    """Each question inside is asked of the same views of the tenant."""
    with (
        taken.judging(AS_OF, reach_known=False, often=tuple(TABLES)) as connection,
        pytest.MonkeyPatch.context() as patch,
    ):

        @contextlib.contextmanager
        def judging(*_: Any, **__: Any) -> Iterator[duckdb.DuckDBPyConnection]:
            # What asks makes temporary tables, which a cursor has to itself.
            with connection.cursor() as own:
                yield own

        patch.setattr(Snapshot, "judging", judging)
        yield
