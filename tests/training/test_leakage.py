"""The leak that is shown is a leak, and the right way is not."""

from helpers.training.leakage import leakage_effect


def test_copies_before_the_folds_claim_too_much_and_the_right_way_does_not(sample):
    table = leakage_effect(sample.X_train, sample.y_train)
    gap = table["claimed"] - table["kept"]
    assert gap["leavers copied first"] > 0.2
    assert abs(gap["all inside the folds"]) < 0.15
    assert (
        abs(table.loc["scaler saw everybody", "claimed"] - table.loc["all inside the folds", "claimed"])
        < 0.02
    )
