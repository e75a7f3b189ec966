"""Versions tell whether all that is needed was made of them once."""

from django.db import migrations, models
from django.db.models import F


def note_complete(apps, schema_editor):
    """What is ready now has everything; of what is not, nothing can be said."""
    versions = apps.get_model("media", "MediaVersion").objects
    ready = versions.filter(media__status="ready", number=F("media__version"))
    versions.filter(pk__in=ready.values("pk")).update(complete=True)


class Migration(migrations.Migration):
    dependencies = [("media", "0005_uploads")]

    operations = [
        migrations.AddField("mediaversion", "complete", models.BooleanField(default=False, verbose_name='complete')),
        migrations.RunPython(note_complete, migrations.RunPython.noop, elidable=True),
    ]
