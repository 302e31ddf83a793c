"""Adapters: the forms of logs that are read without a mapping, by their names in the settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from features.contracts.mapping import SourceFile
from features.sources import (
    criteo_attribution,
    online_retail,
    open_bandit,
    otto,
    rees46,
    retailrocket,
    simulated,
)

FILES = "files"
"""The source of a shop that maps its own files by [[files]] tables."""


@dataclass(frozen=True)
class Adapter:
    """One form of logs.

    files: a folder, and `until`, the last day wanted → the files in it, each with the logs that it feeds.
    currency_code: of its amounts; XXX, the ISO code for none, where it has none.
    """

    files: Callable[..., tuple[SourceFile, ...]]
    currency_code: str


ADAPTERS: Mapping[str, Adapter] = {
    "open_bandit": Adapter(open_bandit.files, "JPY"),
    "simulated": Adapter(simulated.files, "EUR"),
    "rees46": Adapter(rees46.files, rees46.CURRENCY_CODE),
    "retailrocket": Adapter(retailrocket.files, "XXX"),
    "online_retail": Adapter(online_retail.files, online_retail.CURRENCY_CODE),
    "otto": Adapter(otto.files, "XXX"),
    "criteo_attribution": Adapter(criteo_attribution.files, "XXX"),
}
"""Name → adapter; settings, ingest and `metacart init` read this list."""

SOURCES = (FILES, *ADAPTERS)
"""The allowed values of shop.source."""
