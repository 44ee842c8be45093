"""The GPT itself; `config` needs no torch, every other module does."""

from __future__ import annotations

import os

# OpenMP reads this once, when torch loads it: threads that spin while they wait for the next
# token would take the core on which the window draws. Whoever uses torch has read a model's
# config before, so it is set in time; a value from outside wins.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
