"""How many requests a large directory takes: lists of whole tables, and nothing for each object there is."""

from collections import Counter
from math import ceil

from msgspec.structs import replace

from keyaudit.simulator.estate import ServicePrincipal, SignIn
from tests.collect.estate import AS_OF, DAY, TENANT
from tests.collect.privileged import PRIVILEGED
from tests.collect.rig import collect

PAGE = 999
LARGE = 60_000
ALLOWED = 250
OWNERS_AND_GRANTS = {"service_principal.owners", "service_principal.app_roles", "delegated_grant.list"}
"""Lists of relations. If one of them is cut off, it is requested for each object: `..._of`."""


async def requests(more: int) -> Counter[str]:
    """Requests by operation, of Graph alone, with so many more service principals that have nothing."""
    some = tuple(
        ServicePrincipal(
            id=f"60000000-0000-4000-8000-{number:012}",
            app_id=f"61000000-0000-4000-8000-{number:012}",
            name=f"app {number}",
            created=AS_OF - DAY,
            home_tenant=TENANT,
        )
        for number in range(more)
    )
    estate = replace(
        PRIVILEGED,
        subscriptions=(),
        service_principals=(*PRIVILEGED.service_principals, *some),
        sign_ins=(*PRIVILEGED.sign_ins, *(SignIn(app_id=each.app_id, app_only=AS_OF - DAY) for each in some)),
    )
    found = await collect(estate=estate)
    assert len(found.rows["service_principal"]) == len(estate.service_principals)
    return Counter(found.calls)


async def test_a_directory_of_60_000_service_principals_takes_at_most_250_requests() -> None:
    few, many = await requests(0), await requests(3 * PAGE)
    grown = {operation for operation in many if many[operation] > few[operation]}
    assert grown == {
        "service_principal.list",
        "service_principal.owners",
        "service_principal.app_roles",
        "sign_in_activity.list",
    }
    assert all(many[operation] == few[operation] + 3 for operation in grown)
    large = few + Counter(dict.fromkeys(grown, ceil(LARGE / PAGE)))
    lists = Counter({operation: count for operation, count in large.items() if not operation.endswith("_of")})
    assert lists.total() - sum(lists[operation] for operation in OWNERS_AND_GRANTS) <= ALLOWED
