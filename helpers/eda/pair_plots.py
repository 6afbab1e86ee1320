"""Plots of the outcome's rate by pairs of features, with confidence intervals."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.eda.groups import as_groups, bands, strongest_features
from helpers.eda.rate_plots import PERCENT, band_axis, rate_limit, set_ticks, with_intervals
from helpers.eda.statistics import outcome_rates
from helpers.plotting import GROUPS, caption, feature_label, figure, group_label, in_sentence, note, width_for
from helpers.table import current_table


def bands_by_group(df: pd.DataFrame) -> Figure:
    """Draw the outcome's rate by the strongest number, in bands, for the strongest feature's two groups."""
    strongest = strongest_features(df)
    if not strongest.many_valued or not strongest.two_valued:
        return note("This takes a number with many values and a feature with two.")
    number, pair = strongest.many_valued[0], strongest.two_valued[0]
    known = df[df[number].notna() & df[pair].notna()]
    band, group = bands(known[number]), as_groups(known[pair])
    rates = outcome_rates(known, [group, band])
    names = list(band.cat.categories)
    fig, ax = figure(width=6.5, height=3.8)
    first, second = sorted(group.unique(), key=list(group.cat.categories).index)
    for value, color, marker in ((first, GROUPS[1], "o"), (second, GROUPS[0], "s")):
        part = rates.loc[value]
        x = np.array([names.index(name) for name in part.index])
        ax.plot(x, part["rate"], color=color, marker=marker, label=group_label(pair, value))
        ax.fill_between(x, part["low"], part["high"], color=color, alpha=0.15, lw=0)
    set_ticks(ax, np.arange(len(names)), names)
    outcome = current_table().target.outcome
    limit = rate_limit(rates["high"].max())
    ax.set(xlabel=band_axis(df, number), ylabel=f"{outcome} rate, with 95% band", ylim=(0, limit))
    ax.yaxis.set_major_formatter(PERCENT)
    ax.legend(frameon=False)
    gap = (rates.loc[first]["rate"] - rates.loc[second]["rate"]).abs().dropna()
    title = f"{feature_label(pair)} by {in_sentence(feature_label(number))}"
    if len(gap):
        where = f"{in_sentence(feature_label(number))} {gap.idxmax()}"
        title = f"{feature_label(pair)} matters most at {where}: a gap of {100 * gap.max():.0f} points"
    fig.suptitle(title, wrap=True)
    return caption(fig, df)


def heat_map(df: pd.DataFrame) -> Figure:
    """Draw the outcome's rate by the two strongest features with few values as a heat map."""
    few = strongest_features(df).few_valued
    if len(few) < 2:
        return note("This takes two features with few values.")
    by = [as_groups(df[name]) for name in few[:2]]
    rates = outcome_rates(df, by)
    table, counts = rates["rate"].unstack(), rates["customers"].unstack(fill_value=0)
    values, sizes = table.to_numpy(), counts.to_numpy()
    rows = [group_label(few[0], group) for group in table.index]
    columns = [group_label(few[1], group) for group in table.columns]
    fig, ax = figure(width_for(rows, 1.2 * len(columns)), height=max(3.6, 1.2 + 0.5 * len(rows)))
    highest, space = np.nanmax(values), "  " if len(columns) < 5 else "\n"
    ax.imshow(values, cmap="Oranges", vmin=0, vmax=highest or 1, aspect="auto")
    for row, column in np.ndindex(values.shape):
        rate, n = values[row, column], sizes[row, column]
        text = "no customers" if n == 0 else f"{rate:.0%}{space}(n = {n:,})"
        color = "white" if rate > 0.6 * highest else "black"
        ax.text(column, row, text, ha="center", va="center", color=color)
    set_ticks(ax, np.arange(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    overall = outcome_rates(df, by[0])["rate"]
    low, high = (group_label(few[0], group) for group in (overall.idxmin(), overall.idxmax()))
    outcome = current_table().target.outcome
    title = f"Lowest {outcome} with {low} ({overall.min():.0%}), highest with {high} ({overall.max():.0%})"
    fig.suptitle(title, wrap=True)
    return caption(fig, df)


def zero_by_group(df: pd.DataFrame) -> Figure:
    """Draw the outcome's rate by the strongest category, where a number that is often 0 is and is not."""
    strongest = strongest_features(df)
    if not strongest.often_zero or not strongest.categorical:
        return note("This takes a number that is often 0, and a categorical feature.")
    number, feature = strongest.often_zero[0], strongest.categorical[0]
    known, name = df[df[number].notna()], in_sentence(feature_label(number))
    category, positive = as_groups(known[feature]), known[number] != 0
    rates = outcome_rates(known, [positive, category])
    shown = [group for group in category.cat.categories if (category == group).any()]
    fig, ax = figure(width=max(6.5, 0.9 * len(shown)), height=3.6)
    other = "above 0" if known[number].min() >= 0 else "not 0"
    for side, color, label in ((-1, GROUPS[0], f"{name} 0"), (1, GROUPS[1], f"{name} {other}")):
        part = rates[rates.index.get_level_values(0) == (side > 0)].droplevel(0)
        x = np.array([shown.index(group) for group in part.index])
        with_intervals(ax, part, x + 0.08 * side, color, label=label)
        for position, (rate, n) in zip(x, part[["rate", "customers"]].to_numpy(), strict=True):
            ax.annotate(
                f"{rate:.0%}\nn = {n:,.0f}",
                (position + 0.08 * side, rate),
                (8 * side, 0),
                textcoords="offset points",
                ha="left" if side > 0 else "right",
                va="center",
                fontsize=8,
            )
    set_ticks(ax, np.arange(len(shown)), [group_label(feature, group) for group in shown])
    outcome = current_table().target.outcome
    ax.set(ylabel=f"{outcome} rate, with 95% interval", ylim=(0, None), xlim=(-0.6, len(shown) - 0.4))
    ax.yaxis.set_major_formatter(PERCENT)
    first_is_low = rates.xs(shown[0], level=1)["high"].max() < 0.7 * rates["high"].max()
    ax.legend(frameon=False, loc="upper left" if first_is_low else "best")
    never = [group_label(feature, group) for group in shown if (False, group) not in rates.index]
    title = f"{outcome[:1].upper()}{outcome[1:]} where {name} is 0, and where it is not"
    if never:
        title = f"{feature_label(number)} is never 0 for {', '.join(never)}"
    fig.suptitle(title, wrap=True)
    return caption(fig, df)
