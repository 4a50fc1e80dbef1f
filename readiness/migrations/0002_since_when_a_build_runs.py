"""Remember since when an environment runs its build, so that a rollback does not lift a fail that counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("readiness", "0001_records")]

    operations = [
        migrations.AddField(
            model_name="environment",
            name="build_since",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
