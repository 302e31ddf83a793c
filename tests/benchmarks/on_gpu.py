"""Everything of ours that is meant for a GPU, on one: `make gpu`.

Takes a clean copy of the last commit, runs the tests marked `gpu` and the benchmark of a meta-gradient there,
and writes RESULTS.md beside this file, with the device's name. The machine needs torch, numpy, scipy,
scikit-learn and pytest, nothing else; without a GPU nothing is run, and no figure is left.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("RESULTS.md")
TESTS = ("tests/offline_rl/test_devices.py",)


def main() -> int:
    if not torch.cuda.is_available():
        sys.stderr.write("There is no GPU here: nothing was run, and RESULTS.md was not written.\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "-x"], cwd=copy, check=True, input=archive.stdout)
        # The configuration of the whole project asks for what a bare machine lacks.
        tests = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", f"--rootdir={copy}"]
        subprocess.run([*tests, "--import-mode=importlib", *TESTS], cwd=copy, check=True)
        bench = [sys.executable, "tests/benchmarks/meta_step.py", "--device", "cuda"]
        printed = subprocess.run(bench, cwd=copy, check=True, capture_output=True, text=True).stdout
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    RESULTS.write_text(page(json.loads(printed), commit), encoding="utf-8")
    sys.stdout.write(f"{RESULTS} is written.\n")
    return 0


def page(figures: Mapping[str, Any], commit: str) -> str:
    """RESULTS.md: the device, and every figure of the benchmark as it was printed."""
    return f"""# Results on a GPU

{figures["device"]}, torch {figures["torch"]}, commit {commit}. Written by `make gpu`, after the tests marked
`gpu` had passed there.

```json
{json.dumps(figures, indent=2)}
```
"""


if __name__ == "__main__":
    sys.exit(main())
