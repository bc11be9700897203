"""The floor to compare with: a bare aiohttp loop that sends the same requests, as many at a time, and reads the answers."""

import asyncio
import json
import ssl
import sys
import time
from pathlib import Path

import aiohttp

SCOPES = {
    "management.azure.com": "https://management.azure.com/.default",
    "graph.microsoft.com": "https://graph.microsoft.com/.default",
}
VAULT_SCOPE = "https://vault.azure.net/.default"


async def _token(session: aiohttp.ClientSession, access: dict[str, str], scope: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": access["client"],
        "client_secret": access["secret"],
        "scope": scope,
    }
    async with session.post(f"https://login.microsoftonline.com/{access['tenant']}/oauth2/v2.0/token", data=form) as answer:
        return str((await answer.json())["access_token"])


async def _main(access: dict[str, str], requests: list[tuple[str, str, str]], concurrency: int) -> None:
    context = ssl.create_default_context(cafile=access["ca_file"])
    connector = aiohttp.TCPConnector(limit=concurrency, ssl=context)
    async with aiohttp.ClientSession(connector=connector, proxy=access["proxy"]) as session:
        scopes = {SCOPES.get(host, VAULT_SCOPE) for _, host, _ in requests}
        tokens = {scope: await _token(session, access, scope) for scope in scopes}
        waiting = iter(requests)

        async def worker() -> None:
            for method, host, path in waiting:
                headers = {"Authorization": f"Bearer {tokens[SCOPES.get(host, VAULT_SCOPE)]}", "ConsistencyLevel": "eventual"}
                async with session.request(method, f"https://{host}{path}", headers=headers) as answer:
                    json.loads(await answer.read())

        begun = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(concurrency)))
        print(json.dumps({"wall": time.perf_counter() - begun, "requests": len(requests)}))


if __name__ == "__main__":
    _access = json.loads(sys.argv[1])
    _requests = [
        (m, h, p)
        for m, h, p in json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))["requests"]
        if m == "GET" and "login" not in h
    ]
    asyncio.run(_main(_access, _requests, int(sys.argv[3])))
