"""The pages that Flower shows beside its own: one file per page, on one frame."""
