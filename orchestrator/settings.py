"""Every setting, once: read from the environment (`MESHLINE_…`), checked together at start.

docs/reference/settings.md is generated from this file.
"""

from __future__ import annotations

import functools
import re
import ssl
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from orchestrator.domain.errors import StartupFailed
from orchestrator.domain.text.addresses import NAME_A_MAILBOX, is_address
from orchestrator.domain.text.endpoints import (
    NO_PROXY_AT_ALL,
    broker_fault,
    database_fault,
    kombu_address,
    proxy_fault,
)
from orchestrator.domain.text.issuers import issuer_fault
from orchestrator.domain.text.token_keys import setting_fault
from orchestrator.variables import (
    DEFAULT_HOME,
    check_names,
    home_fault,
    store_url,
    unknown_variables,
)

LOOPBACK = "127.0.0.1"
_SHORTEST_KEY = 16  # characters


class Settings(BaseSettings):
    """The settings of one process. Times are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix="MESHLINE_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
    )

    home: Path = Field(Path(DEFAULT_HOME), description="folder of the embedded state")
    database_url: SecretStr | None = Field(
        None,
        description="postgresql://USER@HOST/DATABASE or sqlite:////FOLDER/FILE; unset: SQLite in"
        " the home folder",
    )
    broker_url: SecretStr | None = Field(
        None,
        description="redis:// or valkey:// (rediss://, valkeys:// over TLS), amqp:// (amqps://);"
        " unset: the Valkey that `meshline up` embeds",
    )
    connectors: Path | None = Field(
        None, description="folder with connector definitions of your own (*.yaml)"
    )
    sources: Path | None = Field(
        None, description="folder with the sources that send webhooks and forms (*.yaml)"
    )
    proxy: SecretStr | None = Field(
        None,
        description="http://HOST:PORT of the proxy for connectors and alerts, in place of what"
        " HTTPS_PROXY and HTTP_PROXY name; `off`: none; NO_PROXY names what is reached directly",
    )

    token_key: SecretStr | None = Field(
        None,
        description="seals the refresh tokens that the store keeps: 32 bytes in base64, older keys"
        " behind it with commas, or file:PATH of them; unset: a key that is made in the home"
        " folder, where the store is there too",
    )

    approvals: Literal["auto", "required", "signed"] = Field(
        "auto",
        description="`required`: every client's changes need an approval; `auto`: those of a client"
        " for which somebody has, or ever had, the role approver; `signed`: as `required`, and each"
        " approval has to be signed by a key of its approver",
    )
    contacts: Path | None = Field(
        None, description="file that says how people are reached; unset: by mail"
    )
    gates: Path | None = Field(
        None,
        description="file that says which QA gates block, with rules of the house's own; unset:"
        " the defaults",
    )
    steward: str | None = Field(
        None,
        description="mail address of who owns messages that no worker can read, and producers'"
        " spools that grow old; unset: nobody does",
    )
    keeper_seconds: float = Field(
        2.0, gt=0, description="how often the keeper looks at clocks, incidents and alerts"
    )
    job_lease_seconds: float = Field(
        60.0,
        gt=0,
        description="when another keeper takes over a job whose keeper does not answer",
    )
    alert_digest_seconds: float = Field(
        60.0,
        ge=0,
        le=3600,
        description="how long after an alert those of further incidents wait, to go as one message",
    )
    dashboard_url: str | None = Field(
        None, description="address of Flower as people reach it, for links; unset: host and port"
    )
    link_key: SecretStr | None = Field(
        None,
        description="signs links in alerts, which then open their page without the login; at least"
        f" {_SHORTEST_KEY} characters",
    )

    host: str = Field(LOOPBACK, description="address that the door listens on")
    port: int = Field(8700, ge=0, le=65535, description="port of the door; 0 takes a free one")
    flower_host: str = Field(LOOPBACK, description="address that Flower listens on")
    flower_port: int = Field(5555, ge=0, le=65535, description="port of Flower; 0 takes a free one")
    flower_user: str = Field(
        "operator", description="login of Flower until there is the first person"
    )
    flower_password: SecretStr | None = Field(
        None,
        description="password of this login; `meshline up` makes one and prints it",
    )
    proxy_secret: SecretStr | None = Field(
        None,
        description="what a proxy before Flower sends as `X-Meshline-Proxy-Secret`, so that it is"
        f" believed who logs in and from where; at least {_SHORTEST_KEY} characters",
    )
    proxy_login_header: str | None = Field(
        None,
        description="header by which this proxy names the person, by mail address; it has to take"
        " the header away from what people send; unset: people log in here",
    )

    oidc_issuer: str | None = Field(
        None,
        description="https address of the company's identity provider (OpenID Connect), by which"
        " people then log in to Flower too",
    )
    oidc_client_id: str | None = Field(
        None, description="what the identity provider calls this installation"
    )
    oidc_client_secret: SecretStr | None = Field(
        None, description="env:NAME or file:PATH of the secret that the provider gave"
    )
    oidc_name: str | None = Field(
        None, description="name of the provider on the login page; unset: its host"
    )
    oidc_mail_claim: str = Field(
        "email", description="claim of the ID token that holds the mail address"
    )
    oidc_domains: str = Field(
        "", description="domains of mail addresses that may come in by it, with commas; unset: any"
    )
    oidc_timeout_seconds: float = Field(
        10, gt=0, le=60, description="how long one answer of the identity provider may take"
    )

    max_body_bytes: int = Field(1_048_576, gt=0, description="largest body of one trigger")
    max_batch_bytes: int = Field(
        16_777_216, gt=0, le=67_108_864, description="largest body of a batch"
    )
    max_batch_events: int = Field(1_000, gt=0, le=10_000, description="most triggers in one batch")
    max_values: int = Field(
        100_000,
        gt=0,
        le=1_000_000,
        description="most values in one trigger: objects, arrays, texts, numbers",
    )
    max_depth: int = Field(64, gt=0, le=200, description="deepest nesting of a JSON body")

    worker_processes: int = Field(2, gt=0, description="processes of one worker")
    group_size: int = Field(200, gt=0, le=1_000, description="most events in one chain")
    groups_in_flight: int = Field(
        4, gt=0, description="chains published and unfinished before the relay holds back"
    )
    patience_seconds: float = Field(
        5.0, gt=0, description="how long a chain that gives no sign of life holds others back"
    )
    poll_seconds: float = Field(
        1.0, gt=0, description="how often the relay looks without being woken"
    )
    start_limit: int = Field(
        6, gt=1, description="starts without progress before an event is quarantined"
    )

    dispatch_budget_seconds: float = Field(
        20, gt=0, description="how long one dispatch starts new calls"
    )
    dispatch_turn_seconds: float = Field(
        2.0, gt=0, description="how long one dispatch starts calls while other workflows wait"
    )
    task_time_limit_seconds: float = Field(
        45, gt=0, description="when a stuck task's process is ended"
    )
    visibility_timeout_seconds: float = Field(
        60, gt=0, description="when Redis hands an unacknowledged message out again"
    )
    lease_seconds: float = Field(
        90, gt=0, description="when a claimed event that nobody finished is due again"
    )
    slice_size: int = Field(
        200, gt=0, description="most events, and most items, whose calls go out between two commits"
    )
    retention_days: int | None = Field(
        None, gt=0, description="how long `meshline retention apply` leaves payloads alone"
    )
    stop_seconds: float = Field(20, gt=0, description="how long a stopping process may finish work")

    @field_validator("home")
    @classmethod
    def _is_a_path(cls, home: Path) -> Path:
        if fault := home_fault(home):
            raise ValueError(fault)
        return home

    @field_validator("broker_url", "database_url")
    @classmethod
    def _can_work(cls, url: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        fault_of = broker_fault if info.field_name == "broker_url" else database_fault
        if url and (fault := fault_of(url.get_secret_value())):
            raise ValueError(fault)
        return url

    @field_validator("proxy")
    @classmethod
    def _is_a_proxy(cls, url: SecretStr | None) -> SecretStr | None:
        said = url.get_secret_value() if url else NO_PROXY_AT_ALL
        if said != NO_PROXY_AT_ALL and (fault := proxy_fault(said)):
            raise ValueError(fault)
        return url

    @field_validator("token_key")
    @classmethod
    def _can_seal(cls, key: SecretStr | None) -> SecretStr | None:
        if key and (fault := setting_fault(key.get_secret_value())):
            raise ValueError(fault)
        return key

    @field_validator("steward")
    @classmethod
    def _is_a_mailbox(cls, steward: str | None) -> str | None:
        if steward and not is_address(steward):
            raise ValueError(f"{steward!r} is not an e-mail address; {NAME_A_MAILBOX}")
        return steward

    @field_validator("proxy_login_header")
    @classmethod
    def _is_a_header(cls, name: str | None) -> str | None:
        if name and not re.fullmatch("[A-Za-z0-9-]{1,100}", name):
            raise ValueError(f"{name!r} is not the name of a header; write one such as X-Mail")
        return name

    @field_validator("link_key", "proxy_secret")
    @classmethod
    def _cannot_be_guessed(cls, key: SecretStr | None) -> SecretStr | None:
        if key and len(key.get_secret_value()) < _SHORTEST_KEY:
            raise ValueError(
                f"it is under {_SHORTEST_KEY} characters; make one with `openssl rand -hex 24`"
            )
        return key

    @field_validator("oidc_issuer")
    @classmethod
    def _is_an_issuer(cls, url: str | None) -> str | None:
        if url and (fault := issuer_fault(url)):
            raise ValueError(fault)
        return url

    @model_validator(mode="after")
    def _a_provider_knows_us(self) -> Self:
        if (self.oidc_issuer is None) != (self.oidc_client_id is None):
            raise ValueError("MESHLINE_OIDC_ISSUER and MESHLINE_OIDC_CLIENT_ID go together")
        return self

    @model_validator(mode="after")
    def _a_proxy_proves_itself(self) -> Self:
        if self.proxy_login_header and not self.proxy_secret:
            raise ValueError(
                "MESHLINE_PROXY_LOGIN_HEADER needs MESHLINE_PROXY_SECRET: without it anybody could"
                " name anybody"
            )
        return self

    @model_validator(mode="after")
    def _clocks_are_in_order(self) -> Self:
        order = (
            "dispatch_budget_seconds",
            "task_time_limit_seconds",
            "visibility_timeout_seconds",
            "lease_seconds",
        )
        values = [getattr(self, name) for name in order]
        if any(one >= other for one, other in pairwise(values)):
            names = " < ".join(f"MESHLINE_{name.upper()}" for name in order)
            raise ValueError(f"they must rise: {names}; now they are {values}")
        return self

    @property
    def store_url(self) -> str:
        """The database's address, the default filled in."""
        url = self.database_url
        return store_url(self.home, url.get_secret_value() if url else None)

    @property
    def token_key_text(self) -> str | None:
        """The keys that seal tokens, or `file:PATH` of them; None where nothing is set."""
        return self.token_key.get_secret_value() if self.token_key else None

    @property
    def home_of_store(self) -> Path | None:
        """The home folder, where the store is in it."""
        return None if self.database_url else self.home

    @property
    def pages_url(self) -> str:
        """Where people find the dashboard."""
        return (self.dashboard_url or f"http://{self.flower_host}:{self.flower_port}").rstrip("/")

    @property
    def broker_address_file(self) -> Path:
        """Where the embedded broker leaves its address, readable by its owner alone."""
        return self.home / "broker.url"

    @property
    def broker(self) -> str:
        """The broker's address. Raises StartupFailed where there is none."""
        if self.broker_url:
            return kombu_address(self.broker_url.get_secret_value())
        try:
            return self.broker_address_file.read_text().strip()
        except OSError:
            raise StartupFailed(
                "there is no broker: set MESHLINE_BROKER_URL, or run `meshline up`,"
                " which embeds one"
            ) from None

    @property
    def broker_tls(self) -> dict[str, Any] | None:
        """How Kombu checks the broker's certificate; by itself it checks none. None: no TLS.

        The authorities are the system's, or those of the file that SSL_CERT_FILE names.
        """
        scheme = self.broker.partition("://")[0]
        if scheme == "rediss":
            return {"ssl_cert_reqs": ssl.CERT_REQUIRED}
        if scheme == "amqps":  # without a name, the one in the address
            return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}
        return None

    def unknown_variables(self) -> list[str]:
        """Variables with our prefix that neither a setting nor a definition here names."""
        return unknown_variables(Settings.model_fields, files=self.named_files)

    @property
    def named_files(self) -> list[Path]:
        """The files and folders of definitions and contacts that are set."""
        return [one for one in (self.connectors, self.contacts, self.sources) if one is not None]

    def celery_config(self) -> dict[str, Any]:
        """What every Celery process of ours is configured with.

        Acknowledged late and never retried by Celery: a retry, a lease and a start are rows.
        """
        config: dict[str, Any] = {
            "broker_url": self.broker,
            "broker_use_ssl": self.broker_tls,
            "task_ignore_result": True,
            "task_serializer": "json",
            "accept_content": ["json"],
            "task_acks_late": True,
            "task_reject_on_worker_lost": False,  # it loops for ever on a task that kills
            "task_time_limit": self.task_time_limit_seconds,
            "task_default_queue": "meshline",
            "worker_prefetch_multiplier": 1,
            "worker_concurrency": self.worker_processes,
            "worker_send_task_events": True,
            "task_send_sent_event": False,
            "worker_cancel_long_running_tasks_on_connection_loss": False,
            "worker_soft_shutdown_timeout": self.stop_seconds,
            "worker_enable_soft_shutdown_on_idle": False,
            "broker_connection_retry_on_startup": True,
            "broker_connection_max_retries": None,
            # A link finds out only by publishing the next that the broker was started anew. One
            # more try, at once; what fails then comes back when the lease ends.
            "task_publish_retry": True,
            "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0},
            "worker_hijack_root_logger": True,
        }
        if self.broker.startswith("redis"):
            config["broker_transport_options"] = {
                "visibility_timeout": self.visibility_timeout_seconds,
                "unacked_restore_interval": 5,
                "unacked_restore_throttle": 1,
                "socket_timeout": 5,
                "socket_connect_timeout": 2,
                "health_check_interval": 10,
                "global_keyprefix": "meshline:",
            }
        else:
            config["broker_transport_options"] = {
                "confirm_publish": True,  # else a message that the broker refuses is gone
                "connect_timeout": 2,
                "read_timeout": 5,
                "write_timeout": 5,
            }
        return config


@functools.cache
def settings() -> Settings:
    """This process's settings. Raises StartupFailed that names the setting."""
    try:
        found = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"MESHLINE_{str(first['loc'][0]).upper()}: " if first["loc"] else ""
        raise StartupFailed(f"{name}{first['msg'].removeprefix('Value error, ')}") from None
    check_names(Settings.model_fields, files=found.named_files)
    return found
