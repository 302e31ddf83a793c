"""What a run of the protocol leaves for readers: LEARNERS.md and learners.json in its folder."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from flows.protocol.ledger import read_ledger
from flows.protocol.outcome import Outcome
from flows.protocol.run import LEDGER, ProtocolSettings
from flows.protocol.summary import summarize
from flows.protocol.table import markdown


def write_report(settings: ProtocolSettings, outcomes: Sequence[Outcome], out: Path) -> Path:
    """Summarize and write both files; return the Markdown one."""
    summary = summarize(outcomes)
    frozen = outcomes[0].config_sha256 if outcomes else settings.sha256
    content = {"config_sha256": frozen, "settings": asdict(settings), "worlds": summary}
    (out / "learners.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    path = out / "LEARNERS.md"
    table = markdown(summary, read_ledger(out / LEDGER), asdict(settings), frozen)
    path.write_text(table, encoding="utf-8")
    return path
