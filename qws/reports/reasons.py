"""Why a name was traded less than wanted, a row was filtered, a run ended: codes in words, English and Chinese."""

from __future__ import annotations

from qws.reports.figure import Language

_REASONS: dict[str, tuple[str, str]] = {
    # of a name
    "limit_up": ("locked at the upper limit: nobody sells", "封涨停, 没有卖盘"),
    "limit_down": ("locked at the lower limit: nobody buys", "封跌停, 没有买盘"),
    "suspended": ("trading is suspended", "停牌"),
    "no_quote": ("there was no quote to price it by", "没有行情, 无法定价"),
    "stale_quote": ("the quote was too old", "行情过旧"),
    "t_plus_1": ("bought today, so it cannot be sold yet", "当日买入, 尚不可卖 (T+1)"),
    "min_order": ("less than the board's smallest order", "少于板块最小委托数量"),
    "lot": ("less than one lot, or an odd lot that cannot be split", "不足一手, 或零股不能拆开"),
    "cash": ("the money ended here", "资金到此为止"),
    "cage": ("no price satisfies limits and price cage", "没有同时满足涨跌停与价格笼子的价格"),
    "st_cap": ("an ST stock may be bought up to 500,000 shares a day", "风险警示股票每日买入上限 50 万股"),
    "order_max": ("the record of the day allows no order so large", "当日证券信息不允许这么大的委托"),
    "stale_record": ("the record was not of the day", "证券信息不是当日的"),
    "phase_closed": ("nothing was accepted at that moment", "此刻不接受委托"),
    "drift_band": ("near enough", "已经足够接近"),
    "protected": ("protected by the settings", "设置为不动的证券"),
    "not_managed": ("not a kind that is traded", "不属于交易的品种"),
    "row_filtered": ("its row of the file was filtered", "文件中的该行被过滤"),
    "not_listed": ("not in the file, which leaves others alone", "文件未列出, 保持不动"),
    "not_planned": ("it appeared after the plan", "计划之后才出现在账户里"),
    "not_sent": ("the run ended before it was sent", "调仓结束前未发出"),
    "not_filled": ("it did not trade in time", "没有及时成交"),
    "rejected": ("the broker refused it", "被券商拒绝"),
    "unknown": ("nobody can say what became of it", "下落不明"),
    "never_arrived": ("the order was lost on its way", "委托在途中丢失"),
    "slippage": ("a better price was beyond the slippage budget", "更优价格超出滑点预算"),
    "at_limit": ("it rested at the day's limit", "挂在涨跌停价上"),
    "drift": ("the account differed from our books, so buying stopped", "账户与账簿不符, 停止买入"),
    "session_over": ("the day's last order time had passed", "已过当日最后下单时间"),
    # of a row of the file
    "not_a_share": ("not a Shanghai or Shenzhen A share", "不是沪深 A 股"),
    "unknown_code": ("no such code", "没有这个代码"),
    "etf_disabled": ("funds are not traded with these settings", "设置为不交易基金"),
    "negative_weight": ("a negative weight", "权重为负"),
    "past_date": ("of a day that is over", "日期已过"),
    # of a run
    "superseded": ("a newer target took its place", "被更新的目标取代"),
    "halted": ("trading was halted", "交易被暂停"),
    "cancelled": ("a person cancelled it", "被人撤销"),
    "interrupted": ("a restart cut it off", "被重启打断"),
    "expired": ("its day was over", "目标日已过"),
    "expired_target": ("the target had expired", "目标已过有效期"),
    "unintended": ("the broker has orders of it that the journal does not know", "券商处有流水中没有的委托"),
    "no_snapshot": ("account and market could not be read together", "无法同时取得账户与行情"),
    "unknown_target": ("its target is not known", "找不到目标"),
    "attempts": ("too many attempts on one day", "当日尝试次数过多"),
    "sum_over_one": ("the weights add up to more than 1", "权重之和超过 1"),
    "single_name": ("one name is beyond risk.weight_max", "单只权重超过 risk.weight_max"),
    "turnover": ("the turnover is beyond risk.turnover_max", "换手超过 risk.turnover_max"),
    "order_count": ("more orders than risk.orders_max", "委托数超过 risk.orders_max"),
    "account_insane": ("the account did not add up", "账户数字对不上"),
    "declined": ("a person rejected the plan", "计划被人否决"),
    "not_approved": ("nobody approved the plan in time", "计划未在时限内获批准"),
    # rules of [risk], of a run or of a name
    "concentration": ("the five heaviest names are beyond risk.top5_max", "前五只权重之和超过 risk.top5_max"),
    "too_many_names": ("more names than risk.names_max", "证券数超过 risk.names_max"),
    "too_few_names": ("fewer names than risk.names_min", "证券数少于 risk.names_min"),
    "drawdown": ("the account fell further than risk.drawdown_max", "账户回撤超过 risk.drawdown_max"),
    "day_loss": ("the day's loss is beyond risk.day_loss_max", "当日亏损超过 risk.day_loss_max"),
    "reduce_only": ("only sells were allowed", "当时只允许卖出"),
    "duplicate_order": ("an order like it still worked", "同向委托尚未结束"),
    "self_trade": ("an order of ours stood on the other side", "自己的反向委托尚未结束"),
    "restricted": ("on the restricted list", "在限制名单上"),
    "far_from_last": ("the price is too far from the last trade", "委托价离最新价过远"),
    "far_from_close": ("the price is too far from the previous close", "委托价离昨收过远"),
    "liquidity": ("more than the visible depth bears", "超过盘口可承受的数量"),
    "average_volume": ("more than risk.volume_max of an average day", "超过日均成交量的 risk.volume_max"),
    "stop_loss": ("sold: below the average cost by stops.stop_loss", "止损: 低于成本 stops.stop_loss"),
    "take_profit": ("sold: above the average cost by stops.take_profit", "止盈: 高于成本 stops.take_profit"),
    "trailing_stop": ("sold: fell from its highest price by stops.trailing_atr", "移动止损: 自最高价回落"),
    "order_value": ("an order is worth more than risk.order_value_max", "单笔金额超过 risk.order_value_max"),
    "order_size": ("an order is larger than risk.order_shares_max", "单笔股数超过 risk.order_shares_max"),
    "cash_reserve": ("less cash would be left than risk.cash_min", "剩余现金少于 risk.cash_min"),
    "day_orders": ("the day's orders are used up", "当日委托次数已用完"),
    # how it ended
    "completed": ("Completed", "已完成"),
    "incomplete": ("Incomplete", "未全部完成"),
    "refused": ("Refused", "被拒绝"),
    "buy": ("buy", "买入"),
    "sell": ("sell", "卖出"),
}
CODES = frozenset(_REASONS)


def said(code: str, language: Language) -> str:
    """A code in words; one without words stays what it is."""
    words = _REASONS.get(code)
    return code if words is None else words[language == "zh"]


def explained(code: str, language: Language) -> str:
    """The words, and the code behind them; "" for none."""
    return f"{said(code, language)} [{code}]" if code in _REASONS else code
