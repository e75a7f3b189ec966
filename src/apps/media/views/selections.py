"""The HTTP API of many files at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.media import selectors, services
from apps.media.serializers import BulkResultsSerializer, BulkSerializer
from apps.media.views.api import ProblemAnswers

# action → the service, and the fields of the request that it takes
ACTIONS: Mapping[str, tuple[Callable[..., list[services.Outcome]], tuple[str, ...]]] = {
    "delete": (services.delete_many, ("permanent",)),
    "restore": (services.restore_many, ()),
    "tag": (services.tag_many, ("tags",)),
    "untag": (services.untag_many, ("tags",)),
    "visibility": (services.publish_many, ("visibility",)),
    "collect": (services.collect_many, ("collection",)),
}


class BulkView(ProblemAnswers):
    """One action on many files; each has a result of its own."""

    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="media_bulk", request=BulkSerializer, responses=BulkResultsSerializer
    )
    def post(self, request: Request) -> Response:
        form = BulkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields: dict[str, Any] = form.validated_data
        act, names = ACTIONS[fields["action"]]
        arguments = {name: fields[name] for name in names if name in fields}
        if "collection" in arguments:
            arguments["collection"] = selectors.get_visible_collection(
                user=request.user, collection_id=arguments["collection"]
            )
        results = act(user=request.user, ids=fields["ids"], **arguments)
        return Response(BulkResultsSerializer({"results": results}).data)
