"""Runs the unmodified Azure CLI, each command in a process that begins with the CLI's modules loaded.

    PYTHON az_server.py SOCKET

PYTHON is the one that has the CLI, and most of a short command's time is its imports. `CLIENT` is what takes the CLI's place
in PATH.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import traceback
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

CLIENT = """\
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({path!r})
    told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(server, [len(told).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(told)
    sys.exit(int(server.recv(16) or b"70"))
"""
"""A program that hands a command, its folder, environment and files to the server, and ends with the command's exit code."""

_OFTEN = 2
"""How many commands loaded a module that is kept for the next: some are large, and few commands use them."""


def main(path: str) -> None:
    """Serve until the process is ended."""
    modules = Path(f"{path}.modules")
    seen = Counter[str]()
    # No child is waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        while True:
            connection, _ = server.accept()
            with connection:
                names = _loaded(modules)
                _import(name for name in names if seen[name] == _OFTEN)
                seen.update(names)
                if os.fork() == 0:
                    server.close()
                    os._exit(_command(connection, modules))


def _loaded(modules: Path) -> list[str]:
    """The names of modules that the last command loaded."""
    with contextlib.suppress(FileNotFoundError):
        names = modules.read_text().split("\n")
        modules.unlink()
        return names
    return []


def _import(names: Iterable[str]) -> None:
    """Load these for the commands that follow."""
    for name in names:
        # Not each name can be imported: libraries give them to what they make at run time.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()


def _command(connection: socket.socket, modules: Path) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, files, _, _ = socket.recv_fds(connection, 4, 3)
    told = connection.makefile("rb").read(int.from_bytes(size, "big"))
    arguments, folder, environ = json.loads(told)
    for target, file in enumerate(files):
        os.dup2(file, target)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    before = {*sys.modules}
    sys.argv = ["az", *arguments]
    code = 0
    try:
        runpy.run_module("azure.cli", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 -- as Python ends with what nobody catches
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    if loaded := [name for name in sys.modules if name not in before]:
        new = Path(f"{modules}.{os.getpid()}")
        new.write_text("\n".join(loaded))
        new.replace(modules)
    connection.sendall(str(code).encode())
    return code


if __name__ == "__main__":
    main(sys.argv[1])
