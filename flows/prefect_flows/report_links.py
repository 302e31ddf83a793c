"""The addresses at which `metacart serve` shows published reports, for flow runs that it starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from flows.workspace import Workspace

REPORTS = "METACART_REPORTS"
"""The environment variable that passes a ReportLinks as JSON to flow runs."""

REPORT = "report/index.html"


@dataclass(frozen=True)
class ReportLinks:
    """url: address of the report server, no slash at its end. shops: name → folder of published runs."""

    url: str
    shops: Mapping[str, Path]

    @property
    def variable(self) -> dict[str, str]:
        """The environment of a flow run that knows these links."""
        return {REPORTS: TypeAdapter(ReportLinks).dump_json(self).decode()}

    def of_shop(self, shop: str) -> str:
        """Return the address of a shop's current report."""
        return f"{self.url}/{shop}/"


def report_url(workspace: Workspace, folder: str) -> str | None:
    """Return the address of a published report; None where no report server shows this shop.

    folder: the name of the published folder; other content of the same run is in `<run_id>.2`.
    """
    given = os.environ.get(REPORTS)
    if not given:
        return None
    links = TypeAdapter(ReportLinks).validate_json(given)
    if links.shops.get(workspace.shop) != workspace.published:
        return None
    return f"{links.url}/{workspace.shop}/{folder}/{REPORT}"
