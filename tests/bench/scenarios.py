"""What is measured: each scenario is one kind of traffic through one configuration."""

from dataclasses import dataclass

import routes

ROUTE_COUNTS = (10, 1_000, 10_000)
IDLE_CONNECTIONS = 5_000


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    # What is spoken to the proxy and to the backend: h1 or h2.
    protocol: str = "h1"
    tls: bool = False
    grpc: bool = False
    table: routes.Table = None
    idle: int = 0


ALL = [
    Scenario("h1", "HTTP/1.1, 64 connections"),
    Scenario("h2", "HTTP/2, 8 connections of 16 streams", protocol="h2"),
    Scenario("grpc", "gRPC unary, 8 connections of 16 streams", protocol="h2", grpc=True),
    Scenario("tls", "HTTP/1.1 over TLS, 64 connections", tls=True),
    *(
        Scenario(f"routes-{count}", f"{count:,} routes, 64 connections", table=routes.table(count))
        for count in ROUTE_COUNTS
    ),
    Scenario("idle", f"{IDLE_CONNECTIONS:,} idle connections", idle=IDLE_CONNECTIONS),
]
