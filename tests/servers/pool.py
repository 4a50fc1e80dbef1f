"""What of the database's pool is in use."""

from django.db import connection


def held_of_the_pool() -> int:
    """How many connections are taken out of the pool now, by this process as a whole."""
    pool = connection.pool
    assert pool is not None
    stats = pool.get_stats()
    return int(stats["pool_size"] - stats["pool_available"])
