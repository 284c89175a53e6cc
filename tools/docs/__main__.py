"""`make docs`: write the generated pages anew."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.docs import PAGES, render

FOLDER = Path(__file__).parents[2] / "docs"


def main() -> None:
    """Write every page whose text has changed, and name it."""
    for name in PAGES:
        page, text = FOLDER / name, render(name)
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
            sys.stdout.write(f"wrote docs/{name}\n")


if __name__ == "__main__":
    main()
