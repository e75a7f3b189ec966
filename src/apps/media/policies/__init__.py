"""Who may do what: one answer for every surface, and its query form.

`can_access` answers for one file, `visible_to`, `listed_for` and `editable_by` say the same of a
set; `can_access_collection` and its like do so for collections. Hidden equals missing: callers
answer a refused "view" as if the thing did not exist.
"""

from apps.media.policies.allowances import Allowance, allowance_of, limits_downloads
from apps.media.policies.collections import (
    can_access_collection,
    collection_rights_among,
    collections_listed_for,
    collections_visible_to,
    ways_into_collection_lists,
)
from apps.media.policies.media import (
    can_access,
    editable_by,
    is_opened_by_role,
    is_plainly_visible,
    is_published,
    items_shown_to,
    listed_for,
    may_read_visible,
    opened_by_role_among,
    rights_among,
    visible_to,
    ways_into_lists,
)
from apps.media.policies.roles import (
    Action,
    Visitor,
    holds,
    is_active,
    may_change_quotas,
    may_empty_trash,
    may_erase,
    may_review,
    owners_delete,
)
from apps.media.policies.sharing import Shared, is_link_open, may_share, opened_by_link
from apps.media.policies.uses import (
    Description,
    HostUse,
    describe_hosts,
    register_use_describer,
    register_use_rule,
)

__all__ = [
    "Action",
    "Allowance",
    "Description",
    "HostUse",
    "Shared",
    "Visitor",
    "allowance_of",
    "can_access",
    "can_access_collection",
    "collection_rights_among",
    "collections_listed_for",
    "collections_visible_to",
    "describe_hosts",
    "editable_by",
    "holds",
    "is_active",
    "is_link_open",
    "is_opened_by_role",
    "is_plainly_visible",
    "is_published",
    "items_shown_to",
    "limits_downloads",
    "listed_for",
    "may_change_quotas",
    "may_empty_trash",
    "may_erase",
    "may_read_visible",
    "may_review",
    "may_share",
    "opened_by_link",
    "opened_by_role_among",
    "owners_delete",
    "register_use_describer",
    "register_use_rule",
    "rights_among",
    "visible_to",
    "ways_into_collection_lists",
    "ways_into_lists",
]
