"""The GPT itself; `config` needs no torch, every other module does."""

from __future__ import annotations

import os

# OpenMP reads this once, when torch loads it. Threads that spin without end while they wait for
# the next token would take the core on which the window draws; threads that sleep at once must be
# woken for every matrix product, which costs small models most of their speed. In between: spin
# for a fraction of a millisecond (GNU OpenMP counts turns; others know only the policy), then
# sleep. Whoever uses torch has read a model's config before, so it is set in time; values from
# outside win.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
