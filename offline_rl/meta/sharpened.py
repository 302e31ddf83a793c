"""Sharpened: a policy that no log has to show any more, read out as sharply as its scores allow.

A softer read-out earns less, and is taken where a log can show its gain and could not show that of a sharp
one (`TimeSplit.read_out`). What serves already, or is tried on users of its own, has no gain to show by a
log. And the longer a policy serves, the more its own lists fill the log: nothing is left to gain over them,
few rounds show anything else, and the softest read-out is all that passes. Read out so, a champion would
fade from night to night.
"""

from dataclasses import fields, replace
from typing import Any

from offline_rl.meta.cautious import CAUTIOUS
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.time_split import NOTHING_KNOWN, READ_OUT


def sharpened(policy: MetaPolicy) -> MetaPolicy:
    """Return the policy read out at READ_OUT, if it has scores of rewards to read out; else itself.

    The cautious policy stays as it is: what is sharper must pass a test of its own. So does a policy that has
    learned nothing, whose scores differ by noise, and one whose logits were learned at their temperature.
    """
    own: Any = policy
    temperature = None
    if isinstance(policy, GradientMetaPolicy):
        if policy.objective.kind == "reward_likelihood":
            temperature = policy.objective.temperature
    elif "temperature" in {field.name for field in fields(own)}:
        temperature = own.temperature
    if policy.name == CAUTIOUS or temperature in (None, NOTHING_KNOWN):
        return policy
    sharp: MetaPolicy = replace(own, temperature=READ_OUT)
    return sharp


def as_sharp_as(policy: MetaPolicy, other: MetaPolicy) -> MetaPolicy:
    """Return the policy sharpened where `other`, of the same learner, is sharp; else itself."""
    return sharpened(policy) if sharpened(other).card() == other.card() else policy
