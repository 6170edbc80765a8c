"""Numbers of a column and where each row has them, against NumPy's own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lerobot_grasp_plugin.merging.index_tables import distinct


@given(st.lists(st.tuples(st.integers(-3, 2**40), st.integers(1, 4)), max_size=20))
def test_distinct_values_and_their_rows_are_numpys(runs: list[tuple[int, int]]) -> None:
    values = np.array([number for number, length in runs for _ in range(length)], dtype=np.int64)

    known, rows = distinct(values)

    expected, inverse = np.unique(values, return_inverse=True)
    np.testing.assert_array_equal(known, expected)
    np.testing.assert_array_equal(rows, inverse)
