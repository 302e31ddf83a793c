"""How the rewards of each domain are written, chosen once per night so that pages agree."""

from features.codes import ALL_SEGMENTS
from reports.summaries.formatting import RewardFormat, reward_format
from reports.summaries.night import DOMAINS, Night
from reports.summaries.policy_values import leading_estimators, policy_values


def reward_formats(night: Night) -> dict[str, RewardFormat]:
    """Return the format of each domain, fitted to its policy values over everyone."""
    values = policy_values(night.rows("out_policy_values"))
    formats = {}
    for domain in DOMAINS:
        everyone = [v for v in values if v.domain == domain and v.segment_id == ALL_SEGMENTS]
        leading = leading_estimators(everyone)
        formats[domain] = reward_format(
            [(v.value, v.lower, v.upper) for v in everyone if v.estimator in leading],
            reward=night.manifest.reward,
            currency=night.manifest.currency,
        )
    return formats
