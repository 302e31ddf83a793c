"""Learners that are fitted in one go, validated by the same fit on earlier rounds.

They have no steps to stop and no penalty to choose, so they are evaluated by
`offline_rl.meta.time_split`.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from features.contracts.findings import Finding, finding
from offline_rl.logged_data import LoggedRounds
from offline_rl.meta.adapt_together import adapted_to_each
from offline_rl.meta.meta_policy import MetaPolicy, Progress
from offline_rl.meta.policy_validation import one_point_curve
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.meta.time_split import DEMANDED, READ_OUT
from offline_rl.policies.policy import Policy
from offline_rl.policies.scored_policy import ScoredPolicy


@runtime_checkable
class FittedPolicy(MetaPolicy, Protocol):
    """A meta-policy that one fit makes, so that it can be made again from other rounds.

    lead: by how many standard errors it predicted the query rounds' rewards better than the pooled model,
    both fitted on the support rounds; 0 for the pooled model itself.
    """

    @property
    def lead(self) -> float:
        """See the class."""
        ...

    def fitted_again(self, rounds: LoggedRounds, seed: int) -> "FittedPolicy":
        """Fit the same learner's policy on other rounds; the results of its validation stay."""
        ...


Fitted = TypeVar("Fitted", bound=FittedPolicy)

UNVALIDATED: dict[str, Any] = {
    "temperature": READ_OUT,
    "lead": 0.0,
    "validation_value": math.nan,
    "validation_gain": math.nan,
}
"""Fields of a fitted policy before `fit_by_time` or `validated_by_time` sets them."""

ON_EVERY_CARD = ("temperature", "is_binary", "reward_scale", "lead")
"""Fields on the card of every fitted policy whose scores are in units of the rewards."""


def fit_by_time(fit: Callable[[LoggedRounds], Fitted], fits: SharedFits, progress: Progress | None) -> Fitted:
    """Fit on the training segments, with the results of the same fit of the support rounds on later ones.

    fit: rounds → policy; the results of validation in it are replaced here.
    """
    began = time.perf_counter()
    early = fit(fits.time_split.support)
    rounds, _ = fits.training_rounds
    return validated_by_time(early, fit(rounds), fits, began, progress)


def validated_by_time(
    early: Fitted, learned: Fitted, fits: SharedFits, began: float, progress: Progress | None
) -> Fitted:
    """Return `learned` with the results of `early`, which the support rounds alone taught, on later rounds.

    began: when learning did, in seconds of `time.perf_counter`.
    """
    # Protocols are not dataclasses to the type checker, but every fitted policy is one.
    trial, fitted, split = cast(Any, early), cast(Any, learned), fits.time_split
    adapted = adapted_to_each(early, split.support)
    temperature = split.read_out(adapted, early.zero_shot())
    sharp = {segment: _at(policy, temperature) for segment, policy in adapted.items()}
    seen = split.validate(replace(trial, temperature=temperature), sharp)
    _, notes = fits.training_rounds
    evaluated: Fitted = replace(
        fitted,
        temperature=temperature,
        lead=seen.lead,
        validation_value=seen.value,
        validation_gain=seen.gain,
        curve=one_point_curve(seen, began, progress),
        notes=(*notes, *_compared(early.name, seen.lead)),
    )
    return evaluated


def _at(policy: Policy, temperature: float) -> Policy:
    return replace(policy, temperature=temperature) if isinstance(policy, ScoredPolicy) else policy


def _compared(learner: str, lead: float) -> Sequence[Finding]:
    """Return how a learner predicted compared with the pooled model; nothing for the pooled model itself."""
    if lead == 0.0:
        return ()
    clearly, direction = "clearly_" if abs(lead) > DEMANDED else "", "better" if lead > 0.0 else "worse"
    return (finding(f"predicted_{clearly}{direction}", learner, errors=abs(lead)),)
