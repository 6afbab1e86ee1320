import pandas as pd

from helpers.markdown import markdown_table


def test_numbers_are_aligned_right_and_formatted():
    table = pd.DataFrame(
        {"shift": ["none", "a|b"], "share": [0.5, 0.25], "rows": [10, 2000], "ok": [True, False]}
    )
    lines = [
        "| shift | share | rows | ok |",
        "| --- | ---: | ---: | --- |",
        "| none | {} | 10 | True |",
        r"| a\|b | {} | 2000 | False |",
    ]
    assert markdown_table(table) == "\n".join(lines).format("0.5000", "0.2500")
    assert markdown_table(table, {"share": ".1%"}) == "\n".join(lines).format("50.0%", "25.0%")


def test_a_table_without_rows_is_its_header():
    assert markdown_table(pd.DataFrame({"a": []})) == "| a |\n| ---: |"
