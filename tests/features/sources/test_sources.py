"""The laws of sources, for every source."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.features.sources.source_samples import SAMPLES
from tests.laws.sources import LAWS, SourceSample


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_law(law: Callable[[SourceSample, Path], None], sample: SourceSample, tmp_path: Path) -> None:
    law(sample, tmp_path)
