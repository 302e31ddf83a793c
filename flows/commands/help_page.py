"""The help page of the command: its verbs in the order of work, and its exit statuses."""

from cyclopts import App

from features.exit_statuses import status_table

ORDER = (
    "init",
    "simulate",
    "data",
    "run",
    "ingest",
    "learn",
    "evaluate",
    "decide",
    "publish",
    "champions",
    "rollback",
    "pin",
    "unpin",
    "link",
    "verify",
    "unpublish",
    "prune",
    "erase",
    "ope",
    "plan",
    "compare",
    "loop",
    "doctor",
    "serve",
    "service",
)
"""Start a shop, run its nights, use and look after them, and the tools beside them."""


def arrange(app: App) -> None:
    """Put the verbs of the help page in their order, and the exit statuses below them."""
    app.help_epilogue = status_table()
    for name in app:
        if not name.startswith("-"):
            # Otherwise the page of every verb would end with the table too.
            app[name].help_epilogue = ""
            app[name].sort_key = ORDER.index(name) if name in ORDER else len(ORDER)
