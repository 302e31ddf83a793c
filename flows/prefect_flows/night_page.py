"""The flow run's page: verdicts, what happens tomorrow, what is undecided and why, and the report's link.

Prefect's page renders Markdown and HTML, and names of items and campaigns come from a shop's files: all text
is escaped.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from features.areas import AREAS
from features.codes import ALL_SEGMENTS
from flows.night_folder import Night
from flows.prefect_flows.report_links import report_url
from flows.stages.publish import Published
from flows.workspace import Workspace
from reports.pages.area_part import part_of
from reports.summaries.night import read_night
from reports.wording.language import LANGUAGE
from reports.wording.rewards import per_round, reward_currency
from reports.wording.sentences import say

MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~>-])")


def show_night(workspace: Workspace, night: Night, published: Published) -> None:
    """Create the artifacts of a published night; use it inside a flow run."""
    shop = artifact_name(workspace.shop)
    url = report_url(workspace, published.folder.name)
    verdicts = published.table("out_verdicts").to_dicts() if "out_verdicts" in published.tables else []
    if verdicts:
        create_table_artifact(
            [{name: escape(str(value)) for name, value in row.items()} for row in verdicts],
            key=f"verdicts-{shop}",
            description="What the gate decided, and why.",
        )
    create_markdown_artifact(
        night_markdown(night, published, verdicts, url),
        key=f"night-{shop}",
        description="The night in short.",
    )
    if url is not None:
        create_link_artifact(url, link_text="Report", key=f"report-{shop}")


def artifact_name(shop: str) -> str:
    """Return a shop's name in the letters of artifact keys, which know no underscore.

    >>> artifact_name("open_bandit")
    'open-bandit'
    """
    return shop.replace("_", "-")


def night_markdown(
    night: Night, published: Published, verdicts: Sequence[Mapping[str, Any]], url: str | None
) -> str:
    """Return the night in Markdown; url: the report's address, None where no server shows it."""
    read = read_night(published.folder)
    areas = [line for area in AREAS for line in part_of(area).lines(read, LANGUAGE)]
    undecided = [f"**{plain(domain)}**: {plain(say([why]))}" for domain, why in night.undecided.items()]
    parts = [
        f"# {plain(night.shop)}, night of {plain(night.as_of.isoformat())}",
        f"[Open the report]({url})" if url else f"The report is the file `{published.report}`.",
        "\n".join(
            _verdict_table(
                [row for row in verdicts if row["segment_id"] == ALL_SEGMENTS], reward_currency(read.manifest)
            )
        ),
        "\n".join(f"- {plain(line)}" for line in areas),
        "## Nothing decided" if undecided else "",
        "\n".join(f"- {line}" for line in undecided),
    ]
    return "\n\n".join(part for part in parts if part)


def plain(text: str) -> str:
    r"""Return text that Markdown and HTML show as it is, in one line.

    >>> plain("<b> [x](y)")
    '&lt;b&gt; \\[x\\]\\(y\\)'
    """
    return MARKDOWN.sub(r"\\\1", escape(" ".join(text.split()), quote=False)).replace("\\>", "&gt;")


def _verdict_table(rows: Sequence[Mapping[str, Any]], currency: str) -> Iterator[str]:
    if not rows:
        return
    yield "| domain | verdict | asks | against | difference | serves | why |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        cells = [row["domain"], row["verdict"], row["candidate"], row["baseline"]]
        cells += [_difference(row, currency), row["champion"], row["reasons"]]
        yield "| " + " | ".join(plain(str(cell)) for cell in cells) + " |"


def _difference(row: Mapping[str, Any], currency: str) -> str:
    found = (row["difference"], row["lower"], row["upper"])
    if any(number is None for number in found):
        return "could not be measured"
    return per_round(*found, currency)
