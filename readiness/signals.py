"""What other packages may listen to. Nothing here waits for an answer but ``observers_wanted``."""

from django.dispatch import Signal

run_requested = Signal()
"""Runs are queued and their transaction committed. Sent with ``run_ids``. A nudge only: the rows are the truth."""

observers_wanted = Signal()
"""Which probes exist? Receivers return a list of ``observers.Observer``."""
