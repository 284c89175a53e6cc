"""The doctor's look at the login by the company's identity provider."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, broken, ok
from orchestrator.domain.errors import LoginRefused, StartupFailed

if TYPE_CHECKING:
    from orchestrator.settings import Settings


def look_at_company_login(config: Settings) -> Iterator[CheckResult]:
    """Whether its settings can be used, and the provider answers; nothing where none is set."""
    from orchestrator.dashboard.access.company_login import company_login_of

    try:
        company = company_login_of(config)
        if company is None:
            return
        asyncio.run(company.provider.keys())
    except StartupFailed as error:
        yield broken("company login", str(error), "correct the setting that it names")
    except LoginRefused as error:
        yield broken(
            "company login", error.detail, "correct MESHLINE_OIDC_ISSUER, or ask its admin"
        )
    else:
        yield ok("company login", f"{company.name} answers; it leads back to {company.back}")
