"""`keyaudit mcp`: a server of the Model Context Protocol on stdin and stdout, which answers an assistant from one snapshot."""

from contextlib import ExitStack

from keyaudit.cli.options import Choice, Live, Stored, flags
from keyaudit.model.errors import Exit, UsageError
from keyaudit.model.extras import installing


@flags(Live, Stored, Choice)
def mcp(live: Live, stored: Stored, choice: Choice) -> int:
    """Answer an assistant's questions about a snapshot (MCP).

    Speaks the Model Context Protocol on stdin and stdout until stdin ends. Tools only read: summary, findings, explain, access,
    expiring, blast_radius, coverage.
    """
    try:
        import mcp.server  # noqa: F401 - fails early if it is not installed
    except ImportError as error:
        raise UsageError("mcp", f"needs {error.name}, which is not installed", installing("mcp")) from error
    from keyaudit.cli.mcp.tools import Tools, server
    from keyaudit.cli.sources.judged import judged
    from keyaudit.cli.sources.source import snapshot

    with ExitStack() as opened:
        taken, as_of = opened.enter_context(snapshot(live, stored))
        report = opened.enter_context(judged(live, stored, choice, taken=(taken, as_of)))
        server(Tools(taken, as_of, report)).run("stdio")
    return Exit.CLEAN
