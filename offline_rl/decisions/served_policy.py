"""Which policy answers in a segment tonight, and the sentence that says why."""

from dataclasses import dataclass
from typing import Literal

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
