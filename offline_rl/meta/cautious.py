"""Cautious: the pooled model followed less sharply, so that fewer rounds can show its gain.

A sharp policy earns most and is the hardest to evaluate: a few of its rounds carry most of the weight. In
small logs a softer read-out of the same scores is shown to be better long before the sharp one is, and it is
better to serve it than to wait. It is tested first: sharper contenders are tested only after it has passed,
so that a second contender adds no chance of a false promotion where nothing has been learned.
Source: Maurer, Hothorn & Lehmacher 1995, on tests in a fixed sequence.
"""

from dataclasses import replace

from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.time_split import LEAST_EFFECTIVE
from offline_rl.policies.scored_policy import ScoredPolicy

CAUTIOUS = "pooled_cautious"
"""Name of the policy that must pass the gate before sharper contenders."""

BELIEVED = 0.5
"""Share of the expected gain that it relies on: scores overestimate the items that they rank first."""


def cautious(pooled: MixedMetaPolicy, fits: SharedFits) -> MixedMetaPolicy | None:
    """Return pooled policy read out as if half of its expected gain were true; None where that is as sharp.

    It must leave twice the share of effective rounds that other policies must, because others wait for it.

    pooled: as it is to serve. fits: those that it was learned from.
    """
    split = fits.time_split
    early = ScoredPolicy(CAUTIOUS, split.model.score(), pooled.temperature)
    temperature = split.read_out({}, early, believed=BELIEVED, least_effective=2 * LEAST_EFFECTIVE)
    if temperature <= pooled.temperature:
        return None
    return replace(pooled, name=CAUTIOUS, temperature=temperature, curve=(), notes=())
