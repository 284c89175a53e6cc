"""One mail over one SMTP connection, and what each thing that can go wrong means.

It is the only file that knows aiosmtplib, and is imported by the first mail. Up to the last
recipient nothing was sent; once the text is on its way only the server's own reply counts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import aiosmtplib

from connectors.mail.server import MailServer
from orchestrator.domain.errors import (
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    NotReached,
    OutcomeUnknown,
    Unauthorized,
)
from orchestrator.domain.text.masking import masked


class _Client(aiosmtplib.SMTP):
    """A connection that is gone once it is closed, also where the library closes it by itself."""

    def close(self) -> None:
        """Close now: over TLS a plain close waits for the other side's goodbye."""
        transport = self.transport
        super().close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()


async def deliver(
    server: MailServer, recipients: Sequence[str], message: bytes, seconds: float
) -> None:
    """Send one mail within `seconds`. Raises ConnectorError."""
    client = _Client(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        timeout=seconds,
    )
    try:
        async with asyncio.timeout(seconds * 0.4):
            await client.connect()
            await client.mail(server.sender)
            for recipient in recipients:
                await client.rcpt(recipient)
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        raise _nothing_sent(error, server) from None
    try:
        async with asyncio.timeout(seconds * 0.4):
            await client.data(message)
    except aiosmtplib.SMTPResponseException as error:
        raise _reply(error, server) from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise OutcomeUnknown(f"no reply to the mail ({type(error).__name__})") from None
    else:
        # The mail is taken; how the parting goes must not change that.
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(min(1.0, seconds * 0.1)):
                await client.quit()
    finally:
        client.close()


def _nothing_sent(error: Exception, server: MailServer) -> ConnectorError:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _reply(error, server)
    if isinstance(error, aiosmtplib.SMTPConnectError | OSError):
        return NotReached(_text(error, server))
    passing = (
        aiosmtplib.SMTPServerDisconnected,
        aiosmtplib.SMTPTimeoutError,
    )
    if isinstance(error, passing):
        return DestinationUnavailable(_text(error, server))
    return DestinationRefused(_text(error, server))


def _reply(error: aiosmtplib.SMTPResponseException, server: MailServer) -> ConnectorError:
    text = masked(f"the server said {error.code} {error.message}", server.masks)
    if isinstance(error, aiosmtplib.SMTPAuthenticationError) and error.code >= 500:
        return Unauthorized(f"{text} (unauthorized: check the connector's login)")
    return DestinationRefused(text) if error.code >= 500 else DestinationUnavailable(text)


def _text(error: Exception, server: MailServer) -> str:
    return masked(f"{type(error).__name__}: {error}".rstrip(": "), server.masks)
