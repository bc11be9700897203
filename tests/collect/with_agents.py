"""A tenant with an own blueprint of two agents, and one agent of another tenant's blueprint.

And one with single-instance agents, which share the client id of their blueprint. Such a blueprint has no principal:
https://learn.microsoft.com/entra/agent-id/authenticate-single-instance-agent (preview, read 2026-11-30)
"""

from typing import Any

from msgspec.structs import replace

from keyaudit.simulator.estate import Application, Estate, Inheritable, ServicePrincipal, User
from tests.collect.estate import AS_OF, DAY, ESTATE, TENANT

GRAPH = "00000003-0000-0000-c000-000000000000"
PUBLISHER = "0f000000-0000-4000-8000-000000000006"
OWN_APP, FOREIGN_APP = (f"a1000000-0000-4000-8000-00000000020{n}" for n in (1, 2))
BLUEPRINT = "6d000000-0000-4000-8000-000000000001"
OWN, FOREIGN, FIRST, SECOND, THIRD = (f"50000000-0000-4000-8000-00000000020{n}" for n in range(1, 6))
ALONE, ALONE_APP = "6d000000-0000-4000-8000-000000000009", "a1000000-0000-4000-8000-000000000209"
ELSEWHERE_APP = "a1000000-0000-4000-8000-000000000210"
LONE, GUEST = (f"50000000-0000-4000-8000-00000000021{n}" for n in (1, 2))
SPONSOR, ACTS_AS = "0a000000-0000-4000-8000-000000000901", "0a000000-0000-4000-8000-000000000902"


def principal(id_: str, app_id: str, kind: str, **values: Any) -> ServicePrincipal:
    made: dict[str, Any] = {"name": f"p{id_[-1]}", "created": AS_OF - 50 * DAY, "agent": kind}
    return ServicePrincipal(**(made | {"id": id_, "app_id": app_id} | values))


def agent(id_: str, blueprint: str, **values: Any) -> ServicePrincipal:
    return principal(
        id_, **{"app_id": id_, "kind": "agentIdentity", "type": "ServiceIdentity", "blueprint": blueprint} | values
    )


WITH_AGENTS: Estate = replace(
    ESTATE,
    applications=(
        *ESTATE.applications,
        Application(
            id=BLUEPRINT,
            app_id=OWN_APP,
            name="Assistants",
            created=AS_OF - 60 * DAY,
            blueprint=True,
            sponsors=(SPONSOR,),
            inheritable=(Inheritable(api=GRAPH, scopes=("User.Read",), roles=None), Inheritable(api=FOREIGN_APP)),
        ),
    ),
    service_principals=(
        *ESTATE.service_principals,
        principal(OWN, OWN_APP, "agentIdentityBlueprintPrincipal", home_tenant=TENANT),
        principal(FOREIGN, FOREIGN_APP, "agentIdentityBlueprintPrincipal", home_tenant=PUBLISHER, sponsors=(SPONSOR,)),
        agent(FIRST, OWN_APP, sponsors=(SPONSOR,)),
        agent(SECOND, OWN_APP),
        agent(THIRD, FOREIGN_APP, sponsors=tuple(f"0a000000-0000-4000-8000-0000000003{n:02}" for n in range(25))),
    ),
    users=(*ESTATE.users, User(id=ACTS_AS, name="First", upn="first@contoso.example", parent=FIRST)),
)

SINGLE_INSTANCE: Estate = replace(
    ESTATE,
    applications=(
        *ESTATE.applications,
        Application(id=ALONE, app_id=ALONE_APP, name="Lone", created=AS_OF - 60 * DAY, blueprint=True, sponsors=(SPONSOR,)),
    ),
    service_principals=(
        *ESTATE.service_principals,
        agent(LONE, ALONE_APP, app_id=ALONE_APP, home_tenant=TENANT),
        agent(GUEST, ELSEWHERE_APP, app_id=ELSEWHERE_APP, home_tenant=PUBLISHER, sponsors=(SPONSOR,)),
    ),
)
