"""`make vendor-check`: the shipped definitions, held against documents that vendors publish."""
