"""How a night was made: what its manifest and its configuration say, as pairs of name and text."""

from datetime import date

from reports.pages.area_part import Pairs
from reports.summaries.night import Manifest
from reports.wording.catalog import Catalog
from reports.wording.rewards import reward_said


def provenance(manifest: Manifest, catalog: Catalog, *, is_judged: bool) -> Pairs:
    """Return what the manifest says, without what it lacks; is_judged: whether any policy was evaluated."""
    versions = [f"{name} {version}" for name, version in sorted(manifest.versions.items())]
    found = {
        "run": manifest.run_id,
        "source": manifest.source,
        "reward": reward_said(manifest, catalog),
        "unit": catalog.text_or(f"made.unit.{manifest.unit}", manifest.unit) if is_judged else "",
        "logs": _logs(manifest, catalog),
        "inputs": "" if manifest.n_inputs is None else catalog.numbers.count(manifest.n_inputs),
        "currency": manifest.currency,
        "config_hash": manifest.config_hash,
        "seed": "" if manifest.seed is None else str(manifest.seed),
        "device": manifest.device,
        "versions": catalog.listed(versions),
    }
    return tuple((catalog.text(f"made.{name}"), text) for name, text in found.items() if text)


def config(manifest: Manifest) -> Pairs:
    """Return the settings by their dotted names, which are the same in every language."""
    return tuple(sorted(_flat("", dict(manifest.config))))


def _logs(manifest: Manifest, catalog: Catalog) -> str:
    if not manifest.data_to:
        return ""
    first, last = (_day(day, catalog) for day in (manifest.data_from, manifest.data_to))
    return catalog.numbers.between(first, last)


def _day(text: str, catalog: Catalog) -> str:
    return catalog.numbers.day(date.fromisoformat(text[:10])) if text else catalog.numbers.missing


def _flat(prefix: str, tree: dict[str, object]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        pairs += _flat(name, value) if isinstance(value, dict) else [(name, str(value))]
    return pairs
