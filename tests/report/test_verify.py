"""Every change to a bundle is found, and a manifest that attacks its reader has no effect."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyaudit.model.errors import AuditError, Exit, UnsafeError, UsageError
from keyaudit.report.bundle import manifest
from keyaudit.report.bundle.verify import verify
from tests.report.bundles import written
from tests.report.sinks import agent_commands, terminal_codes


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("original") / "b")


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Path:
    """A copy, as it is handed on."""
    return Path(shutil.copytree(original, tmp_path / "b"))


def edited(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The manifest changed by somebody who knows how it is sealed."""
    path = folder / "manifest.json"
    members = json.loads(path.read_bytes())
    del members["sha256"]
    change(members)
    path.write_bytes(manifest._sealed(members))


def test_a_bundle_is_as_it_was_written(bundle: Path) -> None:
    found = verify(bundle)
    assert found.differences == ()
    assert found.manifest == hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    assert found.files == sum(path.is_file() for path in bundle.rglob("*")) - 1


def _becomes(path: Path, make: Callable[[Path], object]) -> None:
    """Something else at `path`."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    make(path)


def _link_folder(folder: Path) -> None:
    (folder / "inventory").rename(folder.parent / "aside")
    (folder / "inventory").symlink_to(folder.parent / "aside")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte": (
        lambda f: (f / "findings.csv").write_bytes((f / "findings.csv").read_bytes().replace(b"high", b"HIGH", 1)),
        "findings.csv: has different content: its SHA-256 differs",
    ),
    "a size": (lambda f: (f / "summary.md").write_text("x"), "summary.md: has 1 bytes, where the manifest says"),
    "gone": (lambda f: (f / "inventory" / "key.csv").unlink(), "inventory/key.csv: is missing"),
    "more": (lambda f: (f / "policies" / "x.yaml").write_text(""), "policies/x.yaml: is not in the manifest"),
    "a folder more": (lambda f: (f / "more").mkdir(), "more: is not in the manifest"),
    "hostile": (lambda f: (f / "##[x]\x1b[2J\n::error::").write_text(""), r"#\#[x]\x1b[2J\x0a"),
    "a link": (
        lambda f: _becomes(f / "waivers.csv", lambda path: path.symlink_to("/etc/passwd")),
        "waivers.csv: is a link, and was not followed",
    ),
    "a linked folder": (_link_folder, "inventory: cannot be read as a folder"),
    "no folder": (lambda f: shutil.rmtree(f / "policies"), "policies: cannot be read as a folder"),
    "a pipe": (lambda f: _becomes(f / "report.json", os.mkfifo), "report.json: is not a regular file"),
    "a folder for a file": (
        lambda f: _becomes(f / "report.json", Path.mkdir),
        "report.json: cannot be read (Is a directory)",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_every_difference_is_said_on_one_line(bundle: Path, name: str) -> None:
    damage, said = DAMAGE[name]
    damage(bundle)
    found = verify(bundle).differences
    assert any(said in each for each in found), found
    for each in found:
        assert terminal_codes(each.encode()) == []
        assert "\n" not in each
        assert agent_commands(each.encode()) == []


def test_differences_are_all_said(bundle: Path) -> None:
    (bundle / "extra").write_text("")
    (bundle / "summary.md").write_text("x")
    (bundle / "waivers.csv").unlink()
    assert [each.partition(":")[0] for each in verify(bundle).differences] == ["extra", "summary.md", "waivers.csv"]


def _first_path(path: str) -> Callable[[dict[str, Any]], object]:
    return lambda members: members["files"][0].update(path=path)


HOSTILE: dict[str, Callable[[dict[str, Any]], object]] = {
    **{
        f"path {path!r}": _first_path(path)
        for path in (
            "../../etc/passwd",
            "/etc/passwd",
            "inventory/../../x",
            "manifest.json",
            "a/b/c",
            "",
            ".",
            "x\n",
            "policies/",
            "\\x",
        )
    },
    "no text": lambda members: members["files"][0].update(path=7),
    "no digest": lambda members: members["files"][0].update(sha256="x"),
    "no size": lambda members: members["files"][0].update(size="7"),
    "no member": lambda members: members["files"].append("x"),
    "twice": lambda members: members["files"].append(members["files"][0]),
    "no list": lambda members: members.update(files={}),
    "nothing": lambda members: members.update(files=[]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_manifest_is_refused_without_a_look_elsewhere(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    edited(bundle, HOSTILE[name])
    real, opened = os.open, []

    def watched(path: Any, *arguments: Any, **options: Any) -> int:
        opened.append(path)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", watched)
    with pytest.raises(UnsafeError) as raised:
        verify(bundle)
    assert raised.value.exit is Exit.UNSAFE
    assert "\n" not in str(raised.value)
    assert opened == [bundle / "manifest.json"]


def _doubled(data: bytes) -> bytes:
    return data.replace(b'"policy_pack"', b'"policy_pack": "x",\n"policy_pack"', 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: b"", "not JSON"),
        (lambda data: b"\xff\xfe{", "not JSON"),
        (lambda data: data[:-9], "not JSON"),
        (lambda data: b"[" * 100_000, "not JSON"),
        (lambda data: data.replace(b'"size": ', b'"size": ' + b"9" * 9_999, 1), "not JSON"),
        (_doubled, "digest"),
        (lambda data: data + b" ", "digest"),
        (lambda data: data.replace(b'"simulated": false', b'"simulated": true', 1), "digest"),
        (lambda data: data.replace(b'"exit": 5', b'"exit": 5.0', 1), "digest"),
        (lambda data: data.replace(b'"exit": 5', b'"exit": NaN', 1), "digest"),
        (lambda data: b"\xef\xbb\xbf" + data, "digest"),
        (lambda data: b" " * (manifest.MOST + 1), "larger than"),
    ],
)
def test_a_damaged_manifest_is_refused(bundle: Path, change: Callable[[bytes], bytes], said: str) -> None:
    path = bundle / "manifest.json"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(UnsafeError, match=said):
        verify(bundle)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_manifest_that_is_no_file_is_refused(bundle: Path, kind: str) -> None:
    path = bundle / "manifest.json"
    path.rename(bundle.parent / "m")
    make: dict[str, Callable[[], None]] = {
        "link": lambda: path.symlink_to(bundle.parent / "m"),
        "pipe": lambda: os.mkfifo(path),
        "folder": path.mkdir,
    }
    make[kind]()
    with pytest.raises(UnsafeError):
        verify(bundle)


def test_what_is_no_bundle_is_a_usage_error(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text('{"name": "a web application"}')
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "manifest.json").write_text("[]")
    (tmp_path / "link").symlink_to(bundle)
    for name in ("empty", "file", "other", "list", "link", "nowhere"):
        with pytest.raises(AuditError) as raised:
            verify(tmp_path / name)
        assert isinstance(raised.value, UsageError), name
