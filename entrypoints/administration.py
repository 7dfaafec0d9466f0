"""
Setting up accounts, keys, agents, lists and prices: what the command line and the library share.

Values come as people write them; what is wrong with them is said in a sentence (`ValueError`).
"""

from collections.abc import Iterable, Mapping
from functools import partial

from outdial.domain.model.agent import Agent, RuntimeKind
from outdial.domain.model.identifiers import ASSISTANT_TOKEN_LENGTH, KEY_SECRET_LENGTH
from outdial.domain.model.money import parse_amount
from outdial.domain.model.phone_number import NumberCheck, NumberKind, PhoneNumber, parse_phone_number
from outdial.domain.model.principal import Account, ApiKey, Permission
from outdial.domain.model.rate import Rate
from outdial.domain.model.rate_limit import CALLS_PER_DAY, REQUESTS_PER_MINUTE
from outdial.domain.model.template import is_clean
from outdial.domain.model.wallet import Wallet
from outdial.domain.service import administration
from outdial.domain.service.incidents import IncidentsPage, list_incidents
from outdial.entrypoints.do_not_call import DncAdministration
from outdial.ports.clock import Clock
from outdial.ports.randomness import Randomness
from outdial.ports.storage import Storage

_NEW = 0
"""Row of a record that is not stored yet."""


class Administration:
    """
    What the operator does; every method raises `UnknownRecordError` for rows that don't exist.
    """

    def __init__(self, storage: Storage, clock: Clock, randomness: Randomness) -> None:
        self._storage = storage
        self._clock = clock
        self._randomness = randomness

    @property
    def dnc(self) -> DncAdministration:
        """
        Do-Not-Call lists.
        """
        return DncAdministration(self._storage, self._clock)

    async def create_account(
        self,
        name: str,
        *,
        currency: str = "USD",
        balance: str = "0",
        default_region: str | None = None,
        allowed_regions: Iterable[str] = (),
        price_caps: Mapping[str, str] | None = None,
    ) -> Account:
        """
        Create an account.

        Args:
            balance: Its first deposit, such as `25.00`.

            default_region: Region of numbers written without `+`, such as `US`.

            allowed_regions: Regions that may be called; none for all.

            price_caps: Kinds of numbers that may be called beside ordinary ones, each with the highest price per
                minute, such as `{"premium_rate": "2.00"}`.

        Raises:
            ValueError: Says which value can't be used.
        """
        _check_texts(name)
        draft = Account(
            id=_NEW,
            name=name,
            currency=currency,
            created_at=self._clock.now(),
            default_region=default_region,
            allowed_regions=frozenset(allowed_regions),
            price_caps_micros={NumberKind(kind): parse_amount(price) for kind, price in (price_caps or {}).items()},
        )
        work = partial(administration.create_account, draft=draft, balance_micros=parse_amount(balance))
        return await self._storage.transact(work)

    async def top_up(self, account_id: int, amount: str) -> Wallet:
        """
        Add money such as `10.00` to a wallet.

        Raises:
            ValueError: Not an amount above zero, or more than a wallet can hold.
        """
        micros = parse_amount(amount)
        if micros == 0:
            raise ValueError("A wallet is topped up by more than 0.")
        work = partial(administration.deposit, account_id=account_id, micros=micros, at=self._clock.now())
        return await self._storage.transact(work)

    async def wallet(self, account_id: int) -> Wallet:
        """
        Return an account's wallet.
        """
        return await self._storage.read(partial(administration.wallet_of, account_id=account_id))

    async def incidents(
        self, account_id: int | None = None, *, before: int | None = None, limit: int = 10
    ) -> IncidentsPage:
        """
        List who was reached by calls that were not to go on, newest first.

        Args:
            account_id: By whose calls; without one, by those of all accounts.

            before: The `following` of the page before.

            limit: 1 to 100.
        """
        work = partial(list_incidents, account_id=account_id, before=before, limit=limit)
        return await self._storage.read(work)

    async def create_key(
        self,
        account_id: int,
        permissions: Iterable[str],
        *,
        calls_per_day: int = CALLS_PER_DAY,
        requests_per_minute: int = REQUESTS_PER_MINUTE,
    ) -> tuple[ApiKey, str]:
        """
        Create an API key.

        Args:
            calls_per_day: Calls that it may have accepted on one day of UTC.

            requests_per_minute: Requests that it may make in any 60 seconds; 1 to 60,000.

        Returns:
            The key, and its text, which is shown this once.

        Raises:
            ValueError: There is no such permission, none was given, or a limit is out of its range.
        """
        chosen = frozenset(Permission(permission) for permission in permissions)
        if not chosen:
            raise ValueError("A key needs a permission at least.")
        work = partial(
            administration.create_key,
            account_id=account_id,
            permissions=chosen,
            calls_per_day=calls_per_day,
            requests_per_minute=requests_per_minute,
            secret=self._randomness.base62(KEY_SECRET_LENGTH),
            at=self._clock.now(),
        )
        return await self._storage.transact(work)

    async def revoke_key(self, key_id: int) -> ApiKey:
        """
        Stop a key from working, at once and for ever.
        """
        return await self._storage.transact(partial(administration.revoke_key, key_id=key_id, at=self._clock.now()))

    async def create_agent(  # noqa: PLR0913 - as many as an agent has fields
        self,
        account_id: int,
        *,
        name: str,
        greeting: str,
        instructions: str = "",
        phone_number: str | None = None,
        runtime: str = RuntimeKind.ANNOUNCE.value,
        sip_uri: str | None = None,
        model: str | None = None,
        voice_id: str | None = None,
        team_id: int | None = None,
    ) -> Agent:
        """
        Create an agent.

        Args:
            greeting: What it says first; may hold `{{name}}` and `{{name|fallback}}`.

            phone_number: The caller ID of its calls; without one it can't make any.

            runtime: `announce` speaks the greeting, `sip_uri` joins the callee to the agent's own SIP address.

            model: The language model behind it; it, `voice_id` and `team_id` are told to clients and not used.

        Raises:
            ValueError: Says which value can't be used.
        """
        _check_texts(name, greeting, instructions, model, voice_id)
        draft = Agent(
            id=_NEW,
            account_id=account_id,
            assistant_id=f"assistant_{self._randomness.base62(ASSISTANT_TOKEN_LENGTH)}",
            name=name,
            phone_number=await self._account_number(account_id, phone_number) if phone_number is not None else None,
            greeting=greeting,
            instructions=instructions,
            runtime=RuntimeKind(runtime),
            sip_uri=sip_uri,
            model=model,
            voice_id=voice_id,
            team_id=team_id,
        )
        return await self._storage.transact(partial(administration.create_agent, draft=draft))

    async def set_rate(
        self, prefix: str, per_minute: str, *, increment_s: int = 60, minimum_s: int = 0, currency: str = "USD"
    ) -> Rate:
        """
        Set the price of numbers that begin with a prefix.

        Raises:
            ValueError: Says which value can't be used.
        """
        rate = Rate(
            currency=currency,
            prefix=prefix.removeprefix("+"),
            per_minute_micros=parse_amount(per_minute),
            increment_s=increment_s,
            minimum_s=minimum_s,
        )
        await self._storage.transact(lambda transaction: transaction.rulebook.set_rate(rate))
        return rate

    async def _account_number(self, account_id: int, text: str) -> PhoneNumber:
        """
        Read a number as the account's people write it: without `+`, it is one of the account's region.
        """
        account = await self._storage.read(partial(administration.account_of, account_id=account_id))
        number = parse_phone_number(text, default_region=account.default_region, check=NumberCheck.POSSIBLE)
        if number is None:
            raise ValueError(f"{text!r} is not a phone number such as +15551234567")
        return number


def _check_texts(*texts: str | None) -> None:
    """
    Raise for what neither every database can store nor every answer can hold.
    """
    if not all(is_clean(text) for text in texts if text is not None):
        raise ValueError("A text holds a NUL or a lone surrogate, which can't be stored.")
