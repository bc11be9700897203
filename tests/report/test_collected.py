"""What `collect` counts: rows that were read, and none only where all were to be listed, and were."""

import io

from msgspec.structs import replace

from keyaudit.model.results.run import Run
from keyaudit.model.scope.filters import Filters
from keyaudit.report.collection import render
from tests.report.example import RUN, VERDICT


def counted(run: Run) -> str:
    out = io.StringIO()
    render(run, VERDICT, "snapshot", out, hints=False)
    return " ".join(out.getvalue().split()).partition(". ")[0]


def test_none_is_said_of_what_was_listed_and_not_of_what_was_refused() -> None:
    said = counted(replace(RUN, rows={"vault": 3, "key": 0}))
    assert "3 vaults" in said
    assert "0 applications" in said
    # The keys of two vaults were refused.
    assert "key version" not in said


def test_none_is_not_said_of_a_part_of_the_tenant() -> None:
    said = counted(replace(RUN, filters=Filters(sources=("keys",))))
    assert "4 key versions" in said
    assert " 0 " not in said
