"""Files are found by colour. What is there already is named in small steps, each of its own."""

from django.db import migrations, models
from django.db.models import Q

from apps.media.processing.swatches import swatch_of

BATCH = 2_000


def name_colors(apps, schema_editor):
    files = apps.get_model("media", "MediaFile").objects.exclude(color="").filter(swatch="")
    last = None
    while True:
        rest = files.filter(pk__gt=last) if last else files
        rows = list(rest.order_by("pk").values_list("pk", "color")[:BATCH])
        if not rows:
            return
        by_swatch = {}
        for pk, color in rows:
            by_swatch.setdefault(swatch_of(color), []).append(pk)
        for swatch, ids in by_swatch.items():
            files.filter(pk__in=ids).update(swatch=swatch)
        last = rows[-1][0]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("media", "0021_edits_and_posters")]

    operations = [
        migrations.AddField(
            model_name="mediafile",
            name="swatch",
            field=models.CharField(
                blank=True, db_default="", max_length=8, verbose_name="swatch"
            ),
        ),
        migrations.AddIndex(
            model_name="mediafile",
            index=models.Index(
                condition=Q(("deleted_at", None), Q(("swatch", ""), _negated=True)),
                fields=["owner", "swatch", "-id"],
                name="media_owner_swatch",
            ),
        ),
        migrations.RunPython(name_colors, migrations.RunPython.noop),
    ]
