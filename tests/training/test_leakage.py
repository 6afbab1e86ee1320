from helpers.training.leakage import leakage_effect


def test_oversampling_before_the_folds_overstates_f1_and_the_right_way_does_not(sample):
    table = leakage_effect(sample.X_train, sample.y_train)
    gap = table["cross-validation"] - table["hold-out"]
    assert gap["oversampled before"] > 0.2
    assert abs(gap["all inside the folds"]) < 0.15
    right, scaler = table["cross-validation"][["all inside the folds", "scaler fitted on all"]]
    assert abs(scaler - right) < 0.02
