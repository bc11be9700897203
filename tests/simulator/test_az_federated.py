"""Unmodified `az` lists the federated credentials of an application, led here by environment variables alone."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from keyaudit.simulator.serve import Simulator, serve
from tests import needs
from tests.simulator.small import APPLICATIONS, SMALL

pytestmark = pytest.mark.exhaustive


async def _az(simulator: Simulator, folder: Path, *arguments: str) -> Any:
    """The JSON that the command prints; it keeps its state in `folder`."""
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    quiet = {"AZURE_CONFIG_DIR": str(folder), "AZURE_CORE_COLLECT_TELEMETRY": "false", "AZURE_CORE_NO_COLOR": "true"}
    process = await asyncio.create_subprocess_exec(
        str(needs.tool("az/bin/az")),
        *arguments,
        "--output",
        "json",
        env={**environ, **simulator.environ, **quiet},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return json.loads(out)


async def test_az_lists_federated_credentials_of_an_application(tmp_path: Path) -> None:
    application = next(one for one in APPLICATIONS if one.federated)
    # Tokens are checked by the client's own clock, so the simulator takes that one here.
    async with serve(SMALL, now=time.time) as simulator:  # noqa: TID251 -- the other process reads the same clock
        signed_in = simulator.environ
        await _az(
            simulator,
            tmp_path,
            *("login", "--service-principal", "--allow-no-subscriptions", "--tenant", signed_in["AZURE_TENANT_ID"]),
            *("--username", signed_in["AZURE_CLIENT_ID"], "--password", signed_in["AZURE_CLIENT_SECRET"]),
        )
        for named in (application.app_id, application.id):
            found = await _az(simulator, tmp_path, "ad", "app", "federated-credential", "list", "--id", named)
            shown = [(one["name"], one["issuer"], one["subject"], one["audiences"]) for one in found]
            expected = [(one.name, one.issuer, one.subject, list(one.audiences)) for one in application.federated]
            assert shown == expected
    # It looks for a newer version of itself, which is nobody's tenant.
    assert set(simulator.refused) <= {"azcliprod.blob.core.windows.net:443"}
