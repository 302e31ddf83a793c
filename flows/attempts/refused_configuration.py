"""A refused configuration: a night that fails before its shop is known, and is reported all the same.

The file is read once more, without its rules, for the name of the shop, its data folder and its alerts. Where
it does not say them, the text is left beside it.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.attempts.failed_attempt import Attempted, failed_night, report_failure
from flows.attempts.failures import Failure
from flows.attempts.freshness import LastAttempt
from flows.file_modes import SHARED_FILE
from flows.json_files import write_text
from flows.operating_settings import Alerts
from flows.progress import LinePrinter
from flows.published_nights import PublishedNights
from flows.settings import SHOP_NAME, Paths
from flows.workspace import published_folder


def report_refusal(
    config: Path, failure: Failure, attempt: LastAttempt, again: str, warn: LinePrinter
) -> None:
    """Report that a configuration was refused.

    Without the file neither a shop nor a folder is known, and the sentence on the terminal is all.
    """
    if not config.is_file():
        return
    table = _tables(config)
    shop = table.get("shop", {}).get("name")
    if isinstance(shop, str) and re.fullmatch(SHOP_NAME, shop):
        data = table.get("paths", {}).get("data", Paths().data)
        nights = PublishedNights(published_folder((config.resolve().parent / str(data)).resolve(), shop))
        of = Attempted(shop, nights, _alerts(table), config, again)
        report_failure(of, failure, attempt, (), warn)
        return
    of = Attempted("an unknown shop", PublishedNights(config.parent), Alerts(), config, again)
    place = _beside(config)
    try:
        write_text(place, failed_night(of, failure, attempt).text, SHARED_FILE)
    except OSError as error:
        warn(f"warning: {place} can't be written: {error}")


def resolve_refusal(config: Path, warn: LinePrinter) -> None:
    """Remove what a refusal has left beside a configuration that is read again."""
    place = _beside(config)
    try:
        place.unlink(missing_ok=True)
    except OSError as error:
        warn(f"warning: {place} can't be removed: {error}")


def _beside(config: Path) -> Path:
    return config.with_name(f"{config.name}.last_failure.txt")


def _tables(config: Path) -> dict[str, dict[str, Any]]:
    """Return the tables of a file that may break every rule; none where it is not TOML."""
    try:
        content = tomllib.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {name: table for name, table in content.items() if isinstance(table, dict)}


def _alerts(tables: Mapping[str, dict[str, Any]], environment: Mapping[str, str] = os.environ) -> Alerts:
    """Return the alerts of the file; none where that table is refused too."""
    url = environment.get("METACART_ALERTS__WEBHOOK_URL")
    try:
        return Alerts.model_validate(tables.get("alerts", {}) | ({"webhook_url": url} if url else {}))
    except ValidationError:
        return Alerts()
