"""A simulated tenant in a process of its own, which says what it was asked."""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from msgspec import structs

from keyaudit.simulator.estate import Estate
from keyaudit.simulator.estates import estate
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import Simulator, serve
from keyaudit.simulator.throttle import Throttle

_EXTERNAL = "5b1b7b0c-52c1-4a0e-9f2f-7d3c1f0a6e11"


def busy(as_of: int) -> Estate:
    """A tenant that takes about a minute at half of the documented limits: one vault with many keys, a subscription with many
    vaults behind firewalls, whose keys ARM lists, and many applications with a certificate.
    """
    large, many = estate("sized:1x3000x1x450", as_of), estate("sized:151x1@1", as_of)
    home = large.subscriptions[0].id
    # The first vault of both has the same name.
    closed = tuple(structs.replace(vault, subscription=home, access="firewall") for vault in many.vaults[1:])
    return structs.replace(large, vaults=(*large.vaults, *closed))


def _without_keys(page: dict[str, Any]) -> dict[str, Any]:
    """A list whose certificates have no key material, as Graph may answer: then each object is read separately."""
    for found in page["value"]:
        for credential in found["keyCredentials"]:
            credential["key"] = None
    return page


WITHOUT_KEYS = tuple(
    Fault(operation, "every", edit=_without_keys) for operation in ("application.list", "service_principal.list")
)


def _asked(simulator: Simulator) -> dict[str, object]:
    return {
        "requests": list(simulator.requests),
        "calls": dict(simulator.calls),
        "charged": [[*domain, one.units, one.last - one.first] for domain, one in simulator.charged.items()],
        "throttled": simulator.throttled,
    }


def directory(as_of: int) -> Estate:
    """A large tenant: 20,000 applications, 6,000 of them with a certificate; 60,000 service principals; 200 vaults."""
    large = estate("sized:200x50x1x20000", as_of)
    external = (
        structs.replace(
            each,
            id=f"{nth:08x}{each.id[8:]}",
            app_id=f"{nth:08x}{each.app_id[8:]}",
            name=f"external-{nth}",
            home_tenant=_EXTERNAL,
            keys=(),
            passwords=(),
            federated=(),
        )
        for nth, each in enumerate((*large.service_principals, *large.service_principals))
    )
    return structs.replace(large, service_principals=(*large.service_principals, *external))


def _made(name: str, as_of: int) -> tuple[Estate, tuple[Fault, ...]]:
    """A tenant by its name here, or any simulated one, and the faults that it answers with."""
    if name == "busy":
        return busy(as_of), WITHOUT_KEYS
    kind, _, without = name.partition("-")
    if kind == "directory":
        return directory(as_of), WITHOUT_KEYS if without else ()
    return estate(name, as_of), ()


def _named(of: Estate) -> dict[str, str]:
    """One name of each kind: those of an application with a certificate, and a key's."""
    holder = next((each for each in of.applications if each.keys), None)
    names = {"a key": f"{of.vaults[0].name}/{of.vaults[0].keys[0].name}"}
    if holder is not None:
        [certificate, *_] = holder.keys
        names |= {"an application": holder.app_id, "a key id": certificate.key_id}
        names |= {"a thumbprint": certificate.thumbprint} if certificate.thumbprint else {}
    return names


async def _serve(name: str, latency: float, throttle: Throttle | None) -> None:
    now = int(time.time())  # noqa: TID251 - a process of its own
    found, faults = _made(name, now)
    async with serve(found, latency=latency, throttle=throttle, faults=faults) as simulator:
        access = {
            "proxy": simulator.proxy,
            "ca_file": str(simulator.ca_file),
            "tenant": simulator.estate.tenant_id,
            "client": simulator.client_id,
            "secret": simulator.client_secret,
            "rows": {
                "vault": len(found.vaults),
                "key": sum(len(key.versions) for vault in found.vaults for key in vault.keys),
                "application": len(found.applications),
                "service_principal": len(found.service_principals),
            },
            "named": _named(found),
        }
        print(json.dumps(access), flush=True)
        loop = asyncio.get_running_loop()
        # One line asks for what was requested since the last; the end of input ends the server.
        while (line := await loop.run_in_executor(None, sys.stdin.readline)).strip():
            Path(line.strip()).write_text(json.dumps(_asked(simulator)), encoding="utf-8")
            simulator.requests.clear()
            simulator.calls.clear()
            print("written", flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], float(sys.argv[2]), Throttle.documented(said=float(sys.argv[3])) if sys.argv[3:] else None))
