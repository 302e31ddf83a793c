"""Which policy answers in a segment tonight, and the sentence that says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.contracts import columns

FallbackLevel = Literal["segment", "pooled", "baseline", "popular"]

EXPLORATION = "exploration"


@dataclass(frozen=True)
class ServedPolicy:
    """What every row of a segment says about the policy behind it."""

    policy_version: str
    fallback_level: FallbackLevel
    reason_code: str
    reason_text: str


def promoted(policy_version: str, fallback_level: FallbackLevel, reasons: str) -> ServedPolicy:
    """Return the candidate that passed the gate; `reasons` are the verdict's sentences.

    >>> promoted("maml-1", "segment", "Its lower bound is above zero.").reason_text
    'The learned policy serves here. Its lower bound is above zero.'
    """
    return ServedPolicy(
        policy_version, fallback_level, "promoted", f"The learned policy serves here. {reasons}".rstrip()
    )


def continued(
    policy_version: str, fallback_level: FallbackLevel, verdict: Literal["hold", "reject"], reasons: str
) -> ServedPolicy:
    """Return the policy that stays because the candidate did not pass; `reasons` are the verdict's sentences.

    >>> continued("bts", "baseline", "hold", "Only 12 effective rounds speak about it.").reason_text
    "The shop's own policy continues here: the candidate was held. Only 12 effective rounds speak about it."
    """
    outcome = {"hold": "held", "reject": "rejected"}[verdict]
    text = f"The shop's own policy continues here: the candidate was {outcome}. {reasons}".rstrip()
    return ServedPolicy(policy_version, fallback_level, outcome, text)


def kept(
    policy_version: str,
    fallback_level: FallbackLevel,
    reason_code: Literal["kept", "protected"],
    reason: str,
) -> ServedPolicy:
    """Return the policy that stays in a segment although another was promoted; `reason` is a sentence.

    >>> kept("bts", "baseline", "protected", "The configuration protects the segment.").reason_text
    "The shop's own policy continues here. The configuration protects the segment."
    """
    return ServedPolicy(
        policy_version, fallback_level, reason_code, f"The shop's own policy continues here. {reason}"
    )


def columns_of(served: Sequence[ServedPolicy], segment: NDArray[np.int64]) -> dict[str, pl.Series]:
    """Return what rows of these segments say of the policies behind them; `served` has one per segment."""
    return {
        "reason_code": pl.Series([policy.reason_code for policy in served]).gather(segment),
        "reason_text": pl.Series([policy.reason_text for policy in served]).gather(segment),
        "fallback_level": pl.Series(
            [policy.fallback_level for policy in served], dtype=columns.fallback_level.dtype
        ).gather(segment),
        "policy_version": pl.Series([policy.policy_version for policy in served]).gather(segment),
    }
