"""What was adopted, as the app tells it: run in the project, one line of JSON."""

import json
import sys

from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from shop.models import Product

from apps.media import selectors
from apps.media.models import MediaFile

PICTURE = Template('{% load media %}{% media_picture picture sizes="10rem" %}')


def folders_of(media: MediaFile) -> list[str]:
    item = media.collected.first()
    path, collection = [], item and item.collection
    while collection:
        path.insert(0, collection.title)
        collection = collection.parent
    return path


def described(media: MediaFile) -> dict[str, object]:
    return {
        "name": media.original_name,
        "owner": media.owner.get_username(),
        "title": media.title,
        "caption": media.caption,
        "alt_text": media.alt_text,
        "tags": sorted(tag.name for tag in media.tags.all()),
        "focal": [media.focal_x, media.focal_y],
        "visibility": media.visibility,
        "folders": folders_of(media),
        "status": media.status,
    }


def page_of(picture: MediaFile) -> str:
    shown = selectors.get_detailed_media(user=AnonymousUser(), media_id=picture.pk)
    return PICTURE.render(Context({"picture": shown}))


sys.stdout.write(
    json.dumps(
        {
            "files": [described(media) for media in MediaFile.objects.order_by("original_name")],
            "products": {
                product.name: page_of(product.picture) if product.picture else ""
                for product in Product.objects.all()
            },
        }
    )
)
