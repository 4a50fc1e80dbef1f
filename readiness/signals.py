"""What other packages may listen to. Nothing here waits for an answer but ``observers_wanted``."""

from django.dispatch import Signal

run_requested = Signal()
"""A run is queued and its transaction committed. Sent with ``run_id``. A nudge only: the row is the truth."""

observers_wanted = Signal()
"""Which probes exist? Receivers return a list of ``observers.Observer``."""
