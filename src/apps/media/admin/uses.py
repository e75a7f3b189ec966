"""For the administration of other apps: their objects' files, chosen by search, shown in small.

    @admin.register(Post)
    class PostAdmin(MediaFieldsMixin, admin.ModelAdmin):  # for the MediaFields of the model
        inlines = [PostMediaInline]

    class PostMediaInline(MediaAttachmentInline):  # for its attachments
        model = PostMedia

What is chosen is attached by the services, as the person who is signed in: with their rights, and
with all that follows when a file is put to use or taken out of it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar, cast

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Field, Q, QuerySet, prefetch_related_objects
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _

from apps.core.errors import AppError
from apps.media import links, selectors, services
from apps.media.fields import KINDS, MediaField
from apps.media.models import MediaAttachment, MediaFile, Status
from apps.media.policies import Visitor, visible_to
from apps.media.services import AttachmentItem

WITHOUT_USE = (Status.FAILED, Status.QUARANTINED)


class MediaSelect(AutocompleteSelect):
    """Searches among the files; the one that is chosen (`present`) is shown without a query."""

    template_name = "media/admin/select.html"
    present: MediaFile | None = None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        if self.present is not None and str(value) == str(self.present.pk):
            context["thumbnail"] = links.thumbnail_url(self.present)
        return context

    def optgroups(self, name: str, value: Any, attr: Any = None) -> list[Any]:
        if self.present is None or list(value) != [str(self.present.pk)]:
            return cast("list[Any]", super().optgroups(name, value, attr))
        blank = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        chosen = self.create_option(name, value[0], str(self.present), True, len(blank))
        return [(None, [*blank, chosen], 0)]


class MediaChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the files that `user` may attach, or the one that is there."""

    def __init__(
        self,
        *args: Any,
        user: Visitor,
        kinds: Collection[str] = KINDS,
        max_size: int | None = None,
        **options: Any,
    ) -> None:
        options["queryset"] = MediaFile.objects.filter(visible_to(user))
        super().__init__(*args, **options)
        self.user, self.kinds, self.max_size = user, kinds, max_size
        self.present: MediaFile | None = None

    def show(self, present: MediaFile | None) -> None:
        self.present = present
        widget: Any = getattr(self.widget, "widget", self.widget)  # Django wraps it in links
        widget.present = present
        if present is not None:
            self.queryset = MediaFile.objects.filter(visible_to(self.user) | Q(pk=present.pk))

    def clean(self, value: Any) -> Any:
        media = super().clean(value)
        if media is None or media == self.present:
            return media
        try:
            services.ensure_attachable(
                user=self.user, media=media, kinds=self.kinds, max_size=self.max_size
            )
        except AppError as error:
            raise ValidationError(error.detail, code=error.code) from error
        return media


class _ShowsPresent:
    """A form of the administration whose fields for files know what is there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():  # type: ignore[attr-defined]
            if isinstance(field, MediaChoiceField):
                row = self.instance  # type: ignore[attr-defined]
                field.show(getattr(row, name) if getattr(row, f"{name}_id") else None)


class _ChoosesMedia:
    """Has the foreign keys to files chosen by search."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.remote_field.model is MediaFile and "widget" not in kwargs:
            site = self.admin_site  # type: ignore[attr-defined]
            kwargs["widget"] = MediaSelect(db_field, site)
            kwargs |= {"form_class": MediaChoiceField, "user": request.user, **limits_of(db_field)}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class MediaFieldsMixin(_ChoosesMedia):
    """Before `ModelAdmin`: the `MediaField`s of the model can be named in `fields`."""

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = super().get_object(request, *args, **kwargs)  # type: ignore[misc]
        if found is not None:  # with what showing its pictures needs
            fields = [one for one in found._meta.concrete_fields if isinstance(one, MediaField)]
            prefetches = [selectors.prefetch_media(field.name) for field in fields]
            prefetch_related_objects([found], *prefetches)
        return found

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)  # type: ignore[misc]
        return type(form.__name__, (_ShowsPresent, form), {})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        fields = [obj._meta.get_field(name) for name in form.changed_data if name in form.fields]
        chosen = [field for field in fields if isinstance(field, MediaField)]
        for field in chosen:  # the services give it to the saved object
            if field.null:
                setattr(obj, field.attname, form.initial.get(field.name))
        super().save_model(request, obj, form, change)  # type: ignore[misc]
        for field in chosen:
            _put(request.user, obj, field.name, form.cleaned_data[field.name])


class MediaAttachmentFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The attachments of one object; saved as a whole, in the order of their positions."""

    user: Visitor
    model: Any

    def clean(self) -> None:
        super().clean()
        most = self.model.accepts.max_count
        if len(self.kept_rows()) > most:
            text = _("At most %(most)s files are accepted here.")
            raise ValidationError(text, code="too_many_files", params={"most": most})

    def save(self, commit: bool = True) -> Any:
        forms_of_rows = self.initial_forms
        self.deleted_objects = [form.instance for form in self.deleted_forms if form.instance.pk]
        self.changed_objects = [
            (form.instance, form.changed_data)
            for form in forms_of_rows
            if form.has_changed() and form not in self.deleted_forms
        ]
        self.new_objects = [row for row in self.kept_rows() if row.pk is None]
        if not (self.deleted_objects or self.changed_objects or self.new_objects):
            return []
        rows = [*sorted(self.kept_rows(), key=lambda row: row.position), *self._come_meanwhile()]
        return services.set_attachments(
            user=self.user, to=self.instance, through=self.model, items=[*map(_item_of, rows)]
        )

    def _come_meanwhile(self) -> list[Any]:
        """What was attached by others since the page was made stays."""
        known = [form.instance.pk for form in self.initial_forms]
        rows = selectors.list_attachments(of=self.instance, through=self.model)
        return [row for row in rows if row.pk not in known]

    def kept_rows(self) -> list[Any]:
        """What would be attached: those with a file that are not to be removed."""
        filled = [*self.initial_forms, *(form for form in self.extra_forms if form.has_changed())]
        rows = [form.instance for form in filled if form not in self.deleted_forms]
        return [row for row in rows if row.media_id]


class AttachmentForm(_ShowsPresent, forms.ModelForm):  # type: ignore[type-arg]
    """One attachment."""


class MediaAttachmentInline(_ChoosesMedia, admin.TabularInline):  # type: ignore[type-arg]
    """The files of an object: rows of `model`, a `MediaAttachment`. A fixed number of queries,
    however many there are."""

    form = AttachmentForm
    formset = MediaAttachmentFormSet
    extra = 0
    fields: ClassVar[Any] = ["media", "position", "alt_text", "caption"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.prefetch_related(selectors.prefetch_media("media"))

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        made = super().get_formset(request, obj, **kwargs)
        return type(made.__name__, (made,), {"user": request.user})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in {"alt_text", "caption"}:
            kwargs["widget"] = forms.Textarea(attrs={"rows": 2, "cols": 24})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="")
    def preview(self, row: MediaAttachment) -> str:
        """For inlines that are only looked at: put it into `fields` and `readonly_fields`."""
        url = links.thumbnail_url(row.media)
        return format_html('<img src="{}" alt="" width="64" height="64" loading="lazy">', url)


def limits_of(field: Field[Any, Any]) -> dict[str, Any]:
    """What a foreign key to a file accepts."""
    if isinstance(field, MediaField):
        return {"kinds": field.kinds, "max_size": field.max_size}
    if issubclass(field.model, MediaAttachment) and field.name == "media":
        accepts = field.model.accepts
        return {"kinds": accepts.kinds, "max_size": accepts.max_size}
    return {"kinds": KINDS, "max_size": None}


def narrow_search(request: HttpRequest, rows: QuerySet[MediaFile]) -> QuerySet[MediaFile]:
    """`rows` as they are offered to whoever chooses a file: those that they may see and that fit.

    Other searches stay as they are.
    """
    match = request.resolver_match
    if match is None or match.url_name != "autocomplete":
        return rows
    model = apps.get_model(request.GET["app_label"], request.GET["model_name"])
    limits = limits_of(model._meta.get_field(request.GET["field_name"]))
    rows = rows.filter(visible_to(request.user), media_type__in=limits["kinds"], deleted_at=None)
    if limits["max_size"] is not None:
        rows = rows.filter(size__lte=limits["max_size"])
    return rows.exclude(status__in=WITHOUT_USE)


def _put(user: Visitor, obj: Any, name: str, media: MediaFile | None) -> None:
    if media is None:
        services.detach_media(user=user, to=obj, field=name)
    else:
        services.attach_media(user=user, media=media, to=obj, field=name)


def _item_of(row: MediaAttachment) -> AttachmentItem:
    focal = None if row.focal_x is None or row.focal_y is None else (row.focal_x, row.focal_y)
    return AttachmentItem(row.media, row.alt_text, row.caption, row.crop, focal)
