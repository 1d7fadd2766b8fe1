"""The words of a tear sheet, English and Chinese: the figures in the order in which they are shown."""

from __future__ import annotations

from qws.reports.figure import Language

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Performance",
        "period": "{first} to {last}: trading days {sessions}, of them not recorded {missing}; returns from the close "
        "of {base}, time-weighted",
        "first_close": "The first close on record: returns begin with the next one.",
        "total_asset": "Total assets, CNY",
        "account": "Account",
        "benchmark": "SSE Composite",
        "excess": "Excess",
        "year": "Total",
        "figures": "Figures",
        "months": "Monthly returns",
        "day_bars": "Returns by day",
        "month_bars": "Returns by month",
        "flows": "Deposits and withdrawals",
        "flows_note": "Found by what trades, fees and dividends do not explain; they are no return. A deposit counts "
        "from the start of the day on which it was seen, a withdrawal to its end. Correct one with --flow DAY=CNY.",
        "deposit": "Deposit",
        "withdrawal": "Withdrawal",
        "day": "Day",
        "kind": "Kind",
        "amount": "CNY",
        "missing": "Trading days of which no close is recorded: {count} ({days}). They are gaps; the return across "
        "them counts in totals, not in figures of single days.",
        "no_benchmark": "Days without benchmark: {count} ({days}).",
        "unchecked": "Closes that could not be checked for deposits and withdrawals: {count} ({days}).",
        "execution": "Execution",
        "execution_note": "Slippage is against the middle and the last price when the run first looked at the market, "
        "positive when trading cost more; half spread is what crossing cost then. In hundredths of a per cent (bp).",
        "part": "",
        "all": "All",
        "traded": "Traded, CNY",
        "fill_ratio": "Filled",
        "slippage_mid_bp": "Slippage to mid",
        "slippage_last_bp": "to last",
        "spread_bp": "Half spread",
        "fees_bp": "Fees",
        "cost_bp": "Slippage + fees",
        "fill_s": "Seconds to fill",
    },
    "zh": {
        "title": "业绩报告",
        "period": "{first} 至 {last}: 交易日 {sessions} 个, 其中缺记录 {missing} 个; 收益自 {base} 收盘起, 时间加权",
        "first_close": "第一条收盘记录: 收益从下一个交易日开始计算",
        "total_asset": "总资产 (元)",
        "account": "账户",
        "benchmark": "上证指数",
        "excess": "超额",
        "year": "合计",
        "figures": "指标",
        "months": "月度收益",
        "day_bars": "每日收益",
        "month_bars": "每月收益",
        "flows": "入金与出金",
        "flows_note": "由成交、费用和分红无法解释的部分识别得出, 不计入收益。"
        "入金自发现当日开始时计入, 出金至当日结束时计出。"
        "可用 --flow 日期=金额 更正。",
        "deposit": "入金",
        "withdrawal": "出金",
        "day": "日期",
        "kind": "类别",
        "amount": "金额 (元)",
        "missing": "没有收盘记录的交易日: {count} 个 ({days})。图中为空缺; 跨越它们的收益计入累计, 不计入单日指标。",
        "no_benchmark": "没有基准的日子: {count} 个 ({days})。",
        "unchecked": "无法核对出入金的收盘: {count} 个 ({days})。",
        "execution": "执行质量",
        "execution_note": "滑点以该次调仓第一次取行情时的中间价和最新价为准, 正数表示多付; 半价差是当时穿越盘口的代价。"
        "单位为万分之一 (bp)。",
        "part": "",
        "all": "合计",
        "traded": "成交额 (元)",
        "fill_ratio": "成交率",
        "slippage_mid_bp": "滑点 (中间价)",
        "slippage_last_bp": "(最新价)",
        "spread_bp": "半价差",
        "fees_bp": "费用",
        "cost_bp": "滑点 + 费用",
        "fill_s": "成交用时 (秒)",
    },
}

# key -> (how it is written: signed per cent, unsigned per cent, number; its name)
_KINDS = {
    "total_return": "%",
    "annual_return": "%",
    "benchmark_return": "%",
    "excess_return": "%",
    "profit": "x",
    "volatility": "|%",
    "downside_risk": "|%",
    "sharpe": "x",
    "sortino": "x",
    "calmar": "x",
    "max_drawdown": "%",
    "value_at_risk": "%",
    "expected_shortfall": "%",
    "best_day": "%",
    "worst_day": "%",
    "win_rate": "|%",
    "payoff": "x",
    "skew": "x",
    "kurtosis": "x",
    "tail_ratio": "x",
    "alpha": "%",
    "beta": "x",
    "correlation": "x",
    "tracking_error": "|%",
    "information_ratio": "x",
    "turnover": "|%",
    "turnover_a_year": "|%",
    "fees": "x",
    "deposits": "x",
    "withdrawals": "x",
}
_NAMES: dict[Language, str] = {
    "en": "Total return|Annual return|Benchmark return|Excess return|Profit, CNY|Volatility, annual|"
    "Downside risk, annual|"
    "Sharpe ratio|Sortino ratio|Calmar ratio|Max drawdown|Value at risk, 95 %|Expected shortfall, 95 %|Best day|"
    "Worst day|Winning days|Mean gain / mean loss|Skew|Excess kurtosis|Tail ratio|Alpha, annual|Beta|Correlation|"
    "Tracking error, annual|Information ratio|Turnover, one side|Turnover a year|Fees, CNY|Deposits, CNY|"
    "Withdrawals, CNY",
    "zh": "累计收益|年化收益|基准收益|超额收益|盈亏 (元)|年化波动率|年化下行风险|夏普比率|索提诺比率|卡玛比率|最大回撤|"
    "在险价值 VaR 95%|条件在险价值 CVaR 95%|最好一日|最差一日|胜率 (按日)|盈亏比|偏度|"
    "超额峰度|尾部比率|年化 Alpha|Beta|"
    "相关系数|年化跟踪误差|信息比率|换手率 (单边)|年化换手率|费用 (元)|入金 (元)|出金 (元)",
}
FIGURES: dict[Language, dict[str, tuple[str, str]]] = {
    language: {key: (kind, name) for (key, kind), name in zip(_KINDS.items(), names.split("|"), strict=True)}
    for language, names in _NAMES.items()
}
