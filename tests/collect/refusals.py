"""A request refused to the end in each way, and what must then hold of everything that was read."""

from itertools import chain

from keyaudit.collect.surfaces import TOGETHER
from keyaudit.model.coverage import State
from keyaudit.model.operations import OPERATIONS, Surface
from keyaudit.model.schema.columns import where_found
from keyaudit.model.tables import TABLES
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.faults import Fault
from tests.collect.estate import ESTATE
from tests.collect.rig import Collected, collect

REASONS = ("permission", "throttled", "service_error", "bad_body")
"""The commonest ends; `refused` knows rarer ones too."""
BY_ITSELF = frozenset(query.operation for query in chain(*TOGETHER))
"""The queries that one query stands for: each is sent only where that one fails."""

FORBIDDEN = {
    Surface.VAULT: {"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByRbac"}}},
    Surface.MANAGED_HSM: {"error": {"code": "AccessDenied", "message": "Not authorized to access x on /keys (Activity ID: y)"}},
    Surface.ARM: {"error": {"code": "AuthorizationFailed", "message": "no"}},
    Surface.GRAPH: {"error": {"code": "Authorization_RequestDenied", "message": "no"}},
}
_SPREADS = ("throttled", "service_error")
"""What shares a limit, or a host, with requests that end so for ever may end so, too."""
CODE = {"error": {"code": "Odd", "message": "no"}}
PLACE = {column.name for column in where_found()}


def refused(operation: str, reason: str) -> Fault:
    """A fault by which every request of `operation` ends for `reason`."""
    match reason:
        case "permission":
            return Fault(operation, "every", status=403, body=FORBIDDEN[OPERATIONS[operation].surface])
        case "auth_failed":
            return Fault(operation, "every", status=401, body=CODE)
        case "vanished":
            return Fault(operation, "every", status=404, body=CODE)
        case "throttled":
            return Fault(operation, "every", status=429, body=CODE)
        case "service_error":
            return Fault(operation, "every", status=503, body=CODE)
        case "bad_body":
            return Fault(operation, "every", body=CODE)
        case "intercepted":
            return Fault(operation, "every", headers={"Content-Type": "text/html"}, body="<html>")
        case "firewall" | "private_only":
            inner = {"firewall": "ForbiddenByFirewall", "private_only": "ForbiddenByConnection"}[reason]
            body = {"error": {"code": "Forbidden", "message": "no", "innererror": {"code": inner}}}
            return Fault(operation, "every", status=403, body=body)
    raise ValueError(reason)


def never_wrong(whole: Collected, found: Collected) -> None:
    """Refused data is missing with a gap, or unknown; everything else is as in a run without refusals."""
    for table, rows in whole.rows.items():
        listed_by = set(TABLES[table].listed_by)
        lost = rows.keys() - found.rows[table].keys()
        assert not lost or any(operation in listed_by for _, operation in found.gaps()), (table, lost)
        for id_, row in found.rows[table].items():
            for column, value in row.items():
                if id_ in rows and column not in PLACE and column != "unknown":
                    assert value == rows[id_].get(column), (id_, column)
            for column, value in rows.get(id_, {}).items():
                if value is not None and column not in PLACE and column not in row:
                    assert column in found.unknown(table, id_), (id_, column)


async def ends_refused(
    whole: Collected, operation: str, reason: str, *, estate: Estate = ESTATE, children: tuple[str, ...] = (), single: bool
) -> Collected:
    """The result of a run of `estate` in which every request of `operation` is refused.

    `whole` is what an unhindered run finds. `children` are the operations that nothing is asked of then; `single`: it is
    asked once per object.
    """
    found = await collect(refused(operation, reason), estate=estate)
    never_wrong(whole, found)
    if reason not in _SPREADS:
        for table, rows in whole.rows.items():
            assert operation in TABLES[table].listed_by or rows.keys() <= found.rows[table].keys(), table
    assert found.calls[operation], "the estate has nothing that this is asked for"
    assert not found.failures
    for place, record in found.coverage.items():
        if place[1] == operation:
            assert (record.state, record.reason) == (State.NOT_ASSESSED, reason)
            assert bool(record.refused) == single
        elif place[1] in children:
            assert (record.state, record.reason) == (State.NOT_ASSESSED, "parent_not_assessed")
        elif reason in _SPREADS and OPERATIONS[place[1]].surface is OPERATIONS[operation].surface:
            # What shares a limit, or a vault, with requests that fail for ever counts as down for a while.
            assert record.reason in (None, reason, "parent_not_assessed")
        else:
            assert record.state is State.ASSESSED, place
    return found
