"""`python -I -m keyaudit.simulator`: a simulated tenant on its own, for any client that supports a proxy."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Callable, Sequence

from keyaudit.simulator import estates
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.serve import Simulator, serve
from keyaudit.simulator.service import Writes
from keyaudit.simulator.throttle import Throttle

_UNITS = {"ms": 0.001, "s": 1.0}
_now = time.time  # noqa: TID251 -- by itself it is a service, and shows the real time


def main(
    arguments: Sequence[str] | None = None,
    *,
    estate: Callable[[str, int], Estate] = estates.estate,
    writes: Writes | None = None,
) -> int:
    """Serve until Ctrl-C or SIGTERM, and return 0; return 2 for invalid arguments. `writes`: see `serve`."""
    parsed = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(parsed, estate(parsed.estate, int(_now())), writes))
    except (OSError, ValueError) as error:
        print(f"simulator: {error}", file=sys.stderr)  # noqa: T201 -- a command by itself, it reports here
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -I -m keyaudit.simulator",
        description="Serve a simulated tenant on loopback, as an HTTP proxy that every Azure name leads to.",
    )
    parser.add_argument(
        "--estate",
        default="contoso",
        help=f"{', '.join(estates.NAMES[:-1])} or sized:VAULTSxKEYSxVERSIONSxAPPLICATIONS[@SEED]",
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument(
        "--latency", type=_seconds, default=0.0, metavar="TIME", help="time before each answer, such as 20ms or 0.5s"
    )
    parser.add_argument("--throttle", choices=("none", "documented"), default="none", help="limits to refuse requests by")
    return parser


def _seconds(text: str) -> float:
    for unit, factor in _UNITS.items():
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdecimal():
            return float(number) * factor
    raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 20ms or 0.5s")


async def _serve(parsed: argparse.Namespace, estate: Estate, writes: Writes | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no loop.add_signal_handler.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    throttle = Throttle.documented() if parsed.throttle == "documented" else None
    async with serve(estate, latency=parsed.latency, throttle=throttle, port=parsed.port, now=_now, writes=writes) as simulator:
        print(_introduction(simulator), flush=True)  # noqa: T201 -- callers read the address from here
        await stop.wait()


def _introduction(simulator: Simulator) -> str:
    lines = [
        f"# Simulated tenant {simulator.estate.name} at {simulator.proxy}; CA in {simulator.ca_file}. Ctrl-C ends it.",
        *(f"export {name}={value}" for name, value in simulator.environ.items()),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
