"""Settings of the tests: those of the product, on the database that the test process was given."""

from config.settings import *  # noqa: F403
