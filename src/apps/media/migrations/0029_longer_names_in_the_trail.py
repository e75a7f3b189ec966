from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media", "0028_keys_by_bytes")]

    operations = [
        migrations.AlterField(
            model_name="auditevent",
            name="actor_name",
            field=models.CharField(blank=True, max_length=255, verbose_name="actor name"),
        ),
    ]
