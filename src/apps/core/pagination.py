"""Keyset pages for the API: `{"next", "previous", "results"}` with opaque cursors."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from apps.core.keyset import CursorError, Ordering, Page, read_page

MAX_PAGE_SIZE = 200


class KeysetPagination(BasePagination):
    """Reads `cursor`, `page_size` and `ordering` from the query.

    A view names what it can sort by in `orderings` (query value → model field); the first is the
    default. Each sort field must be indexed together with the id. A view whose rows are those of
    several conditions gives them in `either` (see `read_page`).
    """

    default_page_size = 50

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any]:
        self.request = request
        self.page: Page[Any] = self._read(queryset, request, view)
        return self.page.items

    def _read(self, rows: QuerySet[Any], request: Request, view: APIView | None) -> Page[Any]:
        fields: dict[str, str] = getattr(view, "orderings", {})
        try:
            return read_page(
                rows,
                ordering=self._ordering(request, fields or {"id": "pk"}),
                size=self._size(request),
                cursor=request.query_params.get("cursor") or None,
                either=getattr(view, "either", None),
            )
        except CursorError as error:
            raise ValidationError(
                {"cursor": [gettext("This cursor is not valid here.")]}
            ) from error

    def _ordering(self, request: Request, fields: dict[str, str]) -> Ordering:
        asked = request.query_params.get("ordering") or next(iter(fields))
        if asked not in fields:
            words = gettext("Choose one of: %(names)s.") % {"names": ", ".join(fields)}
            raise ValidationError({"ordering": [words]})
        return Ordering.parse(fields[asked])

    def _size(self, request: Request) -> int:
        text = request.query_params.get("page_size") or str(self.default_page_size)
        plain = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PAGE_SIZE))
        if not plain or not 1 <= int(text) <= MAX_PAGE_SIZE:
            words = gettext("A whole number from 1 to %(most)s.") % {"most": MAX_PAGE_SIZE}
            raise ValidationError({"page_size": [words]})
        return int(text)

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._link(self.page.next),
                "previous": self._link(self.page.previous),
                "results": data,
            }
        )

    def _link(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        orderings = list(getattr(view, "orderings", {}))
        sizes = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE}
        return [
            _parameter("cursor", {"type": "string"}),
            _parameter("page_size", sizes),
            *([_parameter("ordering", {"type": "string", "enum": orderings})] if orderings else []),
        ]


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}
