"""Preflight's checks of a config with LeRobot's own code; they import lerobot and torch."""

from lerobot_grasp_plugin.learning.config_checks.devices import check_devices
from lerobot_grasp_plugin.learning.config_checks.parsing import check_parsing
from lerobot_grasp_plugin.learning.config_checks.reach import check_reset_reach

PARSING = (check_parsing, check_reset_reach)
"""Checks by LeRobot's parser; skipped if another finding explains why it would refuse the config."""

MACHINE = (check_devices,)
"""Checks that use torch."""
