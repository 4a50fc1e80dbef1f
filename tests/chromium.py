"""Find the Chromium that the browser tests drive. ``python -m tests.chromium`` prints it."""

import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu")
"""The pages are our own, a container often lets no sandbox start, and its shared memory is small."""


def find() -> str | None:
    """Return the program: the machine's where it runs, else the one that Playwright downloaded, else None."""
    for path in map(shutil.which, NAMES):
        if path and _runs(path):
            return path
    own = _downloaded()
    return own if _runs(own) else None


def _downloaded() -> str:
    """Return where Playwright puts its own. Raises Exception where Playwright's own program does not start."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _runs(path: str) -> bool:
    """Return whether it starts: a Debian or Ubuntu stub that wants snap does not."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    own = _downloaded()  # Also shows that Playwright can start at all: its driver needs libatomic on Linux.
    print(find() or sys.exit(f"no Chromium on PATH, and none in {own}"))  # noqa: T201
