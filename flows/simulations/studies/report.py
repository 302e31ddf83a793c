"""The report of a run of the protocol, as files in its folder.

LEARNERS.md      the table
learners.json    its numbers
learners.jsonl   one line for each learner, world and seed: small enough to be kept with the code
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from flows.simulations.studies.outcome import Outcome
from flows.simulations.studies.run import LEDGER, ProtocolSettings
from flows.simulations.studies.split_ledger import read_split_uses
from flows.simulations.studies.summary import summarize
from flows.simulations.studies.table import markdown


def write_report(settings: ProtocolSettings, outcomes: Sequence[Outcome], out: Path) -> Path:
    """Write the files of the report, and return the path of the Markdown file."""
    summary = summarize(outcomes)
    frozen = outcomes[0].config_sha256 if outcomes else settings.sha256
    content = {"config_sha256": frozen, "settings": asdict(settings), "worlds": summary}
    (out / "learners.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    in_order = sorted(outcomes, key=lambda outcome: (outcome.world, outcome.seed, outcome.learner))
    lines = [json.dumps(_line(outcome)) + "\n" for outcome in in_order]
    (out / "learners.jsonl").write_text("".join(lines), encoding="utf-8")
    path = out / "LEARNERS.md"
    table = markdown(summary, read_split_uses(out / LEDGER), asdict(settings), frozen)
    path.write_text(table, encoding="utf-8")
    return path


def _line(outcome: Outcome) -> dict[str, str | int | float | None]:
    """Return an outcome without its segments: shares of the gap, and processor time."""
    return {
        "world": outcome.world,
        "seed": outcome.seed,
        "learner": outcome.learner,
        "share": round(outcome.share, 4),
        "share_before_refit": round(outcome.share_before_refit, 4),
        "lead": None if outcome.lead is None else round(outcome.lead, 2),
        "asks": outcome.asks,
        "train_seconds": round(outcome.train_seconds, 1),
    }
