"""The tenant without a network answers a batch, and one of its parts may be broken."""

import base64
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
import pytest
from multidict import CIMultiDict

from keyaudit.cloud.clients import Answer
from keyaudit.model.operations import OPERATIONS
from tests.sweep.tenant import Call, Clients

DEEP = b"[" * 100_000


async def batched(body: bytes | None) -> dict[str, Any]:
    """The one part of a batch that is answered with this body; None: the connection is closed."""

    def answer(call: Call, true: object) -> Answer:
        if call.operation != "graph.batch" and body is None:
            raise aiohttp.ServerDisconnectedError
        return clients._batch(call) if call.operation == "graph.batch" else Answer(200, CIMultiDict(), body or b"")

    answers: Any = SimpleNamespace()
    clients = Clients(answers, OPERATIONS, answer)
    asked = msgspec.json.encode({"requests": [{"id": "1", "method": "GET", "url": "/groups/g/members"}]})
    whole = await clients.send(OPERATIONS["graph.batch"], "https://graph.microsoft.com/v1.0/$batch", asked)
    [part] = msgspec.json.decode(whole.body)["responses"]
    return dict(part)


@pytest.mark.parametrize("body", [b"{", b"<html>", DEEP])
async def test_what_is_no_json_comes_as_text(body: bytes) -> None:
    part = await batched(body)
    assert (part["status"], base64.b64decode(part["body"])) == (200, body)


async def test_a_part_without_an_answer_is_a_failure_of_the_service() -> None:
    assert (await batched(None))["status"] == 502


async def test_json_comes_as_it_is() -> None:
    assert (await batched(b'{"value": []}'))["body"] == {"value": []}
