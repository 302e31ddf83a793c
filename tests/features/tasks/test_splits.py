from collections import Counter

from features.tasks.splits import split_segments


def test_the_deal_is_60_20_20():
    dealt = split_segments([f"segment {number}" for number in range(20)], salt="s")
    assert Counter(dealt.values()) == {"meta_train": 12, "meta_validation": 4, "meta_test": 4}


def test_the_deal_ignores_the_order_of_the_list():
    names = ["a", "b", "c", "d", "e", "f"]
    assert split_segments(names, "s") == split_segments(names[::-1], "s")


def test_another_salt_deals_anew():
    names = [f"segment {number}" for number in range(20)]
    assert split_segments(names, "s") != split_segments(names, "t")


def test_too_few_segments_all_teach():
    assert set(split_segments(["a", "b", "c"], "s").values()) == {"meta_train"}
