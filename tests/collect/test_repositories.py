"""Lists of repositories: read as hosting services and spreadsheets write them, and refused with place and remedy otherwise."""

import json
from pathlib import Path
from typing import Any

import pytest

from keyaudit.collect.repositories import repositories
from keyaudit.model.errors import UsageError
from keyaudit.model.repositories import ListedRepository

ORDERS = ListedRepository("github.com", "contoso-retail/orders", "22", "11")
STORES = ListedRepository("github.com", "contoso-retail/stores", "23", "11")
PROJECT = ListedRepository("gitlab.com", "contoso/shop/orders", "57", "9")


def on_github(path: str = "contoso-retail/orders", **members: Any) -> dict[str, Any]:
    """A repository as GitHub's API has it, of whose members most do not matter here."""
    owner = {"login": path.split("/", maxsplit=1)[0], "id": 11, "type": "Organization"}
    shown = {
        "id": 22,
        "node_id": "x",
        "full_name": path,
        "html_url": f"https://github.com/{path}",
        "owner": owner,
        "fork": False,
    }
    return shown | members


def on_gitlab() -> dict[str, Any]:
    path = "contoso/shop/orders"
    namespace = {"id": 9, "kind": "group", "full_path": "contoso/shop"}
    return {"id": 57, "path_with_namespace": path, "web_url": f"https://gitlab.com/{path}", "namespace": namespace}


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "repositories"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


FIRST, SECOND = json.dumps(on_github()), json.dumps(on_github("contoso-retail/stores", id=23))
CSV = "host,path,id,owner_id\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"[{FIRST}, {SECOND}]", [ORDERS, STORES]),
        (f"[{FIRST}]\n[{SECOND}]\n", [ORDERS, STORES]),
        (f"[[{FIRST}], [{SECOND}]]", [ORDERS, STORES]),
        (f"{FIRST}\n{SECOND}\n", [ORDERS, STORES]),
        (f"\ufeff{FIRST}", [ORDERS]),
        (f"[{FIRST}, {FIRST}]", [ORDERS]),
        (json.dumps([on_gitlab(), on_github()]), [PROJECT, ORDERS]),
        (f"{CSV}github.com,contoso-retail/orders,22,11\r\ngitlab.com,contoso/shop/orders,57,9\n", [ORDERS, PROJECT]),
        ("owner_id,note,id,path,host\n11,ours,22,contoso-retail/orders, GitHub.com\n", [ORDERS]),
    ],
)
def test_a_list_is_read(tmp_path: Path, text: str, expected: list[ListedRepository]) -> None:
    assert list(repositories(written(tmp_path, text)).listed) == expected


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("", ":1", "neither JSON nor CSV with the columns host, path, id, owner_id"),
        ("[]", "", "lists no repository"),
        (CSV, "", "lists no repository"),
        (f"[{FIRST}", ":1:", "not JSON"),
        (f"[{FIRST}]\nrubbish", ":2:1", "not JSON"),
        ("[" * 100_000, "", "not JSON"),
        ("[NaN]", "", "not JSON"),
        ("[1]", ": repository 1", "not an object"),
        (json.dumps([on_github(), on_github(id="22")]), ": repository 2", "its id is not a number"),
        (json.dumps(on_github(id=True)), ": repository 1", "its id is not a number"),
        (json.dumps(on_github(id=-1)), ": repository 1", "the id '-1'"),
        (json.dumps(on_github(owner=None)), ": repository 1", "has no owner"),
        (json.dumps(on_github(owner={"login": "o"})), ": repository 1, owner", "its id is not a number"),
        (json.dumps(on_github(html_url=None)), ": repository 1", "has no html_url"),
        (
            json.dumps(on_github(html_url="https://github.com/other/orders")),
            ": repository 1",
            "its web page does not belong to",
        ),
        (json.dumps(on_github(html_url="https://[")), ": repository 1", "its web page does not belong to"),
        (json.dumps(on_github("contoso-retail/a\x1b[31m")), ": repository 1", "the path"),
        (json.dumps({"message": "Not Found", "status": "404"}), ": repository 1", "has no full_name"),
        (f"{CSV}github.com,orders,22,11\n", ":2", "the path 'orders'"),
        (f"{CSV}github.com,contoso/orders,twenty,11\n", ":2", "the id 'twenty'"),
        (f"{CSV}github.com,contoso/orders\n", ":2", "the id ''"),
        (f'{CSV}github.com,"contoso/orders,22,11\n', "", "not CSV"),
        (b"\xff\xfe\x00\xd8", "", "text"),
    ],
)
def test_anything_else_is_refused_with_place_and_remedy(tmp_path: Path, text: str | bytes, place: str, what: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as refused:
        repositories(path)
    said = str(refused.value)
    assert said.startswith(f"--import repositories: {path}{place}")
    assert what in said
    assert "; " in said
    assert "\x1b" not in said


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name the file"):
        repositories(tmp_path / "missing.json")
    with pytest.raises(UsageError, match="over 16,777,216 bytes"):
        repositories(written(tmp_path, b" " * (16 * 1024 * 1024 + 1)))
