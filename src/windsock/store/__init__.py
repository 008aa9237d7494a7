"""Objects in a bucket or a folder, by one small interface. All network and file access of windsock goes through here.

obstore does the work (a tenth of boto3's CPU per GET); boto3 supplies AWS credentials and lists and reads the keys
that obstore refuses (`//`, `..`, tabs). Retries and time-outs are ours: obstore's defaults wait for minutes.
"""

from windsock.store.base import (
    Body,
    Changed,
    NotFound,
    ObjectUnreadable,
    PreconditionFailed,
    Storage,
    Store,
    TooLarge,
)
from windsock.store.opening import open_store

__all__ = [
    "Body",
    "Changed",
    "NotFound",
    "ObjectUnreadable",
    "PreconditionFailed",
    "Storage",
    "Store",
    "TooLarge",
    "open_store",
]
