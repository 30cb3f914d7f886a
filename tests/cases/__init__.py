"""Tables of cases that run on a fake and, in the lab, on the real program."""

import pytest

pytest.register_assert_rewrite("tests.cases.kernel_cases", "tests.cases.consul_cases")
