from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('readiness', '0008_find_the_newest_events_of_a_kind'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='language',
            field=models.CharField(blank=True, default='', help_text='Empty: the one that the browser asks for.', max_length=10, verbose_name='language'),
        ),
        migrations.AddField(
            model_name='checklist',
            name='translations',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='section',
            name='translations',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='entry',
            name='translations',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='clause',
            name='translations',
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
