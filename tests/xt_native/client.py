"""The module `xtpythonclient`: one native client per trader object. XTQUANT.md sections 1.2 and 1.3."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from types import ModuleType
from typing import Protocol

from tests.xt_native.desk import ANSWERS
from tests.xt_native.lane import ThreadLane
from tests.xt_native.structs import NAMED, Struct
from tests.xt_native.terminal import SimTerminal

Callback = Callable[..., object]
_AWAITED = ("subscribe", "unsubscribe")  # the vendor's layer has no other form of these

_BINDERS = """
    SubscribeResp UnsubscribeResp QueryStockAsset QueryStockOrders QueryStockTrades QueryStockPositions
    QueryCreditDetailResp QueryStkCompactsResp QueryCreditSubjectsResp QueryCreditSloCodeResp QueryCreditAssureResp
    QueryNewPurchaseLimit QueryIPOData TransferResp QueryComFundResp SmtQueryQuoterResp SmtQueryOrderResp
    SmtQueryCompactResp QueryPositionStatisticsResp ExportDataResp SyncTransactionFromExternalResp BankTransferResp
    QueryBankInfoResp QueryBankAmountResp QueryBankTransferStreamResp QuerySecuAccountResp CtpInternalTransferResp
    GetSmartAlgoParamResp SmartOrderStockResp QuerySmartAlgoTaskResp OperateSmartAlgoTaskResp QueryAccountInfos
    QueryAccountStatus OrderStockResp CancelOrderStockResp Disconnected UpdateAccountStatus StockAsset StockOrder
    StockTrade StockPosition OrderError CancelError SmtAppointmentResp
    """
_OTHERS = """
    queryCreditDetail queryStkCompacts queryCreditSubjects queryCreditSloCode queryCreditAssure queryNewPurchaseLimit
    queryIPOData transfer queryComFund queryComPosition smtQueryQuoter smtQueryOrder smtQueryCompact smtNegotiateOrder
    smtAppointmentOrder smtAppointmentCancel smtCompactRenewal smtCompactReturn queryPositionStatistics exportData
    syncTransactionFromExternal bankTransfer queryBankInfo queryBankAmount queryBankTransferStream querySecuAccount
    ctpInternalTransfer getSmartAlgoParam smartOrderStock querySmartAlgoTask operateSmartAlgoTask
    """
_OTHER_REQUESTS = """
    BankTransferReq CtpInternalTransferReq OperateSmartAlgoTaskReq QueryBankAmountReq QueryBankInfoReq
    QueryBankTransferStreamReq QueryComFundReq QueryComPositionReq QueryCreditAssureReq QueryCreditDetailReq
    QueryCreditSloCodeReq QueryCreditSubjectsReq QueryIPODataReq QueryNewPurchaseLimitReq QueryPositionStatisticsReq
    QuerySecuAccountReq QueryStkCompactsReq SmtAppointmentCancelReq SmtAppointmentOrderReq SmtCompactRenewalReq
    SmtCompactReturnReq SmtNegotiateOrderReq SmtQueryCompactReq SmtQueryOrderReq SmtQueryQuoterReq TransferParam
    """


class Place(Protocol):
    """Where a native client finds the terminal of this computer, and drops what callbacks raise."""

    terminal: SimTerminal | None
    errors: list[BaseException]


class NativeClient:
    """`XtQuantAsyncClient`: says nothing while there is no connection, and its senders' results mean nothing."""

    place: Place

    def __init__(self, path: bytes | str, name: str, session: int) -> None:
        if not isinstance(path, bytes | str) or not isinstance(name, str) or not isinstance(session, int):
            raise TypeError("__init__(): incompatible constructor arguments")
        self.path = path.decode("gb18030") if isinstance(path, bytes) else path
        self.session, self.is_subscribed, self.timeout = session, False, 0
        self._bound: dict[str, Callback] = {}
        self._numbers = count(1)
        self._terminal: SimTerminal | None = None
        self._was_connected = False
        lanes = ThreadLane if self.place.terminal is None else self.place.terminal.lanes
        self._lane = lanes(f"native client {session}", self.place.errors)

    def init(self) -> None:
        """Prepare."""

    def start(self) -> None:
        """Begin to hear the terminal, sometimes sooner than the vendor's layer is ready (XTQUANT.md H7)."""
        self._lane.start()
        terminal = self.place.terminal
        if terminal is not None and terminal.faults.strikes("early_push"):
            self.deliver("UpdateAccountStatus", terminal.account_status())
            self._lane.catch_up()

    def stop(self) -> None:
        """Leave the terminal; no callback runs after that."""
        if (terminal := self._terminal or self.place.terminal) is not None:
            terminal.leave(self)
        self._terminal = None
        self._lane.end()

    def connect(self) -> int:
        """0 once in the life of this object; -1 otherwise."""
        terminal = self.place.terminal
        if terminal is None or self._was_connected or terminal.connect(self) != 0:
            return -1
        self._terminal, self._was_connected = terminal, True
        return 0

    def deliver(self, name: str, *given: object, after_s: float = 0.0) -> None:
        """Call what is bound under a name on this client's own thread."""
        if (callback := self._bound.get(name)) is not None:
            self._lane.put(lambda: callback(*given), after_s)

    def vanish(self) -> None:
        """The process of this client is gone: the terminal keeps its session id, and nobody hears."""
        if self._terminal is not None:
            self._terminal.forget(self)
        self._terminal = None
        self._lane.end()

    def lose(self, *, tell: bool) -> None:
        """The terminal has died."""
        self._terminal, self.is_subscribed = None, False
        if tell:
            self.deliver("Disconnected")

    def bind(self, name: str, callback: Callback) -> None:
        """The newest callback under a name is the one that is called."""
        self._bound[name] = callback

    def send(self, sender: str, seq: int, request: Struct) -> int:
        """Hand a request over; -1 and silence without a connection."""
        if not isinstance(seq, int) or not isinstance(request, Struct):
            raise TypeError(f"{sender}WithSeq(): incompatible function arguments")
        terminal = self._terminal if self._terminal is not None and self._terminal.is_alive else None
        if terminal is not None:
            terminal.request(self, sender, seq, request)
        if sender in _AWAITED:
            self._lane.be_awaited(is_answered=terminal is not None)
        return -1 if terminal is None else 0

    def next_number(self) -> int:
        """`nextSeq`."""
        return next(self._numbers)

    def set_timeout(self, timeout: int) -> None:
        """`setTimeout`: what it does is unknown."""
        self.timeout = timeout


def _binder(name: str) -> Callable[[NativeClient, Callback], None]:
    return lambda client, callback: client.bind(name, callback)


def _sender(name: str) -> Callable[[NativeClient, int, Struct], int]:
    return lambda client, seq, request: client.send(name, seq, request)


def _unimplemented(name: str) -> Callable[..., object]:
    def refuse(*given: object) -> object:
        raise NotImplementedError(f"the fake native layer has no {name}")

    return refuse


def client_module(name: str, place: Place) -> ModuleType:
    """A module as `xtpythonclient`, whose clients find their terminal at `place`."""
    members: dict[str, object] = {"place": place}
    members |= {"nextSeq": NativeClient.next_number, "setTimeout": NativeClient.set_timeout}
    members |= {f"bindOn{each}Callback": _binder(each) for each in _BINDERS.split()}
    members |= {f"{each}WithSeq": _sender(each) for each in ANSWERS}
    members |= {f"{each}WithSeq": _unimplemented(each) for each in _OTHERS.split()}
    module = ModuleType(name)
    setattr(module, "XtQuantAsyncClient", type("XtQuantAsyncClient", (NativeClient,), members))  # noqa: B010
    for request in _OTHER_REQUESTS.split():
        setattr(module, request, _unimplemented(request))
    for struct, kind in NAMED.items():
        setattr(module, struct, kind)
    return module
