"""`keyaudit init`: writes settings with comments, and a pipeline with a gate, into a folder."""

from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from keyaudit.cli.options import DEFAULT_CONFIG
from keyaudit.cli.terminal.streams import printing
from keyaudit.model.errors import Exit, OutputError, UsageError


class System(StrEnum):
    """Pipeline systems."""

    GITHUB = "github"
    AZURE = "azure"
    CONTAINER_APPS = "container-apps"


PIPELINES = {
    System.GITHUB: Path(".github/workflows/keyaudit.yml"),
    System.AZURE: Path(".azure-pipelines/keyaudit.yml"),
    System.CONTAINER_APPS: Path("container-apps/keyaudit.yml"),
}
"""The path of the pipeline's file in the folder."""


def init(
    *,
    ci: Annotated[System | None, typer.Option("--ci", help="Also write a daily pipeline for this system.")] = None,
    custody: Annotated[
        bool,
        typer.Option(
            "--custody", help="Also write keyaudit.custody.yaml; with --from, with the keys that need a custody record."
        ),
    ] = False,
    owners: Annotated[
        bool,
        typer.Option("--owners", help="Propose [owners] rules for resources without an owner in the snapshot of --from."),
    ] = False,
    from_: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="With --custody or --owners: the snapshot to read.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder to write to. Default: the current one.")
    ] = Path(),
) -> int:
    """Write a keyaudit.toml to edit; with --ci also a pipeline.

    Every setting is in it as a comment; with --custody also a file for custody records. Existing files are not overwritten. All
    are readable by everyone: they hold no secrets, and belong under review.
    """

    if from_ is not None and not (custody or owners):
        raise UsageError("--from", "only works with --custody or --owners", "add one of them")
    if owners and from_ is None:
        raise UsageError("--owners", "needs a snapshot", "name it with --from")
    records = _custody(from_) if custody else ""
    rules = _rules(from_) if owners and from_ is not None else ""
    files = {out / DEFAULT_CONFIG: str(DEFAULT_CONFIG)}
    if ci is not None:
        files[out / PIPELINES[ci]] = f"{ci}.yml"
    if custody:
        files[out / _CUSTODY] = ""
    there = [path for path in files if path.exists() or path.is_symlink()]
    # Existing settings can stay when a pipeline or custody records are added.
    if there and ((ci is None and not custody) or there != [out / DEFAULT_CONFIG]):
        raise UsageError(str(there[-1]), "already exists, and is not overwritten", "move it, or write to another --out")
    if owners and there:
        raise UsageError("--owners", f"{there[0]} already exists, and is not changed", "write to another --out")
    for path, name in files.items():
        if path not in there:
            text = template(name) if name else records
            _write(path, text.replace(_PLACE, _PLACE + rules) if path.name == str(DEFAULT_CONFIG) else text)
    with printing() as stdout:
        for path in files:
            stdout.write(f"{path}: {'already exists, and is not changed' if path in there else 'written'}\n")
        stdout.write(f"Next: keyaudit {'explain pipeline, for the values to fill in' if ci else 'config show'}\n")
    return Exit.CLEAN


_PROPOSED = 10
"""The maximum number of proposed rules for owners."""
_PLACE = '# fallback = "platform-team@contoso.example"\n'
"""The line of the template that proposed rules stand below."""
_CUSTODY = Path("keyaudit.custody.yaml")
_CUSTODY_HEAD = """\
# Who keeps the keys that no Azure API shows. Supply it with --import custody=keyaudit.custody.yaml
# of: a certificate's thumbprint, a key's address, or for security-domain the name of a Managed HSM.
# kept_in: hsm, software, or security-domain. A record is valid to the end of valid_until.
version: 1
records: []
#  - of: 0123456789ABCDEF0123456789ABCDEF01234567
#    kept_in: hsm
#    owner: identity team
#    hsm: serial number, or where it stands
#    recorded_on: 2026-01-31
#    valid_until: 2027-01-31
#    evidence: where the proof is
"""


def _rules(folder: Path) -> str:
    """Rules for owners as comments, from the findings of the snapshot that have none."""
    from keyaudit.cli.options import Live, Selection, Stored
    from keyaudit.cli.sources.judged import without_owner
    from keyaudit.cli.sources.source import snapshot
    from keyaudit.report.owner_rules import toml

    live, stored = Live(quiet=True), Stored(from_=[folder])
    with snapshot(live, stored) as (taken, as_of):
        found = without_owner(live, stored, Selection(), (taken, as_of), _PROPOSED)
    return "".join(f"{line}\n" for line in toml(found))


def _custody(folder: Path | None) -> str:
    """The custody file, with a comment for each key of the snapshot that needs a record and has none."""
    if folder is None:
        return _CUSTODY_HEAD
    from keyaudit.inventory.snapshot import open_snapshot
    from keyaudit.model.values.text import one_line

    taken = open_snapshot(folder)
    with taken.judging(taken.run.as_of, reach_known=False, names=("signing_certificate", "vault")) as connection:
        keys = connection.execute(
            "SELECT coalesce(thumbprint_sha256, thumbprint), holder_name, 'hsm' FROM signing_certificate"
            " WHERE kind = 'federated-domain' AND coalesce(thumbprint_sha256, thumbprint) IS NOT NULL"
            " UNION ALL SELECT name, 'shares of its security domain', 'security-domain' FROM vault WHERE kind = 'managed-hsm'"
            " ORDER BY 3, 2, 1"
        ).fetchall()
    needed = "".join(
        f"\n# {one_line(str(what))}\n#  - of: {one_line(str(of))}\n#    kept_in: {kept}\n#    owner:\n#    recorded_on:\n"
        "#    valid_until:\n#    evidence:\n"
        for of, what, kept in keys
    )
    return f"{_CUSTODY_HEAD}\n# These need a record:\n{needed}"


def template(name: str) -> str:
    """The text of a shipped template: keyaudit.toml, github.yml, azure.yml or container-apps.yml."""
    return resources.files("keyaudit.cli").joinpath("templates", name).read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    from keyaudit.report.files import check, output_file

    try:
        missing = [folder for folder in reversed(path.parents) if not folder.exists()]
        for folder in missing:
            folder.mkdir()
            folder.chmod(0o755)
        check(path)
        with output_file(path) as file:
            file.write(text)
        path.chmod(0o644)
    except OSError as error:
        raise OutputError(str(path), f"could not be written ({error.strerror})", "write to another --out") from error
