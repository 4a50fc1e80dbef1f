"""Settings of the tests: those of the product, read from an environment that points at servers of the tests' own."""

from tests.servers.environment import servers

servers()

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

if servers().database == "sqlite":
    # A file, since live sites and workers open it too; it is the one that they find in the data folder.
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"]}
# The cheapest hasher: tests sign in often, and what they sign in with is no secret.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Files are looked up as they are asked for: each client of a test would list all of them anew, in 25 ms.
WHITENOISE_AUTOREFRESH = True
