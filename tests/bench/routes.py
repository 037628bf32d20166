"""N routes as a large gateway has them, said once and asked of every proxy alike."""

import random
from dataclasses import dataclass, field

HOST = "bench.test"
HEADER = "x-variant"
HEADER_PATH = "/variants"

# Of 100 routes; the rest are exact and prefix, half each.
SHARES = {"regex": 1, "header": 4, "wildcard": 5}
ASKED = 1_000


@dataclass(frozen=True)
class Route:
    kind: str  # exact, prefix, regex, header, wildcard
    number: int

    @property
    def value(self):
        """What it matches on: a path, a pattern, a header's value or a host's suffix."""
        n = self.number
        return {
            "exact": f"/shop/{n % 97}/items/{n}",
            "prefix": f"/api/v{n % 7}/service-{n}",
            "regex": f"/reports/{n}/[0-9]+/summary",
            "header": f"variant-{n}",
            "wildcard": f"tenant-{n}.{HOST}",
        }[self.kind]

    def request(self):
        """A request that only this route matches: host, path, headers."""
        value = self.value
        return {
            "exact": (HOST, value, {}),
            "prefix": (HOST, f"{value}/users/42", {}),
            "regex": (HOST, f"/reports/{self.number}/2026/summary", {}),
            "header": (HOST, HEADER_PATH, {HEADER: value}),
            "wildcard": (f"www.{value}", "/index.html", {}),
        }[self.kind]


@dataclass(frozen=True)
class Table:
    routes: list = field(default_factory=list)

    def of(self, kind):
        return [route for route in self.routes if route.kind == kind]

    def asked(self):
        """A sample that keeps the shares, in random but repeatable order, and the last route."""
        sample = random.Random(len(self.routes)).sample(self.routes, min(ASKED, len(self.routes)))
        return [route.request() for route in [*sample, self.routes[-1]]]


def table(count):
    kinds = []
    for kind, share in SHARES.items():
        kinds += [kind] * max(1, count * share // 100)
    rest = count - len(kinds)
    kinds += ["exact"] * (rest - rest // 2) + ["prefix"] * (rest // 2)
    random.Random(7).shuffle(kinds)
    return Table([Route(kind, number) for number, kind in enumerate(kinds)])
