"""Builds instances with what all objects have: SOP class, character set, File Meta Information, cautious defaults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from pydicom.charset import default_encoding
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.device import charsets
from openmodality.dimse.pydicom_text import convert_terms
from openmodality.dimse.reading import values_of
from openmodality.encoding.texts import TEXT_VRS
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.builder import Draft
from openmodality.objects.rules.check import check
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import (
    copy_element,
    element_at,
    keep_filled,
    make_data_set,
    make_elements,
    make_kept_element,
    make_sequence,
    prepare_attributes,
)
from openmodality.objects.rules.sequence_items import (
    Attribute,
    SequenceItem,
    SequenceItems,
    encode_sequence,
    list_special_texts,
)
from openmodality.objects.rules.sources import Places, SourceValues
from openmodality.objects.rules.template import HELD_BY_ALL, EncodedInstance, Exchange, Template, encode_instance
from openmodality.standard.character_sets import UTF_8
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET

# What an image says of itself where its source says nothing, by module: values that claim nothing about the patient.
_DEFAULTS: Final[Mapping[str, Mapping[str, str | list[str]]]] = {
    # RM is research mode, the defined term for a sequence without a name (PS3.3 C.8.3.1.1.2).
    "MR Image": {"ScanningSequence": "RM", "SequenceVariant": "NONE", "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"]},
    "SC Image": {"ImageType": ["DERIVED", "SECONDARY"], "ConversionType": "WSD"},
    "X-Ray Image": {"ImageType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE"], "PixelIntensityRelationship": "DISP"},
    "X-Ray Acquisition": {"RadiationSetting": "GR"},
    "CR Image": {"ImageType": ["ORIGINAL", "PRIMARY"]},
}
_MOST_TEMPLATES: Final = 4
"""Of a series that are kept: one for each kind of image in it, such as magnitude and phase in turn."""
_MOST_MISSES: Final = 8
"""After so many instances in a row that have nothing in common no more templates are made."""
AddedSequences: TypeAlias = Mapping[Attribute, SequenceItems]
_NO_SEQUENCES: Final[AddedSequences] = MappingProxyType({})
_PIXEL_DATA: Final = Tag("PixelData")
_FILE_META: Final = prepare_attributes("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID")


class InstanceBuilder:
    """Builds the instances of a series, by the rules of their object and with what every instance has.

    The first instance is checked whole against the same rules, and so is each that is encoded from nothing. The others
    differ from it in values of their own only; of these each is checked.
    """

    def __init__(self, definition: ObjectDefinition, common: SourceValues, facts: frozenset[str] = frozenset()) -> None:
        self._definition = definition
        self._facts = facts
        self._draft = Draft(definition, _add_defaults(definition, common), facts)
        self._exchange = Exchange(definition)
        self._templates: list[Template] = []
        self._last: Template | None = None
        self._misses = 0
        self._is_checked = False
        self._character_sets: dict[frozenset[str], DataElement | None] = {}

    def build(
        self, own: SourceValues, content: Dataset | None = None, sequences: AddedSequences = _NO_SEQUENCES
    ) -> Dataset:
        """An instance with the values ``own`` beside those of the series.

        ``content`` is added as it is, and ``sequences`` already encoded: what no attribute rule describes, such as the
        content tree of a report.

        Raises :class:`ObjectInvalid` where a mandatory attribute has no value, or the first instance of the series
        breaks the rules of its object.
        """
        data_set = self._draft.build(own)
        if content is not None:
            data_set.update(content)
        for attribute, items in sequences.items():
            data_set.add(_gather_special_texts(attribute, items))
        self._declare_character_set(data_set)
        if not self._is_checked:
            self._refuse_defective(data_set)
            self._is_checked = True
        class_uid, instance_uid = data_set.SOPClassUID, data_set.SOPInstanceUID
        meta = make_elements(_FILE_META, class_uid, instance_uid, ExplicitVRLittleEndian)
        data_set.file_meta = FileMetaDataset(make_data_set(meta))
        if sequences:
            _add_encoded(data_set, sequences)
        return data_set

    def encode(
        self, acquisition: dict[BaseTag, DataElement], automatic: dict[BaseTag, DataElement]
    ) -> tuple[EncodedInstance, Dataset | None]:
        """The same instance, encoded; from the parts of an earlier one where it differs in what may be exchanged.

        The own values are those of these two sources: no other says something of one instance alone. The data set is
        given where it was built anew: what has the same attributes later is like it. Raises as :meth:`build` does.
        """
        self._last = None
        places: Places = ({}, {}, {}, keep_filled(acquisition), keep_filled(automatic))
        for template in self._templates:
            if template.serves(places) and (encoded := template.put_between(places)) is not None:
                self._misses, self._last = 0, template
                return encoded, None
        self._is_checked = False
        own = SourceValues(acquisition=make_data_set(copy_pixels(acquisition)), automatic=make_data_set(automatic))
        data_set = self.build(own)
        if self._misses >= _MOST_MISSES:
            return encode_instance(data_set), data_set
        self._misses += 1
        template = Template(self._exchange, self._draft, own, data_set)
        self._templates = [template, *self._templates[: _MOST_TEMPLATES - 1]]
        self._last = template
        return template.instance, data_set

    def encode_next(
        self, changed: dict[BaseTag, DataElement], automatic: dict[BaseTag, DataElement]
    ) -> EncodedInstance | None:
        """The instance that differs from the last one that was encoded in ``changed`` alone, and in ``automatic``.

        None where it has to be encoded with all that is known of it. Raises as :meth:`build` does.
        """
        last, self._last = self._last, None
        encoded = None if last is None else last.follow(changed, keep_filled(automatic))
        if encoded is not None:
            self._last = last
        return encoded

    def _refuse_defective(self, data_set: Dataset) -> None:
        # UIDs are not judged: those of the device are valid, and an image must not be lost because a worklist item
        # refers to its study by a broken UID. The operator is told of that when the exam starts.
        findings = check(data_set, self._definition, facts=self._facts, judge_uids=False)
        if findings:
            raise ObjectInvalid(
                f"{self._definition.name}: {'; '.join(map(str, findings))}",
                advice="correct these attributes where they come from",
            )

    def _declare_character_set(self, data_set: Dataset) -> None:
        """Declare the character set that the text needs: the same one for the same characters."""
        characters = frozenset("".join(_find_texts(data_set))) - HELD_BY_ALL
        if characters not in self._character_sets:
            charsets.declare(data_set, self._definition.character_sets, self._definition.charset_attributes)
            self._character_sets[characters] = data_set.get(SPECIFIC_CHARACTER_SET)
            return
        declared = self._character_sets[characters]
        if declared is None:
            data_set.pop(SPECIFIC_CHARACTER_SET, None)
        else:
            data_set[SPECIFIC_CHARACTER_SET] = copy_element(declared)


def copy_pixels(elements: dict[BaseTag, DataElement]) -> dict[BaseTag, DataElement]:
    """Elements whose pixels are bytes of their own, where they were a view of somebody's array."""
    found = elements.get(_PIXEL_DATA)
    if found is None or not isinstance(found.value, memoryview):
        return elements
    return {**elements, _PIXEL_DATA: make_kept_element(_PIXEL_DATA, found.VR, bytes(found.value))}


def _add_defaults(definition: ObjectDefinition, common: SourceValues) -> SourceValues:
    automatic = Dataset()
    for module in {row.module: None for row in definition.rules}:
        for keyword, value in _DEFAULTS.get(module, {}).items():
            setattr(automatic, keyword, value)
    automatic.update(common.automatic)
    automatic.SOPClassUID = definition.sop_class_uid
    automatic.Modality = automatic.get("Modality") or definition.information_object.modality
    # Replaced when all texts are known.
    automatic.SpecificCharacterSet = UTF_8
    return replace(common, automatic=automatic)


def _gather_special_texts(attribute: Attribute, items: SequenceItems) -> DataElement:
    """A sequence for the choice of the character set: only the texts of ``items`` on which the choice depends."""
    texts = list_special_texts(items)
    held = [SequenceItem({of: text}) for of, found in texts.items() for text in sorted(found)]
    return make_sequence(attribute[0], [item.to_data_set() for item in held])


def _add_encoded(data_set: Dataset, sequences: AddedSequences) -> None:
    """Add sequences as if they had been read: pydicom decodes them where somebody looks."""
    declared = element_at(data_set, SPECIFIC_CHARACTER_SET)
    terms = tuple(map(str, values_of(declared))) if declared is not None else ()
    for attribute, items in sequences.items():
        data_set[attribute[0]] = encode_sequence(attribute, items, terms)
    names = convert_terms(terms) if terms else default_encoding
    data_set.set_original_encoding(is_implicit_vr=False, is_little_endian=True, character_encoding=names)


def _find_texts(data_set: Dataset) -> Iterator[str]:
    for found in cast(Iterable[DataElement], data_set.values()):  # what was built holds no raw elements
        if found.VR == "SQ":
            for item in found.value:
                yield from _find_texts(item)
        elif found.VR in TEXT_VRS and found.value:
            yield str(found.value)
