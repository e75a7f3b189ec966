"""The pages of collections: the tree, what is in one, and what may be done with it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext

from apps.core.errors import AppError
from apps.core.pages import PageView, PersonalView
from apps.media import selectors, services
from apps.media.exceptions import BadRequestError, CycleError, TooDeepError
from apps.media.forms import CollectionForm
from apps.media.models import Collection
from apps.media.policies import Action
from apps.media.views import sharesheet
from apps.media.views.archives import read_ids
from apps.media.views.listing import read_shown
from apps.media.views.pages import PLACES, back_to
from apps.media.views.trails import trail_within

TILES = 200  # collections on one page
LISTED = "media:collections"


class CollectionsPage(PersonalView):
    """The collections of the visitor, those shared with them, and the form for another one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return _show_tree(request, CollectionForm())


class CreateCollectionPage(PersonalView):
    """Takes the form for a new collection, in another one or in none."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        parent = find_named(request, request.POST.get("parent", ""))
        form = CollectionForm(request.POST)
        if form.is_valid():
            try:
                made = services.create_collection(
                    user=request.user, parent=parent, **form.fields_sent()
                )
            except (ValidationError, TooDeepError) as error:
                _tell(form, error)
            else:
                messages.success(request, gettext("“%(name)s” is made.") % {"name": made})
                return redirect(made)
        if parent is None:
            return _show_tree(request, form, status=422)
        return show_collection(request, parent, new_form=form, status=422)


class CollectionPage(PageView):
    """One collection, to whoever may view it."""

    def get(self, request: HttpRequest, collection_id: uuid.UUID) -> HttpResponse:
        return show_collection(request, _visible(request, collection_id))


class EditCollectionPage(PersonalView):
    """Takes what is said of a collection."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, collection_id: uuid.UUID) -> HttpResponse:
        collection = _visible(request, collection_id)
        form = CollectionForm(request.POST)
        if form.is_valid():
            try:
                services.update_collection(
                    user=request.user, collection=collection, **form.fields_sent()
                )
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, gettext("Changes saved."))
                return redirect(collection)
        return show_collection(request, collection, form=form, status=422)


class MoveCollectionPage(PersonalView):
    """Puts a collection into another one, or into none."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, collection_id: uuid.UUID) -> HttpResponse:
        collection = _visible(request, collection_id)
        parent = find_named(request, request.POST.get("parent", ""))
        try:
            services.move_collection(user=request.user, collection=collection, parent=parent)
        except (CycleError, TooDeepError) as error:
            messages.error(request, error.detail)
        else:
            inside = gettext("“%(name)s” is in “%(parent)s” now.")
            words = inside if parent else gettext("“%(name)s” is at the top now.")
            messages.success(request, words % {"name": collection, "parent": parent})
        return redirect(collection)


class DeleteCollectionPage(PersonalView):
    """Removes a collection with those in it; the files stay."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, collection_id: uuid.UUID) -> HttpResponse:
        collection = _visible(request, collection_id)
        path = selectors.list_path(user=request.user, collection=collection)
        services.delete_collection(user=request.user, collection=collection)
        messages.success(
            request,
            gettext("“%(name)s” is deleted. Its files are still there.") % {"name": collection},
        )
        return redirect(path[-1]) if path else redirect(LISTED)


class CollectionItemsPage(PersonalView):
    """What is done with files on the page of a collection: `earlier`, `later` and `cover` name
    one, `remove` means all that are selected."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, collection_id: uuid.UUID) -> HttpResponse:
        collection = _visible(request, collection_id)
        for name in ("earlier", "later", "cover"):
            if name in request.POST:
                return self._treat_one(request, collection, name, _read_id(request.POST[name]))
        ids = read_ids(request.POST.getlist("ids"))
        removed = services.remove_items(user=request.user, collection=collection, media_ids=ids)
        words = ngettext("%(count)s file taken out.", "%(count)s files taken out.", removed)
        messages.success(request, words % {"count": removed})
        return back_to(request, collection.get_absolute_url())

    def _treat_one(
        self, request: HttpRequest, collection: Collection, act: str, media_id: uuid.UUID
    ) -> HttpResponse:
        user = request.user
        if act == "cover":
            media = selectors.get_visible_media(user=user, media_id=media_id)
            services.update_collection(user=user, collection=collection, cover=media)
            messages.success(request, gettext("The cover is chosen."))
            return back_to(request, collection.get_absolute_url())
        services.step_item(
            user=user, collection=collection, media_id=media_id, later=act == "later"
        )
        return back_to(request, collection.get_absolute_url(), anchor=f"{act}-{media_id}")


def _read_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise BadRequestError from error


def _tell(form: CollectionForm, error: ValidationError | AppError) -> None:
    form.add_error(None, error if isinstance(error, ValidationError) else error.detail)


def _visible(request: HttpRequest, collection_id: uuid.UUID) -> Collection:
    return selectors.get_visible_collection(user=request.user, collection_id=collection_id)


def find_named(request: HttpRequest, collection_id: str) -> Collection | None:
    """The collection that a form names, None where it names none."""
    if not collection_id:
        return None
    return selectors.get_visible_collection(user=request.user, collection_id=collection_id)


def _show_tree(request: HttpRequest, form: CollectionForm, *, status: int = 200) -> HttpResponse:
    user = request.user
    own = selectors.list_own_collections(user=user)[:TILES]
    shared = selectors.list_shared_collections(user=user)[:TILES]
    context = {
        "own": selectors.collections_shown_to(user, own),
        "shared": selectors.collections_shown_to(user, shared),
        "new_form": form,
    }
    return render(request, "media/collections.html", context, status=status)


def show_collection(
    request: HttpRequest,
    collection: Collection,
    *,
    form: CollectionForm | None = None,
    new_form: CollectionForm | None = None,
    status: int = 200,
    **sharing: Form,
) -> HttpResponse:
    """The page of a collection that the visitor may view; the forms are those that have to be
    filled in anew."""
    user = request.user
    children = selectors.list_children(user=user, parent_id=collection.pk).order_by("title", "pk")
    [collection, *inside] = selectors.collections_shown_to(user, [collection, *children[:TILES]])
    items = selectors.list_collection_items(user=user, collection=collection)
    page = read_shown(items, ordering="position", cursor=request.GET.get("cursor"))
    initial = {name: getattr(collection, name) for name in CollectionForm.base_fields}
    context: dict[str, Any] = {
        "collection": collection,
        "children": inside,
        "items": selectors.items_shown(user, page.items),
        "page": page,
        "trail": trail_within(collection),
        "path": selectors.list_path(user=user, collection=collection),
        "form": form or CollectionForm(initial=initial),
        "new_form": new_form or CollectionForm(auto_id="new_%s"),
        "edit_open": form is not None,
        "new_open": new_form is not None,
        **{f"may_{action}": action in collection.rights for action in Action},
        **sharesheet.describe(request, collection, rights=collection.rights),
        **sharing,
    }
    if request.user.is_authenticated:
        places = selectors.list_editable_collections(user=user).exclude(pk=collection.pk)
        context["places"] = places[:PLACES]
    return render(request, "media/collection.html", context, status=status)
