"""Fill in what environments ran before deployments were kept, and when they were added, from the ledger."""

from django.db import migrations


def fill(apps, schema_editor):
    Environment = apps.get_model("readiness", "Environment")
    Deployment = apps.get_model("readiness", "Deployment")
    Event = apps.get_model("readiness", "Event")
    for environment in Environment.objects.all():
        said = Event.objects.filter(environment=environment, kind__startswith="environment.", actor__isnull=False)
        first, last = said.order_by("id").first(), said.order_by("-id").first()
        environment.added_at = first.at if first else environment.settings_changed_at
        if environment.build and last:
            environment.build_since = environment.build_since or environment.added_at
            Deployment.objects.create(
                environment=environment, build=environment.build, at=environment.build_since, by_id=last.actor_id
            )
        environment.save(update_fields=["added_at", "build_since"])


class Migration(migrations.Migration):
    dependencies = [("readiness", "0004_builds_reviews_versions_and_tokens")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
