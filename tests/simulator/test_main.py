"""`python -m keyaudit.simulator`: prints how to reach it, serves, and ends by a signal."""

import asyncio
import os
import re
import signal
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from keyaudit.simulator.__main__ import main
from keyaudit.simulator.estates import estate

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_prints_its_environment_serves_and_ends_cleanly(number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "keyaudit.simulator", "--estate", "sized:1x2x1x3", "--latency", "1ms", "--throttle", "documented"),
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode() for _ in range(7)]
    exported = dict(re.findall(r"export (\w+)=(\S+)", "".join(lines)))
    assert {"HTTPS_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"} <= set(exported)
    assert lines[0].startswith("# Simulated tenant")
    context = ssl.create_default_context(cafile=exported["SSL_CERT_FILE"])
    form = {
        "grant_type": "client_credentials",
        "client_id": exported["AZURE_CLIENT_ID"],
        "client_secret": exported["AZURE_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        url = f"https://login.microsoftonline.com/{exported['AZURE_TENANT_ID']}/oauth2/v2.0/token"
        async with session.post(url, data=form, proxy=exported["HTTPS_PROXY"]) as response:
            assert response.status == 200
    # One that never asked for anything, and one in the midst of its handshake.
    port = urlsplit(exported["HTTPS_PROXY"]).port
    idle, halfway = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    halfway[1].write(b"CONNECT graph.microsoft.com:443 HTTP/1.1\r\n\r\n\x16\x03")
    assert (await halfway[0].readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    process.send_signal(number)
    out, errors = await process.communicate()
    for _, writer in (idle, halfway):
        writer.close()
    assert (process.returncode, out, errors) == (0, b"", b"")
    assert not Path(exported["SSL_CERT_FILE"]).exists()


@pytest.mark.parametrize(("module", "status"), [("keyaudit.simulator", 403), ("tests.simulator", 200)])
async def test_it_is_written_to_only_by_tests(module: str, status: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module, "--estate", "sized:1x2x1x3"),
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    exported = dict(re.findall(r"export (\w+)=(\S+)", "".join([(await process.stdout.readline()).decode() for _ in range(7)])))
    context = ssl.create_default_context(cafile=exported["SSL_CERT_FILE"])
    form = {"grant_type": "client_credentials", "client_id": exported["AZURE_CLIENT_ID"]}
    form |= {"client_secret": exported["AZURE_CLIENT_SECRET"], "scope": "https://vault.azure.net/.default"}
    vault = next(one.name for one in estate("sized:1x2x1x3", 1_795_000_000).vaults)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        url = f"https://login.microsoftonline.com/{exported['AZURE_TENANT_ID']}/oauth2/v2.0/token"
        async with session.post(url, data=form, proxy=exported["HTTPS_PROXY"]) as response:
            token = (await response.json())["access_token"]
        url = f"https://{vault}.vault.azure.net/secrets/new?api-version=7.4"
        headers = {"Authorization": f"Bearer {token}"}
        async with session.put(url, json={"value": "x"}, headers=headers, proxy=exported["HTTPS_PROXY"]) as response:
            assert response.status == status
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--latency", "20"], "'20' is not a time such as 20ms or 0.5s"),
        (["--latency", "fast"], "'fast' is not a time"),
        (["--throttle", "some"], "invalid choice"),
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_an_unknown_estate_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--estate", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
