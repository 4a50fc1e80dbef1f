"""The world that the benchmark measures: what it holds is what the product would hold, at a size for seconds."""

from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import connection

from readiness.actions.rebuilding import rebuild
from readiness.models import Decision, Environment, Event, Evidence, Item, Run, Waiver
from readiness.selectors.overview import Filters, overview

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.only_on("postgresql")]


def test_the_world_of_the_benchmark_is_one_that_the_product_could_have_written(capsys):
    from benchmarks.at_size.generate import generate
    from benchmarks.at_size.world import Size

    call_command("flush", verbosity=0, interactive=False)
    now = datetime.now(UTC).replace(microsecond=0)
    keys = _keys_and_indexes()
    generate(Size(services=2, runs=400, events=600, seed=7, now=now))
    assert _keys_and_indexes() == keys
    assert (Environment.objects.count(), Item.objects.count()) == (6, 140)
    assert Run.objects.count() >= 360
    assert Event.objects.count() >= 400
    assert min(Evidence.objects.count(), Waiver.objects.count(), Decision.objects.count()) >= 1
    assert "hold: each as it was sealed" in capsys.readouterr().err
    mine = Item.objects.filter(service=1)
    differ = {str(one) for item in mine for one in rebuild(item.pk, write=False, now=now)}
    assert differ == set()
    connection.check_constraints()
    assert overview(Filters(), now).shown == 6


def _keys_and_indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid <> 0 "
            "UNION SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
        )
        return {row[0] for row in cursor.fetchall()}
