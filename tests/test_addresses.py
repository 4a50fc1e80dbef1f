from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.rules.networks import AllowedNetwork, is_allowed, parse_allowed, refusal

EVERYTHING = [parse_allowed("0.0.0.0/0"), parse_allowed("::/0")]

NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "169.254.170.2",
    "192.0.0.192",
    "168.63.129.16",
    "100.100.100.200",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "100::1",
    "4000::1",
    "5f00::1",
    "::8.8.8.8",
    "::ffff:0:8.8.8.8",
    # 169.254.169.254 in IPv6 clothes: mapped, compatible, translated, NAT64, 6to4, Teredo client and server, ISATAP.
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "2001:0:808:808:0:0:5601:5601",
    "2001:0:a9fe:a9fe:0:0:f7f7:f7f7",
    "2606:4700::5efe:169.254.169.254",
    "2606:4700::200:5efe:169.254.169.254",
    # The four prefix lengths that a site may choose for a local NAT64: 48, 56, 64, 96.
    "64:ff9b:1:a9fe:a9:fe00::",
    "64:ff9b:1:a9:fe:a9fe::",
    "64:ff9b:1:0:a9:fea9:fe00:0",
    "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1::",
]

UNLESS_ALLOWED = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "198.19.255.255",
    "192.88.99.1",
    "::1",
    "fc00::1",
    "fdff::1",
    "2001:db8::1",
    "3fff::1",
    "2001:2::1",
    "2001:10::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::10.1.2.3",
    "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:0:808:808:0:0:80ff:fffe",
]

PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "2a00:1450::5e"]
PUBLIC_INSIDE = ["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]


@pytest.mark.parametrize("address", NEVER)
def test_no_allowed_network_opens_these(address: str) -> None:
    assert refusal(address, 443, []) is not None
    assert refusal(address, 443, EVERYTHING) is not None


@pytest.mark.parametrize("address", UNLESS_ALLOWED)
def test_these_are_refused_unless_an_allowed_network_names_them(address: str) -> None:
    assert refusal(address, 443, []) is not None
    assert refusal(address, 443, EVERYTHING) is None


@pytest.mark.parametrize("address", PUBLIC + PUBLIC_INSIDE)
def test_public_addresses_may_be_dialled(address: str) -> None:
    assert refusal(address, 443, []) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
        "8.8.8.8.",
        "8.8.8.8 ",
        "fe80::1%eth0",
        "2606:4700::1%1",
        "[2606:4700::1]",
    ],
)
def test_what_is_not_one_plain_address_is_refused_whatever_it_means_to_others(text: str) -> None:
    assert refusal(text, 443, EVERYTHING) is not None
    assert not is_allowed(text, 443, EVERYTHING)


def test_an_allowed_network_opens_its_own_ports_only() -> None:
    allowed = [parse_allowed("127.0.0.1/32:8801-8803")]

    assert [refusal("127.0.0.1", port, allowed) is None for port in range(8800, 8806)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert refusal("127.0.0.2", 8801, allowed) is not None


def test_a_mapped_address_is_opened_by_the_ipv4_network_alone() -> None:
    assert refusal("::ffff:10.1.2.3", 80, [parse_allowed("10.1.0.0/16")]) is None
    assert refusal("::ffff:10.1.2.3", 80, [parse_allowed("::/0")]) is not None
    assert is_allowed("::ffff:10.1.2.3", 80, [parse_allowed("10.1.0.0/16")])


def test_a_local_nat64_address_needs_both_of_its_networks() -> None:
    outer, inner = parse_allowed("64:ff9b:1::/48"), parse_allowed("10.1.0.0/16")

    assert refusal("64:ff9b:1::10.1.2.3", 80, [outer]) is not None
    assert refusal("64:ff9b:1::10.1.2.3", 80, [inner]) is not None
    assert refusal("64:ff9b:1::10.1.2.3", 80, [outer, inner]) is None


def test_a_public_address_is_in_an_allowed_network_only_where_one_names_it() -> None:
    assert not is_allowed("8.8.8.8", 80, [])
    assert is_allowed("8.8.8.8", 80, [parse_allowed("8.8.8.0/24")])
    assert not is_allowed("8.8.8.8", 80, [parse_allowed("8.8.8.0/24:443")])


def test_a_refusal_names_the_address_and_what_it_is() -> None:
    assert refusal("64:ff9b::a9fe:a9fe", 80, []) == (
        "64:ff9b::a9fe:a9fe leads to 169.254.169.254, which is a cloud metadata address"
    )
    assert refusal("192.168.1.1", 80, []) == (
        "192.168.1.1 is a private address, and no allowed network names it with port 80"
    )


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_judged_alike_in_every_clothing(bits: int) -> None:
    plain = IPv4Address(bits)
    refused = refusal(str(plain), 443, []) is not None

    assert (refusal(str(IPv6Address(0xFFFF << 32 | bits)), 443, []) is not None) == refused
    assert (refusal(str(IPv6Address((0x64FF9B << 96) | bits)), 443, []) is not None) == refused
    assert (refusal(str(IPv6Address((0x2002 << 112) | bits << 80)), 443, []) is not None) == refused


@given(st.integers(0, 2**128 - 1) | st.integers(0, 2**32 - 1).map(lambda low: 0x2001 << 112 | low))
def test_what_python_calls_private_is_never_public_here(bits: int) -> None:
    address = IPv6Address(bits)
    if not address.is_global and address.sixtofour is None and address.ipv4_mapped is None:
        assert refusal(str(address), 443, []) is not None


@given(st.integers(0, 2**32 - 1))
def test_what_python_calls_private_ipv4_is_never_public_here(bits: int) -> None:
    if not IPv4Address(bits).is_global:
        assert refusal(str(IPv4Address(bits)), 443, []) is not None


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("10.1.0.0/16", AllowedNetwork(IPv4Network("10.1.0.0/16"))),
        (" 10.1.2.3 ", AllowedNetwork(IPv4Network("10.1.2.3/32"))),
        ("127.0.0.1:9000", AllowedNetwork(IPv4Network("127.0.0.1/32"), 9000, 9000)),
        ("127.0.0.1/32:8801-8810", AllowedNetwork(IPv4Network("127.0.0.1/32"), 8801, 8810)),
        ("fd00::/8", AllowedNetwork(IPv6Network("fd00::/8"))),
        ("[fd00::]/8", AllowedNetwork(IPv6Network("fd00::/8"))),
        ("::1", AllowedNetwork(IPv6Network("::1/128"))),
        ("[::1]:9000", AllowedNetwork(IPv6Network("::1/128"), 9000, 9000)),
        ("[::1]/128:9000", AllowedNetwork(IPv6Network("::1/128"), 9000, 9000)),
        ("[::1]/128:9000-9001", AllowedNetwork(IPv6Network("::1/128"), 9000, 9001)),
    ],
)
def test_an_allow_list_entry_is_read(text: str, entry: AllowedNetwork) -> None:
    assert parse_allowed(text) == entry


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "localhost:80",
        "10.1.2.3/16",
        "10.0.0.0/33",
        "127.1",
        "10.0.0.0/8:",
        "10.0.0.0/8:0",
        "10.0.0.0/8:65536",
        "10.0.0.0/8:90-80",
        "10.0.0.0/8:80-",
        "10.0.0.0/8:-80",
        "10.0.0.0/8:\uff18\uff10",
        "10.0.0.0/8: 80",
        "10.0.0.0/8:80-90-100",
        "::1/128:9000",
        "[::1",
        "[::1]9000",
        "[10.0.0.0]/8",
        "::ffff:10.0.0.0/104",
        "fe80::1%eth0",
    ],
)
def test_what_is_not_an_entry_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|ports"):
        parse_allowed(text)
