"""Folders that are looked through: bounded, without links, and with everything that was passed over said."""

import json
import os
from pathlib import Path

import pytest

from keyaudit.collect.relying_parties import walk
from keyaudit.collect.relying_parties.files import in_place
from keyaudit.model.errors import UsageError
from keyaudit.model.reasons import Reason

LAX = json.dumps({"AzureAd": {"TenantId": "common", "ValidateIssuer": False}})


def laid(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LAX, encoding="utf-8")
    return root


def found(root: Path) -> list[str]:
    return [validator.file for validator in in_place(root, "here", with_keys=False).validators]


def test_files_come_in_the_order_of_their_names_from_any_depth(tmp_path: Path) -> None:
    names = ("a/appsettings.json", "a/b/appsettings.json", "z/appsettings.Test.json", "appsettings.json", "a/other.json")
    root = laid(tmp_path, *names)
    assert found(root) == ["appsettings.json", "a/appsettings.json", "a/b/appsettings.json", "z/appsettings.Test.json"]
    assert {each.relying_party for each in in_place(root, "here", with_keys=False).validators} == {
        tmp_path.name,
        "a",
        "a/b",
        "z",
    }


def test_links_and_other_peoples_folders_are_passed_over_and_said(tmp_path: Path) -> None:
    outside = laid(tmp_path / "outside", "appsettings.json")
    root = laid(tmp_path / "root", "own/appsettings.json", "node_modules/x/appsettings.json", ".git/appsettings.json")
    (root / "away").symlink_to(outside)
    (root / "loop").symlink_to(root)
    (root / "appsettings.json").symlink_to(outside / "appsettings.json")
    seen = in_place(root, "here", with_keys=False)
    assert [each.file for each in seen.validators] == ["own/appsettings.json"]
    assert seen.skipped == {".git": 1, "link": 3, "node_modules": 1}
    # The target of a link of that name is found only through the link.
    assert [(each.file, each.reason, each.what) for each in seen.unread] == [
        ("appsettings.json", Reason.NOT_VISIBLE, "a link, which is not followed")
    ]
    # A path that is named explicitly is read, even if it is a link.
    (tmp_path / "alias").symlink_to(root)
    assert found(tmp_path / "alias") == ["own/appsettings.json"]


def test_a_link_is_passed_over_where_what_it_leads_to_is_met_by_its_own_name(tmp_path: Path) -> None:
    root = laid(tmp_path / "root", "..data/appsettings.json", "other.json")
    (root / "appsettings.json").symlink_to("..data/appsettings.json")
    seen = in_place(root, "here", with_keys=False)
    assert ([each.file for each in seen.validators], seen.unread) == (["..data/appsettings.json"], ())
    (root / "appsettings.Test.json").symlink_to("other.json")
    assert [each.file for each in in_place(root, "here", with_keys=False).unread] == ["appsettings.Test.json"]


def test_a_pipe_and_a_file_that_may_not_be_read_are_unknown(tmp_path: Path) -> None:
    root = laid(tmp_path, "a/appsettings.json")
    os.mkfifo(root / "appsettings.json")
    seen = in_place(root, "here", with_keys=False)
    assert [(each.file, each.reason) for each in seen.unread] == [("appsettings.json", Reason.NOT_VISIBLE)]
    assert [each.file for each in seen.validators] == ["a/appsettings.json"]


def test_a_web_config_that_is_broken_leaves_its_keys_and_its_settings_unknown(tmp_path: Path) -> None:
    (tmp_path / "web.config").write_text("<configuration>", encoding="utf-8")
    assert [each.holds_keys for each in in_place(tmp_path, "here", with_keys=True).unread] == [False, True]
    assert [each.holds_keys for each in in_place(tmp_path, "here", with_keys=False).unread] == [False]


def test_more_than_anybody_would_look_through_is_cut_and_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = laid(tmp_path, *(f"{number}/appsettings.json" for number in range(5)))
    monkeypatch.setattr(walk, "MOST_FILES", 3)
    seen = in_place(root, "here", with_keys=True)
    assert len(seen.validators) == 3
    assert {(each.holds_keys, each.reason) for each in seen.unread} == {(True, Reason.TRUNCATED), (False, Reason.TRUNCATED)}
    deep = laid(tmp_path / "deep", "/".join(["d"] * 70) + "/appsettings.json")
    assert [each.reason for each in in_place(deep, "here", with_keys=False).unread] == [Reason.TRUNCATED]


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", Path("a\0b")):
        with pytest.raises(UsageError, match="cannot be read"):
            in_place(path, "here", with_keys=True)


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    first = laid(tmp_path / "a", "x/appsettings.json")
    second, third = laid(tmp_path / "b", "x/appsettings.json"), laid(tmp_path / "c", "y/appsettings.json")
    digests = [in_place(root, "here", with_keys=True).digest for root in (first, second, third)]
    assert digests[0] == digests[1] != digests[2]
    (second / "x" / "appsettings.json").write_text("{}", encoding="utf-8")
    assert in_place(second, "here", with_keys=True).digest != digests[0]
