"""The product's settings, with the bare views that its pages are measured against."""

from pathlib import Path

from config.settings import *  # noqa: F403
from config.settings import TEMPLATES

ROOT_URLCONF = "benchmarks.at_size.urls"
TEMPLATES[0]["DIRS"].append(Path(__file__).parent / "templates")
