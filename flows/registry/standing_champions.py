"""Which champion stands in each area when a night begins.

The last published night before it says so, and no file of its own does, so that none can disagree with what
was published: a night that is taken back takes its champions back. What people decided since is in `hand`.
"""

from dataclasses import replace
from datetime import date, timedelta

from pydantic import TypeAdapter

from flows.published_nights import PublishedNight
from flows.registry.hand import Decision, decisions
from flows.standing import (
    CHAMPIONS,
    DECISIONS,
    EXPERIMENTS,
    AreaExperiments,
    Hand,
    StandingChampion,
    StandingChampions,
)
from flows.workspace import Workspace


def standing_champions(workspace: Workspace, as_of: date) -> StandingChampions:
    """Return the champions that stand when the night of `as_of` begins.

    The night for a date is run again with the champions that stood before it, not with its own.
    """
    base = night_before(workspace, as_of)
    manifest = (base.manifest if base is not None else None) or {}
    standing = {
        area: _on_the_next_night(StandingChampion(**entry))
        for area, entry in manifest.get(CHAMPIONS, {}).items()
    }
    known = set(manifest.get(DECISIONS, ()))
    for line, decision in enumerate(decisions(workspace)):
        if line not in known and date.fromisoformat(decision.as_of) <= as_of:
            standing[decision.area] = _after(standing.get(decision.area, StandingChampion()), decision)
            known.add(line)
    stands = {area: champion for area, champion in standing.items() if champion != StandingChampion()}
    read = TypeAdapter(dict[str, AreaExperiments])
    return StandingChampions(
        stands, tuple(sorted(known)), read.validate_python(manifest.get(EXPERIMENTS, {}))
    )


def standing_on_the_next_night(workspace: Workspace, newest: date) -> StandingChampions:
    """Return the champions that stand when the night after the newest published one begins."""
    return standing_champions(workspace, newest + timedelta(days=1))


def _on_the_next_night(champion: StandingChampion) -> StandingChampion:
    # A rollback is for one night: after it, evidence decides again.
    return replace(champion, hand="pinned" if champion.hand == "pinned" else "")


def _after(champion: StandingChampion, decision: Decision) -> StandingChampion:
    if decision.act == "unpin":
        return replace(champion, hand="")
    hand: Hand = "pinned" if decision.act == "pin" else "rolled_back"
    return StandingChampion(decision.policy_version, decision.sha256, hand)


def night_before(workspace: Workspace, as_of: date) -> PublishedNight | None:
    """Return the newest published night for an earlier date; of several of one date the one that counts."""
    nights = workspace.nights
    current = nights.current()
    return max(
        (night for night in nights.all() if night.as_of < as_of),
        key=lambda night: (night.as_of, night == current, night.path.stat().st_mtime),
        default=None,
    )
