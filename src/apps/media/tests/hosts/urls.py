"""The project's addresses, and pages with the forms of the tests' objects."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import include, path

from apps.media.tests.hosts.forms import MemberForm, NoteForm
from apps.media.tests.hosts.models import Member, Note
from apps.media.uploadhandlers import takes_files

handler404 = "apps.core.error_pages.page_not_found"
handler403 = "apps.core.error_pages.permission_denied"
handler400 = "apps.core.error_pages.bad_request"
handler500 = "apps.core.error_pages.server_error"


@takes_files
def edit(request: HttpRequest, form_class: Any, model: Any, pk: int | None = None) -> HttpResponse:
    instance = model.objects.get(pk=pk) if pk else None
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = form_class(*sent, instance=instance, user=request.user)
    if sent and form.is_valid():
        kind = request.path_info.split("/")[1]
        return redirect(f"/{kind}/{form.save().pk}/")
    return render(request, "hosts/form.html", {"form": form}, status=422 if sent else 200)


urlpatterns = [
    path("", include("config.urls")),
    path("media/", include("apps.media.formerly")),
    path("members/new/", edit, {"form_class": MemberForm, "model": Member}),
    path("members/<int:pk>/", edit, {"form_class": MemberForm, "model": Member}),
    path("notes/new/", edit, {"form_class": NoteForm, "model": Note}),
    path("notes/<int:pk>/", edit, {"form_class": NoteForm, "model": Note}),
]
