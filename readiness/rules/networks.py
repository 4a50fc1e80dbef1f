"""Which network addresses a worker may dial. Pure: no name is looked up and nothing is connected here.

Names are never judged, only the addresses that they resolve to: ``127.1``, ``2130706433`` and ``0x7f000001`` are all
one address once a resolver has seen them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from .marking import gettext_noop
from .messages import register, say

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

register(
    {
        "network.no-address": gettext_noop("{address} is not an address that can be judged"),
        "network.leads-to": gettext_noop("{address} leads to {inner}, which is {reason}"),
        "network.is": gettext_noop("{address} is {reason}"),
        "network.not-allowed": gettext_noop("{kind}, and no allowed network names it with port {port}"),
    },
    terms=(
        gettext_noop("a cloud metadata address"),
        gettext_noop("a link-local address"),
        gettext_noop("an unspecified address"),
        gettext_noop("a multicast address"),
        gettext_noop("the broadcast address"),
        gettext_noop("a reserved address"),
        gettext_noop("a deprecated site-local address"),
        gettext_noop("a loopback address"),
        gettext_noop("a private address"),
        gettext_noop("a shared (carrier NAT) address"),
        gettext_noop("a unique-local address"),
        gettext_noop("a documentation address"),
        gettext_noop("a benchmarking address"),
        gettext_noop("a protocol assignment address"),
        gettext_noop("a 6to4 relay address"),
        gettext_noop("a local translation address"),
        gettext_noop("not a public address"),
    ),
)


@dataclass(frozen=True, slots=True)
class AllowedNetwork:
    """A network that the operator opens to probes, on ports first to last inclusive; both ``None`` means every port."""

    network: Network
    first_port: int | None = None
    last_port: int | None = None

    def names(self, address: Address, port: int) -> bool:
        """Return whether this entry opens that port of that address."""
        if address.version != self.network.version or address not in self.network:
            return False
        return self.first_port is None or self.last_port is None or self.first_port <= port <= self.last_port


def _table(*rows: tuple[str, str]) -> tuple[tuple[Network, str], ...]:
    return tuple((ip_network(network), reason) for reason, networks in rows for network in networks.split())


# No allow-list entry opens these. Metadata: AWS, Google, Azure and others answer on 169.254.169.254; the rest is what
# Oracle (192.0.0.192, fd00:c1::a9fe:a9fe), Azure (168.63.129.16), Alibaba (100.100.100.200), AWS (fd00:ec2::/32) and
# Google (fd20:ce::254) document beside it.
_NEVER = _table(
    ("a cloud metadata address", "169.254.169.254 192.0.0.192 168.63.129.16 100.100.100.200"),
    ("a cloud metadata address", "fd00:ec2::/32 fd00:c1::a9fe:a9fe fd20:ce::254"),
    ("a link-local address", "169.254.0.0/16 fe80::/10"),
    ("an unspecified address", "0.0.0.0/8 ::"),
    ("a multicast address", "224.0.0.0/4 ff00::/8"),
    ("the broadcast address", "255.255.255.255"),
    ("a reserved address", "240.0.0.0/4"),
    ("a deprecated site-local address", "fec0::/10"),
)

# Refused unless an allow-list entry names them: the IANA special-purpose registries (RFC 6890 and its successors).
_UNLESS_ALLOWED = _table(
    ("a loopback address", "127.0.0.0/8 ::1"),
    ("a private address", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16"),
    ("a shared (carrier NAT) address", "100.64.0.0/10"),
    ("a unique-local address", "fc00::/7"),
    ("a documentation address", "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"),
    ("a benchmarking address", "198.18.0.0/15"),
    ("a protocol assignment address", "192.0.0.0/24 2001::/23"),
    ("a 6to4 relay address", "192.88.99.0/24"),
    ("a local translation address", "64:ff9b:1::/48"),
)

# The IPv6 space that is in use at all (RFC 4291 and the IANA registry): the rest is reserved and never dialled.
_IPV6_IN_USE = tuple(map(IPv6Network, ("2000::/3", "fc00::/7", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48")))

_MAPPED = IPv6Network("::ffff:0:0/96")
_LAST_32_BITS = tuple(map(IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96")))  # RFC 4291, RFC 2765, RFC 6052
_SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 3056
_TEREDO = IPv6Network("2001::/32")  # RFC 4380: the server, and the client with its bits inverted
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214, in the first half of the interface identifier
_THIS_NETWORK = IPv4Network("0.0.0.0/8")


def parse_allowed(text: str) -> AllowedNetwork:
    """Read one allow-list entry: a network or an address, then nothing, ``:port`` or ``:first-last``.

    An IPv6 network with ports is written in brackets: ``[fd00::]/8:443``. Raises ``ValueError`` in words for host bits
    that are set, an IPv4 address in IPv6 clothes, ports outside 1 to 65535 and anything else that is not an entry.
    """
    entry = text.strip()
    if entry.startswith("["):
        inside, bracket, rest = entry[1:].partition("]")
        size, colon, ports = rest.partition(":")
        if not bracket or ":" not in inside or (size and not size.startswith("/")):
            raise ValueError(f"{text!r} is not a network: write [address]/size:port for IPv6")
        written = inside + size
    elif entry.count(":") <= 1:
        written, colon, ports = entry.partition(":")
    else:
        written, colon, ports = entry, "", ""
    try:
        network = ip_network(written.replace("%", " "))  # A zone is no part of a network.
    except ValueError as error:
        reason = str(error)
    else:
        if network.version == 6 and network.subnet_of(_MAPPED):
            raise ValueError(f"{text!r} is an IPv4 network in IPv6 form: write it as IPv4")
        first, last = _ports(text, ports) if colon else (None, None)
        return AllowedNetwork(network, first, last)
    raise ValueError(f"{text!r} is not a network: {reason}")


def _ports(text: str, ports: str) -> tuple[int, int]:
    first, dash, last = ports.partition("-")
    ends = (first, last if dash else first)
    if not all(end.isascii() and end.isdigit() and len(end) <= 5 for end in ends):
        raise ValueError(f"{text!r} has ports that are not numbers: write :443 or :8801-8810")
    low, high = int(ends[0]), int(ends[1])
    if not 1 <= low <= high <= 65535:
        raise ValueError(f"{text!r} has ports outside 1 to 65535, or the last before the first")
    return low, high


def refusal(address: str, port: int, allowed: Sequence[AllowedNetwork]) -> str | None:
    """Return why this address may not be dialled on this port, in words; ``None`` means it may.

    ``address`` is what a resolver gave, never a name; text that is not an address, or has an IPv6 zone, is refused.
    An IPv4 address inside an IPv6 one (mapped, compatible, translated, 6to4, NAT64, Teredo, ISATAP) is judged as well.
    """
    known = _parsed(address)
    if known is None:
        return say("network.no-address", address=address)
    for inner in _embedded(known):
        reason = _reason(inner, port, allowed)
        if reason is not None:
            return say("network.leads-to", address=address, inner=str(inner), reason=reason)
    if isinstance(known, IPv6Address) and known.ipv4_mapped is not None:
        return None
    reason = _reason(known, port, allowed)
    return None if reason is None else say("network.is", address=address, reason=reason)


def is_allowed(address: str, port: int, allowed: Sequence[AllowedNetwork]) -> bool:
    """Return whether an allow-list entry names this port of this address; a mapped IPv4 address counts as IPv4."""
    known = _parsed(address)
    if known is None:
        return False
    if isinstance(known, IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    return any(entry.names(known, port) for entry in allowed)


def _parsed(address: str) -> Address | None:
    try:
        known = ip_address(address)
    except ValueError:
        return None
    return None if isinstance(known, IPv6Address) and known.scope_id else known


def _reason(address: Address, port: int, allowed: Sequence[AllowedNetwork]) -> str | None:
    for network, reason in _NEVER:
        if address.version == network.version and address in network:
            return reason
    if isinstance(address, IPv6Address) and not any(address in network for network in _IPV6_IN_USE):
        return "a reserved address"
    if any(entry.names(address, port) for entry in allowed):
        return None
    for network, reason in _UNLESS_ALLOWED:
        if address.version == network.version and address in network:
            return say("network.not-allowed", kind=reason, port=port)
    if not address.is_global and address not in _SIX_TO_FOUR:
        return say("network.not-allowed", kind="not a public address", port=port)
    return None


def _embedded(address: Address) -> Iterator[IPv4Address]:
    """Give every IPv4 address that an IPv6 address may lead to."""
    if isinstance(address, IPv4Address):
        return
    bits = int(address)
    if address in _MAPPED or (bits > 1 and any(address in network for network in _LAST_32_BITS)):
        yield IPv4Address(bits & 0xFFFFFFFF)
    elif address in _SIX_TO_FOUR:
        yield IPv4Address(bits >> 80 & 0xFFFFFFFF)
    elif address in _TEREDO:
        yield IPv4Address(bits >> 64 & 0xFFFFFFFF)
        yield IPv4Address(bits & 0xFFFFFFFF ^ 0xFFFFFFFF)
    elif address in _LOCAL_NAT64:
        yield from _local_nat64(bits)
    if bits >> 32 & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(bits & 0xFFFFFFFF)


def _local_nat64(bits: int) -> Iterator[IPv4Address]:
    """Give each reading of a local NAT64 address: a site chooses its prefix length (RFC 6052, 2.2), and does not say.

    Readings in 0.0.0.0/8 come from a wrong length and are left out; where no other is left, the zero address is given.
    """
    without_u = (bits >> 64 << 56) | (bits & (1 << 56) - 1)  # bits 64 to 71 are always zero and not part of the address
    readings = [IPv4Address(without_u >> shift & 0xFFFFFFFF) for shift in (40, 32, 24)]  # prefixes of 48, 56, 64 bits
    readings.append(IPv4Address(bits & 0xFFFFFFFF))
    real = [reading for reading in readings if reading not in _THIS_NETWORK]
    yield from real or [IPv4Address(0)]
