"""The addresses an account may be used from (facts/account.md, 6). No entries: from everywhere."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.state.transaction import Tx


class InvalidAddress(BadRequest):
    message = "Invalid IP Address or CIDR"


class UnknownAddress(BadRequest):
    message = "IP not found"


class BlankAddress(BadRequest):
    message = "IP address can not be blank"


class AllowedAddress(SQLModel, table=True):
    """`address` is an IP address, or a network as CIDR writes it."""

    __tablename__: ClassVar[Any] = "allowed_address"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    address: str = Field(primary_key=True)
    description: str = ""
    created_at: float


def list_addresses(tx: Tx) -> list[AllowedAddress]:
    own = select(AllowedAddress).where(AllowedAddress.account_id == tx.account_id)
    return list(tx.session.exec(own.order_by(col(AllowedAddress.created_at), col(AllowedAddress.address))))


def put(tx: Tx, address: str, description: str) -> None:
    """One that is there is described anew."""
    address = checked(address)
    known = tx.session.get(AllowedAddress, (tx.account_id, address))
    if known is not None:
        known.description = description
        return
    tx.add(
        AllowedAddress(account_id=tx.account_id, address=address, description=description, created_at=tx.now)
    )
    tx.read_marks()


def describe(tx: Tx, address: str, description: str) -> None:
    _get(tx, address).description = description


def delete(tx: Tx, address: str) -> None:
    if not address.strip():
        raise BlankAddress
    tx.session.delete(_get(tx, address))
    tx.session.flush()
    tx.read_marks()


def allows(tx: Tx, client_ip: str) -> bool:
    """Whether the account may be used from there."""
    rows = tx.read(
        "SELECT address FROM allowed_address WHERE account_id = :account", {"account": tx.account_id}
    )
    allowed = [ip_network(address) for (address,) in rows]
    client = _plain(client_ip)
    return not allowed or (client is not None and any(client in network for network in allowed))


def checked(address: str) -> str:
    """As it is kept: a single address has no `/32` or `/128`. What stands behind the network's bits is left out.

    A zone (`%eth0`) is one machine's own, so it means nothing here.
    """
    try:
        network = ip_network(address.strip(), strict=False)
    except ValueError:
        raise InvalidAddress from None
    if "%" in address:
        raise InvalidAddress
    single = network.network_address
    return str(_plain(str(single))) if network.num_addresses == 1 else str(network)


def _get(tx: Tx, address: str) -> AllowedAddress:
    try:
        found = tx.session.get(AllowedAddress, (tx.account_id, checked(address)))
    except InvalidAddress:
        found = None
    if found is None:
        raise UnknownAddress
    return found


def _plain(client_ip: str) -> Any:
    """IPv4 as such, even if it comes in the clothes of IPv6; None for what is no address."""
    try:
        address = ip_address(client_ip.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
