"""What a night's reward is, in words, and differences of it as a terminal prints them."""

from features.rewards import RESULTS, WEIGHTED, is_money
from reports.summaries.night import Manifest
from reports.wording.catalog import Catalog
from reports.wording.sentences import digits_of

_RATE_DECIMALS = 5


def reward_currency(manifest: Manifest) -> str:
    """Return the currency of the night's rewards, empty where they are no money."""
    return manifest.currency if is_money(manifest.reward) else ""


def reward_said(manifest: Manifest, catalog: Catalog) -> str:
    """Return what a round earns, with the worth of each result of a weighted sum; empty where not known."""
    if manifest.reward == WEIGHTED:
        weights = manifest.config.get("night", {}).get("reward_weights") or {}
        parts = (
            catalog.text(
                f"reward_weight.{result}",
                worth=catalog.numbers.plain(weights[result]),
                currency=manifest.currency,
            )
            for result in RESULTS
            if weights.get(result)
        )
        return catalog.text("reward_is.weighted", parts=catalog.listed(parts))
    if manifest.reward in RESULTS:
        return catalog.text(f"reward_is.{manifest.reward}", currency=manifest.currency)
    return manifest.reward


def per_round(difference: float, lower: float, upper: float, currency: str) -> str:
    """Return a difference of rewards and its interval; money with the decimals that its interval needs.

    >>> per_round(0.00173, 0.00051, 0.00288, "")
    '+0.00173 per round (+0.00051 to +0.00288)'
    >>> per_round(0.173, 0.051, 0.288, "EUR")
    '+0.17 EUR per round (+0.05 to +0.29)'
    """
    digits = max(2, digits_of(upper - lower)) if currency else _RATE_DECIMALS
    unit = f" {currency}" if currency else ""
    return f"{difference:+.{digits}f}{unit} per round ({lower:+.{digits}f} to {upper:+.{digits}f})"
