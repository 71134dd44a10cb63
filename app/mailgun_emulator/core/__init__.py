"""Clock, ids, errors and settings: what everything else stands on."""
