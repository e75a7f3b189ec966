"""Names of fields and models stand where these are made; sites that ran this before know its name."""

from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0001_initial'),
        ('media', '0017_names_of_fields'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = []
