"""The form of the brand."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from morefollows.accounts.models import Editor
from morefollows.desk.settings.common import add_errors
from morefollows.setup.brand.actions import change_brand
from morefollows.setup.models import Brand
from morefollows.stories.images.logos import store_logo

_TYPEFACES = (("serif", _("Serif")), ("sans", _("Sans")), ("own", _("Our own …")))


class ColourField(forms.CharField):
    """A colour as text; the default one beside it while it is empty."""

    def __init__(self, label: object, placeholder: str) -> None:
        attrs = {
            "data-colour": "",
            "placeholder": placeholder,
            "autocomplete": "off",
            "spellcheck": "false",
        }
        widget = forms.TextInput(attrs=attrs)
        super().__init__(label=label, required=False, max_length=9, widget=widget)  # type: ignore[arg-type]


class BrandForm(forms.Form):
    """What a newsroom chooses of its look."""

    logo = forms.FileField(label=_("Logo file"), required=False)
    logo_dark = forms.FileField(label=_("Logo for dark mode"), required=False)
    no_logo = forms.BooleanField(label=_("Remove the logo"), required=False)
    no_logo_dark = forms.BooleanField(label=_("Remove the dark logo"), required=False)
    main = ColourField(_("Main colour"), "#0b5563")
    main_dark = ColourField(_("Main colour, dark mode"), "")
    notice = ColourField(_("Notice colour"), "#8a4b08")
    link = ColourField(_("Link colour"), "")
    typeface = forms.ChoiceField(
        label=_("Typeface of the news"),
        choices=_TYPEFACES,
        widget=forms.RadioSelect,
        required=False,
    )
    own_typeface = forms.CharField(
        label=_("Name of our own typeface"),
        required=False,
        max_length=60,
        help_text=_("One that your readers have, such as Helvetica Neue. None is loaded."),
    )
    footer = forms.CharField(
        label=_("Footer text"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    site_url = forms.CharField(
        label=_("Link back to your site"),
        required=False,
        max_length=300,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )
    hides_product = forms.BooleanField(label=_("Hide “Sent with More Follows”"), required=False)

    @classmethod
    def of(cls, brand: Brand) -> BrandForm:
        """The form with what is in force."""
        return cls(
            initial={name: getattr(brand, name) for name in cls.base_fields if hasattr(brand, name)}
        )

    def apply(self, by: Editor, *names: str) -> bool:
        """Saves it, or only what is named, or puts the errors at the fields."""
        chosen = {
            name: value
            for name, value in self.cleaned_data.items()
            if not name.startswith(("logo", "no_logo")) and (not names or name in names)
        }
        if "typeface" in chosen:
            chosen["typeface"] = chosen["typeface"] or Brand.Typeface.SERIF
        for name in ("logo", "logo_dark"):
            try:
                file = self.cleaned_data.get(name)
                if isinstance(file, UploadedFile):
                    chosen[name] = store_logo(file.read())
                elif self.cleaned_data.get(f"no_{name}"):
                    chosen[name] = ""
            except ValidationError as error:
                self.add_error(name, error)
                return False
        try:
            change_brand(by, **chosen)
        except ValidationError as error:
            add_errors(self, error)
            return False
        return True
