"""What every test shares: one thread, so that numbers and times do not depend on the neighbors."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["DO_NOT_TRACK"] = "1"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"

import torch
from hypothesis import settings

torch.set_num_threads(1)

# A busy machine is not a fault of the code: no test is timed.
settings.register_profile("metacart", deadline=None)
settings.load_profile("metacart")
