"""Failures of the API as problems, and as pages where a project shows its API to browsers."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.exceptions import NotFound
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from apps.core.problems import answer_problem


class Missing(APIView):
    """Has nothing for anybody."""

    renderer_classes = [JSONRenderer, BrowsableAPIRenderer]
    authentication_classes = []
    permission_classes = []

    def get_exception_handler(self) -> Any:
        return answer_problem

    def get(self, request: Any) -> Any:
        raise NotFound


@pytest.mark.parametrize(
    ("accepted", "kind"),
    [("application/json", "application/problem+json"), ("text/html", "text/html; charset=utf-8")],
)
def test_a_failure_says_what_it_is(accepted: str, kind: str) -> None:
    answer = Missing.as_view()(APIRequestFactory().get("/", headers={"Accept": accepted}))
    answer.render()
    assert (answer.status_code, answer["Content-Type"]) == (404, kind)
