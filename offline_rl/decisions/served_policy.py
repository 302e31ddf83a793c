"""Which policy answers in a segment tonight, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.contracts import columns
from features.contracts.findings import Finding, Say

FallbackLevel = Literal["segment", "pooled", "baseline", "popular"]
EvidenceLevel = Literal["logged", "estimated", "experiment"]

EXPLORATION = "exploration"


@dataclass(frozen=True)
class ServedPolicy:
    """What every row of a segment says about the policy behind it.

    reasons: why it serves, first the code that its rows carry, then what the gate found. evidence_level: the
    propensities behind what it found.
    """

    policy_version: str
    fallback_level: FallbackLevel
    reasons: tuple[Finding, ...]
    evidence_level: EvidenceLevel = "logged"

    @property
    def reason_code(self) -> str:
        """The code of its rows."""
        return self.reasons[0].code


def promoted(
    policy_version: str, fallback_level: FallbackLevel, candidate: str, reasons: Sequence[Finding]
) -> ServedPolicy:
    """Return the candidate that passed the gate; `reasons` are the verdict's.

    >>> promoted("maml-1", "segment", "maml", ()).reason_code
    'promoted'
    """
    return ServedPolicy(policy_version, fallback_level, (Finding("promoted", candidate), *reasons))


def continued(
    policy_version: str,
    fallback_level: FallbackLevel,
    candidate: str,
    verdict: Literal["test", "hold", "reject"],
    reasons: Sequence[Finding],
    *,
    evidence_level: EvidenceLevel = "logged",
) -> ServedPolicy:
    """Return the policy that stays because the candidate was not promoted; `reasons` are the verdict's.

    >>> continued("bts", "baseline", "maml", "hold", ()).reasons
    (Finding(code='held', subject='maml', numbers={}, because=()),)
    """
    outcome = {"test": "to_be_tested", "hold": "held", "reject": "rejected"}[verdict]
    found = (Finding(outcome, candidate), *reasons)
    return ServedPolicy(policy_version, fallback_level, found, evidence_level)


def kept(
    policy_version: str,
    fallback_level: FallbackLevel,
    candidate: str,
    reason_code: Literal["kept", "protected"],
    reason: Finding,
) -> ServedPolicy:
    """Return the policy that stays in a segment although another was promoted.

    >>> kept("bts", "baseline", "maml", "kept", Finding("segment_kept", "maml")).reason_code
    'kept'
    """
    return ServedPolicy(policy_version, fallback_level, (Finding(reason_code, candidate), reason))


def columns_of(served: Sequence[ServedPolicy], segment: NDArray[np.int64], say: Say) -> dict[str, pl.Series]:
    """Return what rows of these segments say of the policies behind them; `served` has one per segment."""
    return {
        "reason_code": pl.Series([policy.reason_code for policy in served]).gather(segment),
        "reason_text": pl.Series([say(policy.reasons) for policy in served]).gather(segment),
        "fallback_level": pl.Series(
            [policy.fallback_level for policy in served], dtype=columns.fallback_level.dtype
        ).gather(segment),
        "policy_version": pl.Series([policy.policy_version for policy in served]).gather(segment),
        "evidence_level": pl.Series(
            [policy.evidence_level for policy in served], dtype=columns.evidence_level.dtype
        ).gather(segment),
    }
