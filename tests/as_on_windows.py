"""`python -m tests.as_on_windows COMMAND...`: keyaudit where what POSIX alone has is hidden, and files behave as on Windows.

What cannot be shown this way: the console, access control lists, and paths with backslashes.
"""

import asyncio
import contextlib
import importlib
import os
import pkgutil
import shutil
import signal
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

# These have their own ways on Windows, and need what is hidden below on this system.
import aiohttp
import filelock._native._unix
import typer

POSIX_MODULES = ("fcntl", "grp", "posix_ipc", "pty", "pwd", "resource", "termios", "tty")
POSIX_FLAGS = ("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK")
POSIX_CALLS = ("chown", "fchmod", "fork", "getegid", "geteuid", "getgid", "getpgid", "getuid", "killpg", "pread", "pwrite")
POSIX_SIGNALS = ("SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "pthread_sigmask", "sigwait")
_BINARY = 1 << 29
NOT_INSTALLED = ("py4j", "pyspark")
"""What the README's test command does not install: the extra `spark`."""
_LOADED = (aiohttp, asyncio, filelock, typer)


def hide() -> None:
    """Takes from this process what Windows does not have. It cannot be given back."""
    vars(filelock._native._unix)["os"] = types.SimpleNamespace(**vars(os))
    for name in POSIX_MODULES:
        sys.modules[name] = None  # type: ignore[assignment] # an import of it then fails, as it should
    for place, names in ((os, (*POSIX_FLAGS, *POSIX_CALLS)), (signal, POSIX_SIGNALS)):
        for name in names:
            if hasattr(place, name):
                delattr(place, name)
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    asyncio.BaseEventLoop.add_signal_handler = _not_there  # type: ignore[method-assign]
    loop = type(asyncio.new_event_loop())
    loop.add_signal_handler = _not_there  # type: ignore[method-assign]
    vars(os)["O_BINARY"] = _BINARY
    os.open = _opening(os.open)
    os.rename = _onto_nothing(_not_open(os.rename))
    for name in ("replace", "unlink", "remove", "rmdir"):
        setattr(os, name, _not_open(getattr(os, name)))


def _not_there(*_: object, **__: object) -> None:
    raise NotImplementedError


def _opening(real: Callable[..., int]) -> Callable[..., int]:
    def opened(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None:
            raise NotImplementedError("dir_fd unavailable on this platform")
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied", str(path))
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.startswith("keyaudit") and not flags & _BINARY:
            raise AssertionError(f"{caller} opens {path} as text")
        return real(path, flags & ~_BINARY, mode)

    return opened


def _not_open(real: Callable[..., None]) -> Callable[..., None]:
    """Fails for a file, or a folder with a file in it, that this process has open."""

    def called(*paths: Any, **options: Any) -> None:
        for path in map(os.path.abspath, paths):
            if any(each == path or each.startswith(path + os.sep) for each in _open_files()):
                raise PermissionError(13, "The process cannot access the file because it is being used", path)
        real(*paths, **options)

    return called


def _onto_nothing(real: Callable[..., None]) -> Callable[..., None]:
    def renamed(source: Any, target: Any) -> None:
        if os.path.lexists(target):
            raise FileExistsError(17, "Cannot create a file when that file already exists", str(target))
        real(source, target)

    return renamed


def _open_files() -> list[str]:
    found = []
    for each in Path("/proc/self/fd").iterdir():
        # That of the listing itself is gone by then.
        with contextlib.suppress(OSError):
            found.append(str(each.readlink()))
    return found


def import_all() -> int:
    """Imports every module of keyaudit but those that need an extra which is not installed; how many there are."""
    import keyaudit  # noqa: PLC0415 - after things are hidden

    names = [each.name for each in pkgutil.walk_packages(keyaudit.__path__, "keyaudit.") if not each.name.endswith("__main__")]
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in NOT_INSTALLED:
                raise
    return len(names)


def interrupt_when(path: Path, arguments: list[str]) -> int:
    """keyaudit with these arguments, which gets a Ctrl-C as soon as a file is there; its exit code."""
    import _thread  # noqa: PLC0415 - for this alone
    import threading  # noqa: PLC0415 - for this alone

    done = threading.Event()

    def watch() -> None:
        while not path.exists() and not done.wait(0.01):
            pass
        if not done.is_set():
            _thread.interrupt_main(signal.SIGINT)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        return run(arguments)
    finally:
        done.set()
        watching.join()


def run(arguments: list[str]) -> int:
    """keyaudit with these arguments; its exit code."""
    from keyaudit.__main__ import main  # noqa: PLC0415 - after things are hidden

    sys.argv = ["keyaudit", *arguments]
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


if __name__ == "__main__":
    hide()
    wanted = sys.argv[1:]
    if wanted == ["import"]:
        print(import_all())
    elif wanted[0] == "interrupt-when":
        sys.exit(interrupt_when(Path(wanted[1]), wanted[2:]))
    else:
        sys.exit(run(wanted))
