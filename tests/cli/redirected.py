"""Commands whose streams are files, pipes and terminals of the test, run in this process.

An interpreter of its own would cost a second each, most of it imports. What only its start and its end show, such as a stream
that is closed before Python begins, is tested with one: `apart`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from io import FileIO, TextIOWrapper
from pathlib import Path
from typing import IO, Any

import pytest

from keyaudit.cli.app import run

Done = subprocess.CompletedProcess[bytes]


def apart(arguments: Sequence[str | Path], **streams: Any) -> Done:
    """The command in an interpreter of its own."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run([sys.executable, "-m", "keyaudit", *map(str, arguments)], check=False, **given)


def redirected(
    arguments: Sequence[str | Path],
    *,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    encoding: str = "utf-8",
) -> Done:
    """What `apart` would give, with stdout and stderr as given, else caught. `env`: the whole environment, if it is another."""
    with ExitStack() as stack:
        caught = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(2)]
        given = (caught[0] if stdout is None else stdout, caught[1] if stderr is None else stderr)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        if env is not None:
            for name in os.environ.keys() - env.keys():
                patch.delenv(name)
            for name, value in env.items():
                patch.setenv(name, value)
        out, err = (stack.enter_context(_stream(file, encoding)) for file in given)
        for name, stream in (("stdout", out), ("__stdout__", out), ("stderr", err), ("__stderr__", err)):
            patch.setattr(sys, name, stream)
        code = run([str(argument) for argument in arguments])
        for stream in (out, err):
            # As Python does at its end: it exits with 120 where this fails.
            stream.flush()
        texts = []
        for file in caught:
            file.seek(0)
            texts.append(file.read())
        return Done(list(arguments), code, *texts)


@contextmanager
def _stream(file: int | IO[bytes], encoding: str) -> Iterator[TextIOWrapper]:
    # A descriptor of its own: a command that finds nobody reading puts another file there.
    number = os.dup(file if isinstance(file, int) else file.fileno())
    stream = TextIOWrapper(FileIO(number, "w"), encoding, errors="strict", write_through=True)
    try:
        yield stream
    finally:
        stream.close()
