"""Preflight's checks of a config by LeRobot's own code; they import lerobot and torch."""

from lerobot_grasp_plugin.learning.config_checks.devices import check_devices
from lerobot_grasp_plugin.learning.config_checks.parsing import check_parsing
from lerobot_grasp_plugin.learning.config_checks.reach import check_reset_reach

PARSING = (check_parsing, check_reset_reach)
"""Checks that LeRobot's parser begins; left out where another finding says why it would refuse the config."""

MACHINE = (check_devices,)
"""Checks that ask torch."""
