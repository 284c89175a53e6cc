"""`make docs`: write the generated pages, and parts of pages, anew."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.docs import PAGES, PARTS, render

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Write every page whose text has changed, and name it."""
    for name in [*PAGES, *PARTS]:
        page = ROOT / name
        old = page.read_text("utf-8") if page.exists() else ""
        new = render(name, old)
        if new != old:
            page.write_text(new, "utf-8")
            sys.stdout.write(f"wrote {name}\n")


if __name__ == "__main__":
    main()
