"""The tables of a profile: file, columns, and who reads a line.

The columns named here are the format of the files; ``docs/your-own-device.md`` explains them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from openmodality.device.profile.row_readers import (
    read_answer,
    read_beyond_statement,
    read_body_part,
    read_character_set,
    read_charset_attribute,
    read_cipher_suite,
    read_failure,
    read_mapping_rule,
    read_media_use,
    read_module_attribute,
    read_module_use,
    read_mpps_attribute,
    read_parameter,
    read_presentation_context,
    read_print_attribute,
    read_private_attribute,
    read_query_key,
    read_rejection,
    read_setting_section,
    read_status,
    read_worklist_key,
)
from openmodality.device.profile.tables import ProfileRow
from openmodality.value_class import dataclass

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Table(Generic[_T]):
    """A file of a profile: its columns and the reader of a line."""

    file: str
    columns: tuple[str, ...]
    read: Callable[[ProfileRow], _T]


def _split_columns(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


PARAMETERS = Table(
    "parameters.csv",
    _split_columns("key,description,kind,minimum,maximum,default,unit,configurable,choices,special"),
    read_parameter,
)
SETTING_SECTIONS = Table("setting_sections.csv", _split_columns("key,section"), read_setting_section)
PRESENTATION_CONTEXTS = Table(
    "presentation_contexts.csv",
    _split_columns("ae,service,direction,role,sop_class_uid,transfer_syntaxes,role_selection,enabled_by"),
    read_presentation_context,
)
WORKLIST_KEYS = Table(
    "worklist_keys.csv",
    _split_columns("path,keyword,vr,matching,required,displayed,configurable"),
    read_worklist_key,
)
QUERY_KEYS = Table("query_keys.csv", _split_columns("role,model,level,path,keyword,vr,type"), read_query_key)
MPPS_ATTRIBUTES = Table(
    "mpps_attributes.csv",
    _split_columns("path,keyword,vr,n_create,n_set,final,sources,value,condition"),
    read_mpps_attribute,
)
IODS = Table("iods.csv", _split_columns("object,ie,module,usage,presence,condition"), read_module_use)
ATTRIBUTES = Table(
    "attributes.csv",
    _split_columns("object,module,path,keyword,vr,requirement,sources,value_rule,values,example,condition"),
    read_module_attribute,
)
MAPPING = Table("mapping.csv", _split_columns("worklist,image,mpps"), read_mapping_rule)
STATUSES = Table(
    "statuses.csv",
    _split_columns("service,operation,code,category,meaning,transient,abort,effect,success_if"),
    read_status,
)
FAILURES = Table("failures.csv", _split_columns("service,failure,transient"), read_failure)
ANSWERS = Table("answers.csv", _split_columns("service,operation,code,category,meaning"), read_answer)
BEYOND_STATEMENT = Table(
    "beyond_statement.csv", _split_columns("name,meaning,decision,enabled_by,concerns"), read_beyond_statement
)
REJECTIONS = Table("rejections.csv", _split_columns("situation,result,source,reason"), read_rejection)
CHARSETS = Table("charsets.csv", _split_columns("term,code_extensions"), read_character_set)
CHARSET_ATTRIBUTES = Table("charset_attributes.csv", _split_columns("path,keyword,vr"), read_charset_attribute)
BODY_PARTS = Table("body_parts.csv", _split_columns("term,offered"), read_body_part)
MEDIA = Table("media.csv", _split_columns("profile,capacity_mb,activities,sop_classes,enabled_by"), read_media_use)
PRINT_ATTRIBUTES = Table(
    "print_attributes.csv",
    _split_columns("sop_class,operation,path,keyword,vr,requirement,sources,value_rule,values"),
    read_print_attribute,
)
CIPHER_SUITES = Table("cipher_suites.csv", _split_columns("cipher_suite,standard_name,group,legacy"), read_cipher_suite)
PRIVATE_DICTIONARY = Table(
    "private_dictionary.csv", _split_columns("creator,group,offset,vr,name,mirrors"), read_private_attribute
)
